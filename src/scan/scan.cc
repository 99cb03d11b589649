#include "scan/scan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
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
  std::ranges::move(match::expired_texts(options.ignore_rules, options.now),
                    std::back_inserter(outcome.notes));
  std::ranges::move(found.gaps, std::back_inserter(report.sbom.gaps));
  report.database = std::move(found.database);
  report.end_of_life = std::move(found.end_of_life);
  // From here the Report is fixed.
  return outcome;
}

}  // namespace vigil::scan
