// Severities, CVSS vectors and their scores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil {

enum class Severity : uint8_t {
  kUnknown = 0,
  kNegligible = 1,
  kLow = 2,
  kMedium = 3,
  kHigh = 4,
  kCritical = 5,
};
std::string_view to_string(Severity severity);  // "unknown" … "critical".
// Case does not matter; "none" is negligible, "moderate" medium, "important" high.
std::optional<Severity> parse_severity(std::string_view word);

// A CVSS vector of any version with its base score.
struct Cvss {
  std::string vector;   // As published: "CVSS:3.1/AV:N/…", "AV:N/AC:L/…" (version 2).
  std::string version;  // "2.0", "3.0", "3.1", "4.0".
  double score = 0;     // 0.0 to 10.0, one decimal. For 4.0 the score of the metrics given.
  std::string source;   // Who scored it: "nvd", "cisa-adp", "ghsa", …; "" where not said.
  bool operator==(const Cvss&) const = default;
};

// Scores a vector as FIRST's specifications say (CVSS v2.0 §3, v3.0 and v3.1 §7, v4.0 §8 with the
// MacroVector table). Which score the text asks for: v2 and v3 vectors with temporal or
// environmental metrics get the base score; see cvss.cc. Hostile input: unknown, repeated, missing
// and out-of-order metrics are kMalformed where the specification says so.
Result<Cvss> parse_cvss(std::string_view vector);

// The specifications' own bands: 0 negligible, to 3.9 low, to 6.9 medium, to 8.9 high, else
// critical. Version 2 has no critical and no none (NVD's bands).
Severity severity_of(const Cvss& cvss);

}  // namespace vigil
