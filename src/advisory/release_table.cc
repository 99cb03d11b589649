#include "advisory/release_table.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

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

class Table {
 public:
  explicit Table(std::string_view header) {
    const std::vector<std::string_view> names = cells_of(header);
    for (size_t i = 0; i < names.size(); ++i) columns_.emplace(names[i], i);
  }

  bool has(std::string_view column) const { return columns_.contains(column); }

  // The cell of that column; "" where the line ends before it or the table has none.
  std::string_view cell(const std::vector<std::string_view>& cells, std::string_view column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() || found->second >= cells.size() ? "" : cells[found->second];
  }

 private:
  std::map<std::string_view, size_t> columns_;
};

// "20.04 LTS" is "20.04"; Debian counts by the first number alone from etch (4.0) on.
std::string release_of(std::string_view version, std::string_view distro) {
  version = version.substr(0, version.find(' '));
  const bool is_whole = version.size() == 3 && version.ends_with(".0") && version[0] >= '4';
  if (distro == "debian" && is_whole) version.remove_suffix(2);
  return std::string(version);
}

// The text up to the next line's end, taken off.
std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

Status add_release_table(std::string_view text, std::string_view distro, AdvisorySink& sink) {
  const Table table(take_line(text));
  if (!table.has("version") || !table.has("series") || !table.has("eol")) {
    return fail(ErrorCode::kMalformed, "a table of releases without its columns");
  }
  while (!text.empty()) {
    const std::vector<std::string_view> cells = cells_of(take_line(text));
    ReleaseLife life;
    life.distro = distro;
    life.release = release_of(table.cell(cells, "version"), distro);
    life.codename = table.cell(cells, "series");
    if (life.release.empty()) continue;
    if (life.codename.empty() ||
        life.release.size() + life.codename.size() > limits::kNameBytesMax) {
      sink.skip("eol: a release without a usable name");
      continue;
    }
    life.released_at = parse_time_or_zero(table.cell(cells, "release"));
    life.end_of_life_at = parse_time_or_zero(table.cell(cells, "eol"));
    for (const std::string_view column : kExtendedColumns) {
      life.end_of_extended_life_at =
          std::max(life.end_of_extended_life_at, parse_time_or_zero(table.cell(cells, column)));
    }
    sink.add_release(std::move(life));
  }
  return {};
}

Status add_alpine_releases(std::string_view json, AdvisorySink& sink) {
  JsonDocument document;
  const JsonView branches = TRY(document.parse(json))["release_branches"];
  if (!branches.is_array()) return fail(ErrorCode::kMalformed, "a list of releases without any");
  branches.each([&](JsonView branch) {
    const std::string_view name = branch["rel_branch"].text();
    ReleaseLife life;
    life.distro = "alpine";
    life.released_at = parse_time_or_zero(branch["branch_date"].text());
    life.end_of_life_at = parse_time_or_zero(branch["eol_date"].text());
    if (name == "edge") return;
    if (!name.starts_with('v') || name.size() > limits::kNameBytesMax || life.end_of_life_at == 0) {
      sink.skip("eol: a branch of Alpine's without a name or an end");
      return;
    }
    life.release = name.substr(1);
    sink.add_release(std::move(life));
  });
  return {};
}

}  // namespace vigil::advisory
