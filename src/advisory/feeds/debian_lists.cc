// The Debian security team's lists of advisories: DSA (stable), DLA (long-term support) and DTSA
// (testing, up to 2011).
#include "advisory/debian.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {
    "debian/security-tracker/data/DSA/list",
    "debian/security-tracker/data/DLA/list",
    "debian/security-tracker/data/DTSA/list",
};

constexpr FeedAddress kAddresses[] = {
    {"https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data/{list}/"
     "list",
     "debian/security-tracker/data/{list}/list", "DSA,DLA,DTSA"},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  add_debian_list(text, file, sink);
  return {};
}

}  // namespace

extern const Feed debian_lists_feed;
const Feed debian_lists_feed = {
    .name = "debian-lists",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = true, .is_subset = false},
    .licence = "no licence stated; ask",
    .attribution = "Debian Security Tracker, https://security-tracker.debian.org",
    .is_embeddable = false,
    .parse = parse,
};

}  // namespace vigil::advisory
