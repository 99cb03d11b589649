// From all findings to those that matter: what is in use, can be exploited and can be reached. What
// is not known to be in use or not is a number of its own at each step. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"

namespace vigil::report {

// An EPSS from which a finding counts as likely to be exploited: about one CVE in twenty has it.
constexpr double kExploitableEpss = 0.1;

// Known to be exploited (KEV), or an EPSS of kExploitableEpss or more.
bool is_exploitable(const Finding& finding);

// Of the finding's package; null in a report of nothing that was watched.
const PackageExposure* use_of(const Report& report, const Finding& finding);
// kUnknown where nothing was watched.
UseVerdict use_verdict(const Report& report, const Finding& finding);

struct FunnelStep {
  std::string_view name;   // "all", "fixable", "in_use", "in_use_exploitable", "…_exposed".
  std::string_view label;  // For people.
  size_t count = 0;
  size_t fixable_count = 0;  // Of `count`.
  size_t unknown_count = 0;  // May belong here: nobody knows whether they are in use.
};
// Each step is a part of the one before, but for `fixable`, which is a part of all only: what is in
// use and has no fix matters, too.
std::vector<FunnelStep> funnel_of(const Report& report);

// Findings in the order in which they matter: in use, exploitable and exposed first; then unknown;
// not observed last; else as the report has them. Indices into Report::findings.
std::vector<size_t> by_exposure(const Report& report);

}  // namespace vigil::report
