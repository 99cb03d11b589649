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
  double score = 0;     // 0.0 to 10.0, one decimal; of all the metrics given.
  std::string source;   // Who scored it: "nvd", "cisa-adp", "ghsa", …; "" where not said.
  bool operator==(const Cvss&) const = default;
};

// Scores a vector as FIRST's specifications say (CVSS v2.0 §3, v3.0 §8, v3.1 §7, v4.0 §8 with the
// MacroVector table). The score is that of all the metrics in the vector: the environmental score
// where environmental metrics are given, else the temporal (v4.0: threat) score where such are,
// else the base score. Hostile input: an unknown, repeated or missing metric is kMalformed, one out
// of order too in v2.0 and v4.0, whose order is fixed; so is a group of v2.0 that is not whole.
Result<Cvss> parse_cvss(std::string_view vector);

// The two halves of a base score, each 0.0 to 10.0: how easily, and how much. Nothing for v4.0,
// which has no such halves, and for what is no vector. Rounded up to a tenth, as Grype does.
struct CvssHalves {
  double exploitability = 0;
  double impact = 0;
  bool operator==(const CvssHalves&) const = default;
};
std::optional<CvssHalves> cvss_halves(std::string_view vector);

// The vector with its metrics in the order of the specification; kMalformed as above.
Result<std::string> normal_cvss(std::string_view vector);

// The specifications' own bands: 0 negligible, to 3.9 low, to 6.9 medium, to 8.9 high, else
// critical. Version 2 has no critical and no none (NVD's bands).
Severity severity_of(const Cvss& cvss);

}  // namespace vigil
