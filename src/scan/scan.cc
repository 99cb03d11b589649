#include "scan/scan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/ticker.h"
#include "match/match.h"

namespace vigil::scan {

namespace {

Result<match::MatchOutput> match_report(const Report& report, const advisory::Database& database,
                                        const ScanOptions& options) {
  match::MatchOptions matching = {.now = options.now, .threads_count = options.threads_count};
  if (!options.match_progress) return match::match_sbom(report.sbom, database, matching);
  constexpr std::chrono::milliseconds kBetweenLooks(100);
  uint64_t judged_count = 0;
  matching.judged_count = &judged_count;
  std::optional<Ticker> ticker(std::in_place, kBetweenLooks, [&] {
    options.match_progress(std::atomic_ref(judged_count).load(), report.sbom.packages.size());
  });
  Result<match::MatchOutput> found = match::match_sbom(report.sbom, database, matching);
  ticker.reset();
  options.match_progress(0, 0);
  return found;
}

// What a finding is about, whatever the version.
using FindingName = std::tuple<std::string_view, std::string_view, std::string_view>;

FindingName name_of(const Report& report, const Finding& finding) {
  const Package& package = report.sbom.packages[finding.package];
  return {finding.id, package.name, package.arch};
}

// Those of `report` that `other` has not.
std::vector<FindingOfOne> only_in(const Report& report, const Report& other) {
  std::set<FindingName> others;
  for (const Finding& finding : other.findings) others.insert(name_of(other, finding));
  std::vector<FindingOfOne> only;
  for (const Finding& finding : report.findings) {
    if (others.contains(name_of(report, finding))) continue;
    const Package& package = report.sbom.packages[finding.package];
    only.push_back({finding.id, package.name, package.version, finding.severity});
  }
  return only;
}

// The image of a running root, matched and set aside as the root is.
Status compare_findings(Report& report, Sbom image, const advisory::Database& database,
                        const ScanOptions& options) {
  Report of_image;
  of_image.sbom = std::move(image);
  match::MatchOutput found = TRY(match::match_sbom(
      of_image.sbom, database, {.now = options.now, .threads_count = options.threads_count}));
  of_image.findings = std::move(found.findings);
  match::set_aside(options.ignore_rules, of_image, options.now);
  report.live_root->image_findings_count = static_cast<int64_t>(of_image.findings.size());
  report.live_root->findings_come = only_in(report, of_image);
  report.live_root->findings_gone = only_in(of_image, report);
  return {};
}

}  // namespace

Result<ScanOutcome> run_scan(const ScanOptions& options) {
  ScanOutcome outcome = TRY(run_sbom(options));
  Report& report = outcome.report;
  // From here threads may run: the parsing child is gone.
  if (options.update) {
    const Phase phase(outcome.phases, "update database");
    TRY(options.update());
  }
  std::unique_ptr<advisory::Database> database;
  {
    const Phase phase(outcome.phases, "open database");
    database = TRY(advisory::open_database(options.database));
  }
  match::MatchOutput found;
  {
    const Phase phase(outcome.phases, "match");
    found = TRY(match_report(report, *database, options));
  }
  CHECK(found.verdicts.size() == report.sbom.packages.size());
  report.verdicts = std::move(found.verdicts);
  report.findings = std::move(found.findings);
  report.notices = std::move(found.notices);
  match::set_aside(options.ignore_rules, report, options.now);
  if (outcome.image) {
    const Phase phase(outcome.phases, "match image");
    TRY(compare_findings(report, *std::move(outcome.image), *database, options));
    outcome.image.reset();
  }
  std::ranges::move(match::expired_texts(options.ignore_rules, options.now),
                    std::back_inserter(outcome.notes));
  std::ranges::move(found.gaps, std::back_inserter(report.sbom.gaps));
  report.database = std::move(found.database);
  report.end_of_life = std::move(found.end_of_life);
  // From here the Report is fixed.
  return outcome;
}

}  // namespace vigil::scan
