// The risk score that orders findings: Grype's published formula
// (https://github.com/anchore/grype, README "Sort by", and its tests of the score).
//
//   risk     = min(threat × severity × exploited, 1) × 100
//   threat   = 1 where CISA's catalog lists the CVE (KEV), else its EPSS probability, else 0
//   severity = the mean of the base scores known and of the severity's own score, over 10; without
//              base scores the severity's own score over 10.
//              Own scores: negligible 0.5, low 3, medium 5, high 7.5, critical 9, unknown 5.
//              Base scores of 0 count as missing.
//   exploited = 1.1 where KEV knows of ransomware that uses it, 1.05 where KEV lists it, else 1
//
// A finding without EPSS and KEV therefore has risk 0: nobody measured its threat.
#pragma once

#include "model/finding.h"

namespace vigil::match {

// From the finding's epss, is_known_exploited, is_ransomware_known, severity and cvss.
struct RiskParts {
  double threat = 0;
  double severity = 0;
  double exploited = 1;
  bool operator==(const RiskParts&) const = default;
};
RiskParts risk_parts(const Finding& finding);
double risk_of(const Finding& finding);  // 0 to 100.

}  // namespace vigil::match
