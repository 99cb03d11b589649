#include "model/severity.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vigil {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kUnknown:
      return "unknown";
    case Severity::kNegligible:
      return "negligible";
    case Severity::kLow:
      return "low";
    case Severity::kMedium:
      return "medium";
    case Severity::kHigh:
      return "high";
    case Severity::kCritical:
      return "critical";
  }
  return "unknown";
}

std::optional<Severity> parse_severity(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, Severity>, 9> kWords = {{
      {"unknown", Severity::kUnknown},
      {"none", Severity::kNegligible},
      {"negligible", Severity::kNegligible},
      {"low", Severity::kLow},
      {"medium", Severity::kMedium},
      {"moderate", Severity::kMedium},
      {"high", Severity::kHigh},
      {"important", Severity::kHigh},
      {"critical", Severity::kCritical},
  }};
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  for (const auto& [known, severity] : kWords) {
    if (known == lower) return severity;
  }
  return std::nullopt;
}

}  // namespace vigil
