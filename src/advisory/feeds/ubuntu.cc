// The Ubuntu CVE tracker, as an archive or as its own folders. It knows unfixed issues too.
#include <algorithm>

#include "advisory/feed.h"
#include "advisory/ubuntu.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {
    "ubuntu/ubuntu-cve-tracker-*.tar.*",
    "ubuntu/active/CVE-*",
    "ubuntu/retired/CVE-*",
};

constexpr FeedAddress kAddresses[] = {
    {"https://git.launchpad.net/ubuntu-cve-tracker/snapshot/ubuntu-cve-tracker-master.tar.gz",
     "ubuntu/ubuntu-cve-tracker-master.tar.gz", ""},
};

// The folder of a member, without what lies above it: "active" of "x/active/CVE-2024-0001".
std::string_view folder_of(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return "";
  const std::string_view folder = name.substr(0, slash);
  return folder.substr(folder.rfind('/') + 1);
}

bool is_cve_file(std::string_view name) {
  return name.substr(name.rfind('/') + 1).starts_with("CVE-");
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  std::set<std::string> shards;
  UnixSeconds newest = 0;
  if (!is_cve_file(file.path)) {
    TRY(decode::each_member(file.absolute_path,
                            [&](std::string_view name, std::string_view content) -> Status {
                              if (!is_cve_file(name)) return {};
                              const std::string_view folder = folder_of(name);
                              if (folder == "active" || folder == "retired") {
                                newest = std::max(newest, add_ubuntu_cve(content, shards, sink));
                              } else if (folder == "ignored") {
                                // What the security team found to be no vulnerability, or none of
                                // Ubuntu's.
                                sink.skip("ubuntu: a file of the folder ignored");
                              }
                              return {};
                            }));
  } else {
    const std::string text =
        TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
    newest = add_ubuntu_cve(text, shards, sink);
  }
  for (const std::string& shard : shards) {
    sink.add_source(shard, "ubuntu", file.coverage, file.as_of != 0 ? file.as_of : newest);
  }
  return {};
}

}  // namespace

extern const Feed ubuntu_feed;
const Feed ubuntu_feed = {
    .name = "ubuntu",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "no licence file; Canonical's OSV form of it is CC-BY-SA-4.0: share-alike",
    .attribution = "Ubuntu CVE Tracker, Canonical Ltd.",
    .is_embeddable = false,
    .parse = parse,
};

}  // namespace vigil::advisory
