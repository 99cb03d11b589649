// Canonical's own OSV records of Ubuntu: the CVEs, and the notices (USN) that fixed them.
#include "advisory/osv.h"
#include "base/check.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"ubuntu/osv-all.tar.xz"};

constexpr FeedAddress kAddresses[] = {
    {"https://security-metadata.canonical.com/osv/osv-all.tar.xz", "ubuntu/osv-all.tar.xz", ""},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const OsvEcosystem* ubuntu = find_osv_ecosystem("Ubuntu");
  CHECK(ubuntu != nullptr);
  OsvReader reader(*ubuntu, file, sink);
  const auto read = [&](std::string_view name, std::string_view content) -> Status {
    if (name.ends_with(".json") && !reader.add(content)) sink.skip("osv: a record that is no JSON");
    return {};
  };
  TRY(decode::each_member(file.absolute_path, read));
  reader.finish();
  return {};
}

}  // namespace

extern const Feed ubuntu_osv_feed;
const Feed ubuntu_osv_feed = {
    .name = "ubuntu-osv",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "CC-BY-SA-4.0: share-alike",
    .attribution = "Ubuntu OSV data, Canonical Ltd., CC-BY-SA-4.0",
    .is_embeddable = false,
    .parse = parse,
};

}  // namespace vigil::advisory
