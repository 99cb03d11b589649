// Gates: what makes a scan fail. Apart from what is shown; notices never fail one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/finding.h"

namespace vigil::scan {

enum class GateKind : uint8_t { kSeverity, kUnknown, kKnownExploited, kFixable, kEpss, kRisk };

struct Gate {
  GateKind kind = GateKind::kSeverity;
  Severity severity = Severity::kUnknown;  // kSeverity: this or a higher one.
  double threshold = 0;                    // kEpss (0 to 1), kRisk (0 to 100): this or more.
  bool is_in_use_only = false;             // Findings that are in use, or may be.
  std::string text;                        // As written.
};

// "high", "unknown", "kev", "fixable", "epss>=0.5", "risk>=50", "any" (every finding); "in-use" and
// "in-use:high", with any of those; several in one text with commas.
Result<std::vector<Gate>> parse_gates(std::string_view text);

// An unknown use counts as use.
bool fails(const Gate& gate, const Finding& finding, UseVerdict use);
// Findings that fail any of the gates. Where nothing was watched, every use is unknown.
size_t failing_count(std::span<const Gate> gates, const Report& report);

}  // namespace vigil::scan
