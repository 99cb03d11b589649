#include "scan/scan.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/check.h"
#include "match/match.h"

namespace vigil::scan {

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
    found = TRY(match::match_sbom(report.sbom, *database,
                                  {.now = options.now, .threads_count = options.threads_count}));
  }
  CHECK(found.verdicts.size() == report.sbom.packages.size());
  report.verdicts = std::move(found.verdicts);
  report.findings = std::move(found.findings);
  report.notices = std::move(found.notices);
  std::ranges::move(found.gaps, std::back_inserter(report.sbom.gaps));
  report.database = std::move(found.database);
  report.end_of_life = std::move(found.end_of_life);
  // From here the Report is fixed.
  return outcome;
}

}  // namespace vigil::scan
