#include "scan/scan.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/check.h"
#include "match/match.h"

namespace vigil::scan {

namespace {

// Applies the ignore rules; those that have expired are noted.
void set_aside(std::vector<Finding> findings, std::vector<Finding> notices,
               const ScanOptions& options, ScanOutcome& outcome) {
  Report& report = outcome.report;
  for (const match::IgnoreRule& rule : options.ignore_rules) {
    if (!match::is_expired(rule, options.now)) continue;
    outcome.notes.push_back(rule.place + ": this rule expired on " + format_date(rule.expires_at) +
                            " and no longer applies");
  }
  match::IgnoreOutcome of_findings = match::apply_ignore_rules(
      options.ignore_rules, std::move(findings), report.sbom, options.now);
  match::IgnoreOutcome of_notices =
      match::apply_ignore_rules(options.ignore_rules, std::move(notices), report.sbom, options.now);
  report.findings = std::move(of_findings.kept);
  report.notices = std::move(of_notices.kept);
  report.suppressed = std::move(of_findings.suppressed);
  std::ranges::move(of_notices.suppressed, std::back_inserter(report.suppressed));
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
    found = TRY(match::match_sbom(report.sbom, *database,
                                  {.now = options.now, .threads_count = options.threads_count}));
  }
  CHECK(found.verdicts.size() == report.sbom.packages.size());
  report.verdicts = std::move(found.verdicts);
  set_aside(std::move(found.findings), std::move(found.notices), options, outcome);
  std::ranges::move(found.gaps, std::back_inserter(report.sbom.gaps));
  report.database = std::move(found.database);
  report.end_of_life = std::move(found.end_of_life);
  // From here the Report is fixed.
  return outcome;
}

}  // namespace vigil::scan
