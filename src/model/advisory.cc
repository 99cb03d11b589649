#include "model/advisory.h"

#include <algorithm>
#include <array>
#include <optional>

namespace vigil {

namespace {

constexpr std::array<std::string_view, 7> kFixStates = {
    "affected",    "fixed",        "will_not_fix",       "fix_deferred",
    "end_of_life", "not_affected", "under_investigation"};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

// PEP 503: lower case, runs of '-', '_' and '.' become one '-'.
std::string pep503_name(std::string_view name) {
  std::string out;
  for (const char c : lower_case(name)) {
    const bool is_separator = c == '-' || c == '_' || c == '.';
    if (!is_separator) out += c;
    if (is_separator && (out.empty() || out.back() != '-')) out += '-';
  }
  return out;
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<FixState> parse_fix_state(std::string_view word) {
  const auto found = std::ranges::find(kFixStates, word);
  if (found == kFixStates.end()) return std::nullopt;
  return static_cast<FixState>(found - kFixStates.begin());
}

}  // namespace

std::string_view to_string(FixState state) {
  return kFixStates[static_cast<size_t>(state)];
}

std::vector<FixState> fix_states_named(std::string_view word) {
  if (word == "not-fixed") return {FixState::kAffected, FixState::kFixDeferred};
  if (word == "wont-fix") return {FixState::kWillNotFix, FixState::kEndOfLife};
  if (word == "unknown") return {FixState::kUnderInvestigation};
  const std::optional<FixState> state = parse_fix_state(word);
  return state ? std::vector{*state} : std::vector<FixState>();
}

std::string_view to_string(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kNone:
      return "";
    case NoticeKind::kUnmaintained:
      return "unmaintained";
    case NoticeKind::kUnsound:
      return "unsound";
    case NoticeKind::kNotice:
      return "notice";
  }
  return "";
}

std::string Coverage::text() const {
  if (is_partial) return "partial";
  if (is_subset) return is_fixed_only ? "subset, fixed-only" : "subset";
  return is_fixed_only ? "fixed-only" : "full";
}

Coverage parse_coverage(std::string_view text) {
  return {.is_fixed_only = text.find("fixed-only") != std::string_view::npos,
          .is_subset = text.find("subset") != std::string_view::npos,
          .is_partial = text.find("partial") != std::string_view::npos};
}

std::string normal_package_name(std::string_view ecosystem, std::string_view name) {
  if (ecosystem == "pypi") return pep503_name(name);
  if (ecosystem == "nuget" || ecosystem == "packagist" || ecosystem == "npm" ||
      ecosystem == "hex" || ecosystem == "pub" || ecosystem == "bitnami") {
    return lower_case(name);
  }
  return std::string(name);
}

bool is_cve(std::string_view id) {
  return id.size() >= 13 && id.starts_with("CVE-") && is_digits(id.substr(4, 4)) && id[8] == '-' &&
         is_digits(id.substr(9));
}

bool is_same_id(std::string_view a, std::string_view b) {
  const auto lowered = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lowered, lowered);
}

}  // namespace vigil
