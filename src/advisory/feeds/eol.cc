// The ends of life of releases: Debian's and Ubuntu's from distro-info-data, Alpine's from its own
// list.
#include "advisory/feed.h"
#include "advisory/release_table.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"eol/alpine.json", "eol/debian.csv", "eol/ubuntu.csv"};

constexpr FeedAddress kAddresses[] = {
    {"https://alpinelinux.org/releases.json", "eol/alpine.json", ""},
    {"https://salsa.debian.org/debian/distro-info-data/-/raw/main/{distro}.csv", "eol/{distro}.csv",
     "debian,ubuntu"},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  if (file.path.ends_with(".json")) return add_alpine_releases(text, sink);
  return add_release_table(text, file.path.ends_with("ubuntu.csv") ? "ubuntu" : "debian", sink);
}

}  // namespace

extern const Feed eol_feed;
const Feed eol_feed = {
    .name = "eol",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "ISC; Alpine's dates are facts",
    .attribution =
        "distro-info-data, the Debian and Ubuntu developers, ISC; "
        "Alpine Linux, https://alpinelinux.org/releases",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
