// The Debian security tracker's JSON: every known issue of every source package, by release.
#include "advisory/debian.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {
    "debian/tracker.json",
    "debian/tracker.json.gz",
    "debian/json",
    "debian/json.gz",
    "debian/derived/tracker-shaped-*.json.gz",
};

constexpr FeedAddress kAddresses[] = {
    {"https://security-tracker.debian.org/tracker/data/json", "debian/tracker.json", ""},
};

// The date in the name of a derived file; the tracker's JSON itself holds none.
UnixSeconds date_in_name(std::string_view path) {
  constexpr size_t kDateBytes = 10;
  for (size_t i = path.rfind('/') + 1; i + kDateBytes <= path.size(); ++i) {
    const UnixSeconds date = parse_time_or_zero(path.substr(i, kDateBytes));
    if (date != 0) return date;
  }
  return 0;
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  FeedFile stated = file;
  // The file made from changelogs has the tracker's shape and much less than its content; it must
  // not pass for the whole where nobody says so.
  if (file.path.starts_with("debian/derived/")) {
    stated.coverage = {.is_fixed_only = true, .is_subset = true};
  }
  if (stated.as_of == 0) stated.as_of = date_in_name(file.path);
  return add_debian_tracker(text, stated, sink);
}

}  // namespace

extern const Feed debian_tracker_feed;
const Feed debian_tracker_feed = {
    .name = "debian-tracker",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "facts; no licence stated",
    .attribution = "Debian Security Tracker, https://security-tracker.debian.org",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
