#include "match/risk.h"

#include <algorithm>
#include <cmath>

namespace vigil::match {

namespace {

double own_score(Severity severity) {
  switch (severity) {
    case Severity::kUnknown:
      return 5.0;
    case Severity::kNegligible:
      return 0.5;
    case Severity::kLow:
      return 3.0;
    case Severity::kMedium:
      return 5.0;
    case Severity::kHigh:
      return 7.5;
    case Severity::kCritical:
      return 9.0;
  }
  return 5.0;
}

double severity_of_finding(const Finding& finding) {
  double sum = 0;
  int count = 0;
  for (const Cvss& cvss : finding.cvss) {
    if (cvss.score <= 0) continue;
    sum += cvss.score;
    ++count;
  }
  const double own = own_score(finding.severity);
  return (count == 0 ? own : (sum / count + own) / 2) / 10;
}

}  // namespace

RiskParts risk_parts(const Finding& finding) {
  return {
      .threat = finding.is_known_exploited ? 1.0 : std::max(finding.epss, 0.0),
      .severity = severity_of_finding(finding),
      .exploited = finding.is_ransomware_known ? 1.1 : (finding.is_known_exploited ? 1.05 : 1.0)};
}

double risk_of(const Finding& finding) {
  const RiskParts parts = risk_parts(finding);
  const double risk = std::min(parts.threat * parts.severity * parts.exploited, 1.0) * 100;
  return std::round(risk * 1e6) / 1e6;  // Without the noise of binary fractions.
}

}  // namespace vigil::match
