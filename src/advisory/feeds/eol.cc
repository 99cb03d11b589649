// The ends of life of Debian's and Ubuntu's releases, from distro-info-data.
#include "advisory/feed.h"
#include "advisory/release_table.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"eol/debian.csv", "eol/ubuntu.csv"};

constexpr FeedAddress kAddresses[] = {
    {"https://salsa.debian.org/debian/distro-info-data/-/raw/main/{distro}.csv", "eol/{distro}.csv",
     "debian,ubuntu"},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  return add_release_table(text, file.path.ends_with("ubuntu.csv") ? "ubuntu" : "debian", sink);
}

}  // namespace

extern const Feed eol_feed;
const Feed eol_feed = {
    .name = "eol",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "ISC",
    .attribution = "distro-info-data, the Debian and Ubuntu developers, ISC",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
