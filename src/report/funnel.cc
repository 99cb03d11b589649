#include "report/funnel.h"

#include <algorithm>
#include <numeric>

#include "report/summary.h"

namespace vigil::report {

namespace {

bool is_exposed(const PackageExposure* use) {
  return use != nullptr && (use->facets & Facet::kExposed) != 0;
}

}  // namespace

bool is_exploitable(const Finding& finding) {
  return finding.is_known_exploited || finding.epss >= kExploitableEpss;
}

const PackageExposure* use_of(const Report& report, const Finding& finding) {
  if (!report.exposure || finding.package >= report.exposure->packages.size()) return nullptr;
  return &report.exposure->packages[finding.package];
}

UseVerdict use_verdict(const Report& report, const Finding& finding) {
  const PackageExposure* use = use_of(report, finding);
  return use == nullptr ? UseVerdict::kUnknown : use->verdict;
}

std::vector<FunnelStep> funnel_of(const Report& report) {
  std::vector<FunnelStep> steps = {
      {.name = "all", .label = "all findings"},
      {.name = "fixable", .label = "with a fix"},
      {.name = "in_use", .label = "in use"},
      {.name = "in_use_exploitable", .label = "and exploitable"},
      {.name = "in_use_exploitable_exposed", .label = "and exposed"},
  };
  for (const Finding& finding : report.findings) {
    const UseVerdict verdict = use_verdict(report, finding);
    const bool is_used = verdict == UseVerdict::kInUse;
    const bool may_be_used = verdict == UseVerdict::kUnknown;
    const bool can_be_exploited = is_exploitable(finding);
    const bool is_reached = is_exposed(use_of(report, finding));
    const bool is_in[] = {true, is_fixable(finding), is_used, is_used && can_be_exploited,
                          is_used && can_be_exploited && is_reached};
    const bool may_be_in[] = {may_be_used, may_be_used && is_fixable(finding), may_be_used,
                              may_be_used && can_be_exploited, may_be_used && can_be_exploited};
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].count += is_in[i];
      steps[i].fixable_count += is_in[i] && is_fixable(finding);
      steps[i].unknown_count += may_be_in[i];
    }
  }
  return steps;
}

std::vector<size_t> by_exposure(const Report& report) {
  const auto rank = [&](size_t index) {
    const Finding& finding = report.findings[index];
    const bool can_be_exploited = is_exploitable(finding);
    switch (use_verdict(report, finding)) {
      case UseVerdict::kInUse:
        return (can_be_exploited ? 0 : 2) + (is_exposed(use_of(report, finding)) ? 0 : 1);
      case UseVerdict::kUnknown:
        return can_be_exploited ? 4 : 5;
      case UseVerdict::kNotObserved:
        return can_be_exploited ? 6 : 7;
    }
    return 7;
  };
  std::vector<size_t> order(report.findings.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, rank);
  return order;
}

}  // namespace vigil::report
