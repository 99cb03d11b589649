#include "report/display_filter.h"

#include <algorithm>
#include <optional>

namespace vigil::report {

namespace {

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  for (;;) {
    const size_t comma = std::min(list.find(','), list.size());
    words.push_back(list.substr(0, comma));
    if (comma == list.size()) return words;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::vector<Severity>> parse_severities(std::string_view list) {
  std::vector<Severity> severities;
  for (const std::string_view word : words_of(list)) {
    const std::optional<Severity> severity = parse_severity(word);
    if (!severity) {
      return fail(ErrorCode::kMalformed, "'" + std::string(word) +
                                             "' is no severity; there are: unknown, negligible, "
                                             "low, medium, high, critical");
    }
    severities.push_back(*severity);
  }
  return severities;
}

Result<std::vector<FixState>> parse_fix_states(std::string_view list) {
  std::vector<FixState> states;
  for (const std::string_view word : words_of(list)) {
    const std::vector<FixState> named = fix_states_named(word);
    if (named.empty()) {
      return fail(ErrorCode::kMalformed,
                  "'" + std::string(word) +
                      "' is no state of a fix; there are: affected, fixed, will_not_fix, "
                      "fix_deferred, end_of_life, under_investigation, and Grype's not-fixed, "
                      "wont-fix, unknown");
    }
    states.insert(states.end(), named.begin(), named.end());
  }
  return states;
}

bool shows(const DisplayFilter& filter, const Finding& finding) {
  const auto has = [](const auto& list, auto one) {
    return std::ranges::find(list, one) != list.end();
  };
  return (filter.severities.empty() || has(filter.severities, finding.severity)) &&
         !has(filter.ignored_states, known_state(finding));
}

Report filtered(Report report, const DisplayFilter& filter) {
  report.not_shown_count += std::erase_if(
      report.findings, [&](const Finding& finding) { return !shows(filter, finding); });
  return report;
}

}  // namespace vigil::report
