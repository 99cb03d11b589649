#include "scan/gate.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "report/funnel.h"

namespace vigil::scan {

namespace {

Result<double> threshold_of(std::string_view text, double highest, std::string_view whole) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !(value >= 0) ||
      value > highest) {
    return fail(ErrorCode::kMalformed, std::string(whole) + ": wants a number from 0 to " +
                                           std::to_string(static_cast<int>(highest)));
  }
  return value;
}

Result<Gate> parse_gate(std::string_view text) {
  Gate gate;
  constexpr std::string_view kInUse = "in-use";
  if (text == kInUse || text.starts_with("in-use:")) {
    gate = TRY(parse_gate(text == kInUse ? "any" : text.substr(kInUse.size() + 1)));
    gate.is_in_use_only = true;
    gate.text = text;
    return gate;
  }
  gate.text = text;
  constexpr std::string_view kEpss = "epss>=";
  constexpr std::string_view kRisk = "risk>=";
  if (text == "any") {
    gate.kind = GateKind::kRisk;
    return gate;
  }
  if (text == "kev" || text == "fixable") {
    gate.kind = text == "kev" ? GateKind::kKnownExploited : GateKind::kFixable;
    return gate;
  }
  if (text.starts_with(kEpss)) {
    gate.kind = GateKind::kEpss;
    gate.threshold = TRY(threshold_of(text.substr(kEpss.size()), 1, text));
    return gate;
  }
  if (text.starts_with(kRisk)) {
    gate.kind = GateKind::kRisk;
    gate.threshold = TRY(threshold_of(text.substr(kRisk.size()), 100, text));
    return gate;
  }
  const std::optional<Severity> severity = parse_severity(text);
  // "none" is a word for negligible where advisories say it; of a gate it would mean the opposite.
  if (!severity || text == "none") {
    return fail(ErrorCode::kMalformed,
                "'" + std::string(text) +
                    "' is no gate; there are: negligible, low, medium, high, critical, unknown, "
                    "kev, fixable, any, epss>=0.5, risk>=50; before each in-use:, or in-use alone");
  }
  gate.severity = *severity;
  if (gate.severity == Severity::kUnknown) gate.kind = GateKind::kUnknown;
  return gate;
}

}  // namespace

Result<std::vector<Gate>> parse_gates(std::string_view text) {
  std::vector<Gate> gates;
  for (;;) {
    const size_t comma = std::min(text.find(','), text.size());
    gates.push_back(TRY(parse_gate(text.substr(0, comma))));
    if (comma == text.size()) return gates;
    text.remove_prefix(comma + 1);
  }
}

bool fails(const Gate& gate, const Finding& finding, UseVerdict use) {
  if (gate.is_in_use_only && use == UseVerdict::kNotObserved) return false;
  switch (gate.kind) {
    case GateKind::kSeverity:
      return finding.severity >= gate.severity;
    case GateKind::kUnknown:
      return finding.severity == Severity::kUnknown;
    case GateKind::kKnownExploited:
      return finding.is_known_exploited;
    case GateKind::kFixable:
      return !finding.fixed_versions.empty();
    case GateKind::kEpss:
      return finding.epss >= 0 && finding.epss >= gate.threshold;
    case GateKind::kRisk:
      return finding.risk >= gate.threshold;
  }
  return false;
}

size_t failing_count(std::span<const Gate> gates, const Report& report) {
  return static_cast<size_t>(std::ranges::count_if(report.findings, [&](const Finding& finding) {
    const UseVerdict use = report::use_verdict(report, finding);
    return std::ranges::any_of(gates, [&](const Gate& gate) { return fails(gate, finding, use); });
  }));
}

}  // namespace vigil::scan
