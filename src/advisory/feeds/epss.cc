// The Exploit Prediction Scoring System: a probability for each CVE, new each day. Of several days
// in the folder the newest counts; its scores stand for themselves, as the model changes.
#include <filesystem>

#include "advisory/cve_facts.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"epss/epss_scores-*.csv.gz", "epss/epss_scores-*.csv"};

constexpr FeedAddress kAddresses[] = {
    {"https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
     "epss/epss_scores-current.csv.gz", ""},
};

Result<std::string> read(const std::string& path) {
  return decode::read_maybe_compressed(path, limits::kDocumentBytesMax);
}

bool is_scores(const std::string& name) {
  return name.starts_with("epss_scores-") && (name.ends_with(".csv") || name.ends_with(".csv.gz"));
}

// Whether another file beside this one has scores that are to be taken instead: those of a later
// day; of one day those of the file that comes last by name.
Result<bool> has_newer(const std::filesystem::path& path, UnixSeconds date) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path.parent_path(), error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path& other = entries->path();
    if (!is_scores(other.filename()) || other.filename() == path.filename()) continue;
    const UnixSeconds other_date = epss_date(TRY(read(other)));
    if (std::pair(other_date, other) > std::pair(date, path)) return true;
  }
  if (error) return fail_errno("cannot list " + path.parent_path().string(), error.value());
  return false;
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text = TRY(read(file.absolute_path));
  if (TRY(has_newer(file.absolute_path, epss_date(text)))) {
    sink.skip("epss: a file of scores beside a newer one");
    return {};
  }
  return add_epss(text, file, sink);
}

}  // namespace

extern const Feed epss_feed;
const Feed epss_feed = {
    .name = "epss",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "free use, attribution asked",
    .attribution = "See EPSS at https://www.first.org/epss",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
