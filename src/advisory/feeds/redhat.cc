// Red Hat's CSAF documents: VEX files, one per CVE, as the archive Red Hat makes of them or as they
// are. They know unfixed issues too.
#include <algorithm>

#include "advisory/csaf.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {
    "redhat/csaf-vex-*.tar.xz",
    "redhat/csaf_vex_*.tar.zst",
    "redhat/vex/*.json",
    "redhat/vex/*/*.json",
};

// The archive's name has its date in it; archive_latest.txt beside it says which.
constexpr FeedAddress kAddresses[] = {
    {"https://security.access.redhat.com/data/csaf/v2/vex/{latest}", "redhat/{latest}",
     "@https://security.access.redhat.com/data/csaf/v2/vex/archive_latest.txt"},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  std::set<std::string> shards;
  UnixSeconds newest = 0;
  const auto add = [&](std::string_view name, std::string_view content) -> Status {
    if (!name.ends_with(".json")) return {};
    newest = std::max(newest, TRY(with_context(add_redhat_csaf(content, shards, sink), name)));
    return {};
  };
  if (file.path.ends_with(".json")) {
    const std::string text =
        TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
    TRY(add(file.path, text));
  } else {
    TRY(decode::each_member(file.absolute_path, add));
  }
  // A document speaks of one CVE, so some of them know some issues of a package and not the others.
  const Coverage coverage = {.is_partial = file.coverage.is_subset};
  for (const std::string& shard : shards) {
    sink.add_source(shard, "redhat", coverage, file.as_of != 0 ? file.as_of : newest);
  }
  return {};
}

}  // namespace

extern const Feed redhat_feed;
const Feed redhat_feed = {
    .name = "redhat",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "CC-BY-4.0",
    .attribution = "Red Hat security data, Red Hat, CC-BY-4.0",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
