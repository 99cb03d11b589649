// Alpine's secdb, one file per branch and repository.
#include "advisory/feed.h"
#include "advisory/secdb.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {
    "alpine/*/main.json",
    "alpine/*/community.json",
    "alpine/*/main.yaml",
    "alpine/*/community.yaml",
};

constexpr std::string_view kReleases =
    "v3.10,v3.11,v3.12,v3.13,v3.14,v3.15,v3.16,v3.17,v3.18,v3.19,v3.20,v3.21,v3.22,v3.23,edge";
constexpr FeedAddress kAddresses[] = {
    {"https://secdb.alpinelinux.org/{release}/main.json", "alpine/{release}/main.json", kReleases},
    {"https://secdb.alpinelinux.org/{release}/community.json", "alpine/{release}/community.json",
     kReleases},
};

// "v3.17" is the shard "alpine-3.17", "edge" is "alpine-edge"; "" for anything else.
std::string shard_of(std::string_view branch) {
  if (branch == "edge") return "alpine-edge";
  if (branch.size() < 4 || branch[0] != 'v' || branch.size() > 16) return "";
  branch.remove_prefix(1);
  if (branch.find_first_not_of("0123456789.") != std::string_view::npos) return "";
  return "alpine-" + std::string(branch);
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  const SecdbDocument document = TRY(parse_secdb(text));
  const std::string shard = shard_of(document.distroversion);
  if (shard.empty()) return fail(ErrorCode::kMalformed, "a secdb without a known distroversion");
  sink.add_source(shard, "alpine", file.coverage, file.as_of);
  add_secdb(document, "alpine", shard, sink);
  return {};
}

}  // namespace

extern const Feed alpine_feed;
const Feed alpine_feed = {
    .name = "alpine",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = true, .is_subset = false},
    .licence = "no licence stated, facts; ask",
    .attribution = "",
    .is_embeddable = false,
    .parse = parse,
};

}  // namespace vigil::advisory
