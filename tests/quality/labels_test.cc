// goldens/vulnerability-match-labels: what people judged to be true and false matches. The labels
// carry image, package and version only: images.tsv says which distribution an image is of, and by
// which evidence; rows without such evidence are counted apart and never guessed. They name binary
// packages and no source; the sources of Debian's and Ubuntu's are taken from the Sources indexes
// of the feeds. A row is covered where the feed has a record of that CVE for its source or name.
// report.tsv is the result; floors.tsv holds the recall and precision below which this test fails,
// and only rises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "base/json.h"
#include "decode/archive.h"
#include "golden_database.h"
#include "match/match.h"
#include "match/matcher.h"

namespace vigil::goldens {
namespace {

const std::string kFolder = std::string(VIGIL_SOURCE_DIR) + "/tests/quality/";

struct Image {
  std::string distro;
  std::string scope;
};

struct Label {
  std::string distro;
  std::string cve;
  bool is_true = false;
  Package package;
};

struct Tally {
  size_t true_covered = 0;
  size_t true_found = 0;
  size_t true_uncovered = 0;
  size_t false_covered = 0;
  size_t false_reported = 0;
  size_t false_uncovered = 0;

  // Percent with one decimal; "-" where there is nothing to measure.
  std::string recall() const { return share(true_found, true_covered); }
  std::string precision() const { return share(true_found, true_found + false_reported); }

 private:
  static std::string share(size_t part, size_t whole) {
    if (whole == 0) return "-";
    char text[16];
    std::snprintf(text, sizeof text, "%.1f",
                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
    return text;
  }
};

std::vector<std::vector<std::string>> read_table(const std::string& name) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(kFolder + name);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, '\t');) cells.push_back(cell);
    rows.push_back(std::move(cells));
  }
  return rows;
}

bool is_in_scope(std::string_view version, std::string_view scope) {
  // Programs recognised by their content stand among the labels too, with upstream's bare version.
  if (scope == "deb") {
    return version.find('-') != std::string_view::npos ||
           version.find("ubuntu") != std::string_view::npos;
  }
  if (scope != "apk") return version.find(scope) != std::string_view::npos;
  const size_t mark = version.rfind("-r");
  return mark != std::string_view::npos && mark + 2 < version.size() &&
         version.find_first_not_of("0123456789", mark + 2) == std::string_view::npos;
}

PackageKind kind_of(std::string_view distro) {
  if (distro.starts_with("debian") || distro.starts_with("ubuntu")) return PackageKind::kDeb;
  if (distro.starts_with("alpine") || distro.starts_with("wolfi")) return PackageKind::kApk;
  return PackageKind::kRpm;
}

// The source package of each binary, as the security archives of three Debian releases list them.
// Ubuntu builds from the same source packages under the same names.
std::map<std::string, std::string> sources_of_binaries() {
  std::map<std::string, std::string> sources;
  for (const char* suite : {"trixie", "bookworm", "bullseye"}) {
    const Result<std::string> text = decode::read_maybe_compressed(
        feeds_path("debian/security-sources/" + std::string(suite) + "-security/Sources.xz"),
        256 << 20);
    if (!text) continue;
    std::istringstream lines(*text);
    std::string source;
    bool is_binary_field = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Package: ")) source = line.substr(9);
      if (!line.starts_with(" ")) is_binary_field = line.starts_with("Binary: ");
      if (!is_binary_field) continue;
      std::ranges::replace(line, ',', ' ');
      std::istringstream words(line.starts_with(" ") ? line : line.substr(8));
      for (std::string binary; words >> binary;) sources[binary] = source;
    }
  }
  return sources;
}

// Whether the feed speaks of a package of that very name: in older releases it may be a source of
// its own ("gnupg" before it was built from gnupg2).
bool is_known_name(const Label& label) {
  const Result<const advisory::Shard*> shard =
      golden_database()->shard(shard_name(parse_distro(label.distro)));
  if (!shard || *shard == nullptr) return false;
  const Result<std::vector<Advisory>> found = (*shard)->find(label.package.name);
  return found && !found->empty();
}

// What could not be used, by reason.
using Counts = std::map<std::string, size_t>;

std::vector<Label> read_labels(Counts& unused) {
  std::map<std::string, Image> images;
  for (const std::vector<std::string>& row : read_table("images.tsv"))
    images[row[0]] = {row[1], row[2]};
  const std::map<std::string, std::string> sources = sources_of_binaries();
  std::vector<Label> labels;
  JsonDocument document;
  const auto read = [&](std::string_view name, std::string_view content) -> Status {
    if (!name.ends_with(".json")) return {};
    const JsonView json = TRY(document.parse(content));
    const std::string_view exact = json["image"]["exact"].text();
    const auto image = images.find(std::string(exact.substr(exact.find('@') + 1)));
    const std::string_view verdict = json["label"].text();
    const std::string_view version = json["package"]["version"].text();
    if (verdict != "TP" && verdict != "FP") {
      ++unused["unsure"];
    } else if (version.empty()) {
      ++unused["no package"];
    } else if (image == images.end()) {
      ++unused["image without a proven distribution"];
    } else if (!is_in_scope(version, image->second.scope)) {
      ++unused["row not proven to be a package of the distribution"];
    } else {
      Label label;
      label.distro = image->second.distro;
      label.cve = json["effective_cve"].text(json["vulnerability_id"].text());
      label.is_true = verdict == "TP";
      label.package.kind = kind_of(label.distro);
      label.package.name = json["package"]["name"].text();
      label.package.version = version;
      label.package.distro = label.distro;
      const auto source = sources.find(label.package.name);
      const bool is_mapped = label.package.kind == PackageKind::kDeb && source != sources.end() &&
                             !is_known_name(label);
      if (is_mapped) {
        // A rebuild's suffix is the binary's alone.
        label.package.source = {source->second, std::string(version.substr(0, version.find("+b")))};
      }
      labels.push_back(std::move(label));
    }
    return {};
  };
  EXPECT_TRUE(decode::each_member(feeds_path("goldens/vulnerability-match-labels.tar.xz"), read)
                  .has_value());
  return labels;
}

bool is_covered(const Label& label) {
  const Distro distro = parse_distro(label.distro);
  const match::Matcher* matcher = match::find_matcher(label.package, distro);
  if (matcher == nullptr) return false;
  const match::Plan plan = matcher->plan(label.package, distro);
  const Result<const advisory::Shard*> shard = golden_database()->shard(plan.shard);
  if (!shard || *shard == nullptr) return false;
  for (const match::Lookup& lookup : plan.lookups) {
    const Result<std::vector<Advisory>> found = (*shard)->find(lookup.name);
    if (!found) return false;
    for (const Advisory& advisory : *found) {
      if (std::ranges::find(advisory.cves, label.cve) != advisory.cves.end()) return true;
    }
  }
  return false;
}

std::map<std::string, Tally> tally_of(const std::vector<Label>& labels) {
  std::map<std::string, Tally> tallies;
  Sbom sbom;
  for (const Label& label : labels) sbom.packages.push_back(label.package);
  const Result<match::MatchOutput> output = match::match_sbom(sbom, *golden_database(), {});
  EXPECT_TRUE(output.has_value());
  std::set<std::pair<uint32_t, std::string>> found;
  if (output) {
    for (const Finding& finding : output->findings) found.emplace(finding.package, finding.id);
  }
  for (uint32_t i = 0; i < labels.size(); ++i) {
    const Label& label = labels[i];
    Tally& tally = tallies[label.distro];
    const bool is_found = found.contains({i, label.cve});
    if (!is_covered(label)) {
      ++(label.is_true ? tally.true_uncovered : tally.false_uncovered);
    } else if (label.is_true) {
      ++tally.true_covered;
      tally.true_found += is_found;
    } else {
      ++tally.false_covered;
      tally.false_reported += is_found;
    }
  }
  return tallies;
}

std::string report_of(const std::map<std::string, Tally>& tallies, const Counts& unused) {
  std::string out =
      "# distribution\ttrue, covered\tfound\trecall %\ttrue, uncovered\tfalse, covered\treported\t"
      "precision %\tfalse, uncovered\n";
  for (const auto& [distro, one] : tallies) {
    out += distro + "\t" + std::to_string(one.true_covered) + "\t" +
           std::to_string(one.true_found) + "\t" + one.recall() + "\t" +
           std::to_string(one.true_uncovered) + "\t" + std::to_string(one.false_covered) + "\t" +
           std::to_string(one.false_reported) + "\t" + one.precision() + "\t" +
           std::to_string(one.false_uncovered) + "\n";
  }
  for (const auto& [reason, count] : unused) {
    out += "# not attributed: " + reason + ": " + std::to_string(count) + "\n";
  }
  return out;
}

TEST(LabelsTest, RecallAndPrecisionStayAboveTheirFloors) {
  if (feeds_path("goldens/vulnerability-match-labels.tar.xz").empty()) {
    GTEST_SKIP() << "the match labels are not here: recall and precision cannot be measured";
  }
  ASSERT_NE(golden_database(), nullptr);
  Counts unused;
  const std::vector<Label> labels = read_labels(unused);
  ASSERT_GT(labels.size(), 0u);
  const std::map<std::string, Tally> tallies = tally_of(labels);
  const std::string report = report_of(tallies, unused);
  if (std::getenv("VIGIL_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(kFolder + "report.tsv") << report;
  }
  std::ifstream file(kFolder + "report.tsv");
  EXPECT_EQ(report, std::string(std::istreambuf_iterator<char>(file), {}));
  for (const std::vector<std::string>& floor : read_table("floors.tsv")) {
    const auto found = tallies.find(floor[0]);
    ASSERT_NE(found, tallies.end()) << floor[0];
    EXPECT_GE(std::stod(found->second.recall()), std::stod(floor[1])) << floor[0];
    EXPECT_GE(std::stod(found->second.precision()), std::stod(floor[2])) << floor[0];
  }
}

}  // namespace
}  // namespace vigil::goldens
