#include "report/funnel.h"

#include <gtest/gtest.h>

namespace vigil::report {
namespace {

struct Case {
  UseVerdict verdict;
  uint8_t facets;
  bool has_fix;
  bool is_known_exploited;
  double epss;
};

// One finding in a package of its own for each case.
Report report_of(const std::vector<Case>& cases) {
  Report report;
  report.exposure.emplace();
  for (const Case& one : cases) {
    const auto package = static_cast<uint32_t>(report.findings.size());
    Finding& finding = report.findings.emplace_back();
    finding.package = package;
    if (one.has_fix) finding.fixed_versions = {"2"};
    if (one.has_fix) finding.state = FixState::kFixed;
    finding.is_known_exploited = one.is_known_exploited;
    finding.epss = one.epss;
    PackageExposure& use = report.exposure->packages.emplace_back();
    use.package = package;
    use.verdict = one.verdict;
    use.facets = one.facets;
  }
  return report;
}

const std::vector<Case> kCases = {
    {UseVerdict::kNotObserved, 0, true, true, 0.9},
    {UseVerdict::kUnknown, 0, true, false, 0.01},
    {UseVerdict::kUnknown, 0, false, true, -1},
    {UseVerdict::kInUse, Facet::kListening, true, false, 0.0999},
    {UseVerdict::kInUse, Facet::kListening, false, false, kExploitableEpss},
    {UseVerdict::kInUse, Facet::kListening | Facet::kExposed, true, true, -1},
    {UseVerdict::kInUse, Facet::kExposed, false, false, -1},
};

TEST(Funnel, CountsEachStepAndWhatIsUnknown) {
  std::vector<std::string> told;
  for (const FunnelStep& step : funnel_of(report_of(kCases))) {
    told.push_back(std::string(step.name) + " " + std::to_string(step.count) + " fixable " +
                   std::to_string(step.fixable_count) + " unknown " +
                   std::to_string(step.unknown_count));
  }
  EXPECT_EQ(told, (std::vector<std::string>{
                      "all 7 fixable 4 unknown 2", "fixable 4 fixable 4 unknown 1",
                      "in_use 4 fixable 2 unknown 2", "in_use_exploitable 2 fixable 1 unknown 1",
                      "in_use_exploitable_exposed 1 fixable 1 unknown 1"}));
}

TEST(Funnel, WithoutEvidenceEverythingIsUnknown) {
  Report report = report_of(kCases);
  report.exposure.reset();
  const std::vector<FunnelStep> steps = funnel_of(report);
  EXPECT_EQ(steps[0].unknown_count, 7u);
  EXPECT_EQ(steps[2].count, 0u);
  EXPECT_EQ(steps[2].unknown_count, 7u);
  EXPECT_EQ(use_verdict(report, report.findings[0]), UseVerdict::kUnknown);
}

TEST(Funnel, WhatMattersComesFirst) {
  EXPECT_EQ(by_exposure(report_of(kCases)), (std::vector<size_t>{5, 4, 6, 3, 2, 1, 0}));
}

}  // namespace
}  // namespace vigil::report
