// The ends of life of Debian's and Ubuntu's releases, from distro-info-data.
#include <algorithm>
#include <map>
#include <vector>

#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"eol/debian.csv", "eol/ubuntu.csv"};

constexpr FeedAddress kAddresses[] = {
    {"https://salsa.debian.org/debian/distro-info-data/-/raw/main/{distro}.csv", "eol/{distro}.csv",
     "debian,ubuntu"},
};

// The cells of a line. distro-info-data quotes nothing.
std::vector<std::string_view> cells_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> cells;
  while (true) {
    const size_t end = line.find(',');
    cells.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

// The columns after "eol" that still bring updates to everybody or to subscribers: LTS, ESM and
// the server releases of old. ELTS and legacy support are products of their own for which no
// advisories are read.
constexpr std::string_view kExtendedColumns[] = {"eol-lts", "eol-server", "eol-esm"};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  const std::string distro = file.path.ends_with("ubuntu.csv") ? "ubuntu" : "debian";
  std::map<std::string_view, size_t> columns;
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::vector<std::string_view> cells = cells_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (columns.empty()) {
      for (size_t i = 0; i < cells.size(); ++i) columns.emplace(cells[i], i);
      if (!columns.contains("version") || !columns.contains("series") || !columns.contains("eol")) {
        return fail(ErrorCode::kMalformed, "a table of releases without its columns");
      }
      continue;
    }
    const auto cell = [&](std::string_view column) -> std::string_view {
      const auto found = columns.find(column);
      return found == columns.end() || found->second >= cells.size() ? "" : cells[found->second];
    };
    if (cells.size() == 1 && cells[0].empty()) continue;
    std::string_view release = cell("version");
    // The rows of sid and experimental have no version and no end.
    if (release.empty()) continue;
    release = release.substr(0, release.find(' '));  // "20.04 LTS".
    if (release.ends_with(".0") && distro == "debian" && release != "2.0" && release != "3.0") {
      release.remove_suffix(2);  // "6.0": from etch on the first number alone is the release.
    }
    ReleaseLife life;
    life.distro = distro;
    life.release = release;
    life.codename = cell("series");
    life.released_at = parse_time_or_zero(cell("release"));
    life.end_of_life_at = parse_time_or_zero(cell("eol"));
    for (const std::string_view column : kExtendedColumns) {
      life.end_of_extended_life_at =
          std::max(life.end_of_extended_life_at, parse_time_or_zero(cell(column)));
    }
    if (life.codename.empty()) {
      sink.skip("eol: a release without a codename");
      continue;
    }
    sink.add_release(std::move(life));
  }
  return {};
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
