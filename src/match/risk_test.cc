#include "match/risk.h"

#include <gtest/gtest.h>

namespace vigil::match {
namespace {

Finding finding(Severity severity, double epss, std::vector<double> scores) {
  Finding out;
  out.severity = severity;
  out.epss = epss;
  for (const double score : scores) {
    Cvss cvss;
    cvss.score = score;
    out.cvss.push_back(cvss);
  }
  return out;
}

TEST(RiskTest, WithoutEpssAndKevThereIsNoThreat) {
  EXPECT_EQ(risk_of(finding(Severity::kHigh, -1, {7.5})), 0);
  EXPECT_EQ(risk_of(Finding()), 0);
}

// The values are those of Grype's own tests of its score.
TEST(RiskTest, EqualsGrypesExamples) {
  EXPECT_NEAR(risk_of(finding(Severity::kHigh, 0.5, {7.5})), 37.5, 1e-9);
  EXPECT_NEAR(risk_of(finding(Severity::kCritical, 0.8, {})), 72, 1e-9);
  EXPECT_NEAR(risk_of(finding(Severity::kMedium, 0.6, {6.5, 5.5})), 33, 1e-9);
  EXPECT_NEAR(risk_of(finding(Severity::kMedium, 0.4, {0, 6.0})), 22, 1e-9);
  EXPECT_NEAR(risk_of(finding(Severity::kUnknown, 0.3, {})), 15, 1e-9);
}

TEST(RiskTest, KnownExploitationIsCertainThreat) {
  Finding exploited = finding(Severity::kHigh, 0.1, {7.5});
  exploited.is_known_exploited = true;
  EXPECT_NEAR(risk_of(exploited), 78.75, 1e-9);
  exploited.is_ransomware_known = true;
  EXPECT_NEAR(risk_of(exploited), 82.5, 1e-9);
}

TEST(RiskTest, NeverPassesOneHundred) {
  Finding worst = finding(Severity::kCritical, 1, {10});
  worst.is_known_exploited = true;
  worst.is_ransomware_known = true;
  EXPECT_EQ(risk_of(worst), 100);
}

}  // namespace
}  // namespace vigil::match
