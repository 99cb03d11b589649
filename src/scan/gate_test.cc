#include "scan/gate.h"

#include <gtest/gtest.h>

namespace vigil::scan {
namespace {

Finding finding(Severity severity) {
  Finding one;
  one.severity = severity;
  return one;
}

bool fails_at(std::string_view gates, const Finding& one) {
  const Result<std::vector<Gate>> parsed = parse_gates(gates);
  EXPECT_TRUE(parsed) << parsed.error().text();
  Report report;
  report.findings = {one};
  return parsed && failing_count(*parsed, report) == 1;
}

std::string error_of(std::string_view gates) {
  const Result<std::vector<Gate>> parsed = parse_gates(gates);
  return parsed ? "none" : parsed.error().text();
}

TEST(Gate, ASeverityFailsItAndThoseAbove) {
  EXPECT_FALSE(fails_at("high", finding(Severity::kMedium)));
  EXPECT_TRUE(fails_at("high", finding(Severity::kHigh)));
  EXPECT_TRUE(fails_at("High", finding(Severity::kCritical)));
  EXPECT_TRUE(fails_at("negligible", finding(Severity::kNegligible)));
}

TEST(Gate, UnknownIsNoSeverityButAGateOfItsOwn) {
  EXPECT_FALSE(fails_at("negligible", finding(Severity::kUnknown)));
  EXPECT_TRUE(fails_at("unknown", finding(Severity::kUnknown)));
  EXPECT_TRUE(fails_at("Unknown", finding(Severity::kUnknown)));
  EXPECT_FALSE(fails_at("unknown", finding(Severity::kCritical)));
  EXPECT_TRUE(fails_at("any", finding(Severity::kUnknown)));
}

TEST(Gate, FactsAndScores) {
  Finding one = finding(Severity::kLow);
  EXPECT_FALSE(fails_at("kev", one));
  EXPECT_FALSE(fails_at("fixable", one));
  EXPECT_FALSE(fails_at("epss>=0", one)) << "not scored";
  EXPECT_FALSE(fails_at("risk>=0.1", one));
  one.is_known_exploited = true;
  one.fixed_versions = {"2"};
  one.epss = 0.25;
  one.risk = 10.5;
  EXPECT_TRUE(fails_at("kev", one));
  EXPECT_TRUE(fails_at("fixable", one));
  EXPECT_TRUE(fails_at("epss>=0.25", one));
  EXPECT_FALSE(fails_at("epss>=0.26", one));
  EXPECT_TRUE(fails_at("risk>=10", one));
  EXPECT_FALSE(fails_at("risk>=11", one));
}

TEST(Gate, SeveralFailWhereAnyDoes) {
  EXPECT_TRUE(fails_at("critical,unknown", finding(Severity::kUnknown)));
  EXPECT_FALSE(fails_at("critical,unknown", finding(Severity::kHigh)));
}

TEST(Gate, InUseHoldsForWhatMayBeInUse) {
  Report report;
  report.findings = {finding(Severity::kHigh), finding(Severity::kHigh), finding(Severity::kLow)};
  report.findings[1].package = 1;
  report.findings[2].package = 2;
  const auto failing = [&](std::string_view gates) {
    return failing_count(*parse_gates(gates), report);
  };
  EXPECT_EQ(failing("in-use:high"), 2u) << "nobody watched: every use is unknown";
  EXPECT_EQ(failing("in-use"), 3u);
  report.exposure.emplace().packages = {{.package = 0, .verdict = UseVerdict::kNotObserved},
                                        {.package = 1, .verdict = UseVerdict::kInUse},
                                        {.package = 2, .verdict = UseVerdict::kUnknown}};
  EXPECT_EQ(failing("in-use:high"), 1u);
  EXPECT_EQ(failing("in-use"), 2u);
  EXPECT_EQ(failing("in-use:kev"), 0u);
  EXPECT_EQ(failing("high"), 2u);
  EXPECT_EQ(error_of("in-use:"), error_of(""));
}

TEST(Gate, WhatIsNoGateIsSaid) {
  EXPECT_EQ(
      error_of("severe"),
      "'severe' is no gate; there are: negligible, low, medium, high, critical, unknown, kev, "
      "fixable, any, epss>=0.5, risk>=50; before each in-use:, or in-use alone");
  EXPECT_EQ(error_of("epss>=2"), "epss>=2: wants a number from 0 to 1");
  EXPECT_EQ(error_of("epss>=nan"), "epss>=nan: wants a number from 0 to 1");
  EXPECT_EQ(error_of("risk>=x"), "risk>=x: wants a number from 0 to 100");
  EXPECT_NE(error_of("none"), "none");
  EXPECT_NE(error_of("high,"), "none");
}

}  // namespace
}  // namespace vigil::scan
