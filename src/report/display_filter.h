// Which findings a result shows. Gates see all of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"

namespace vigil::report {

struct DisplayFilter {
  std::vector<Severity> severities;      // Empty: all.
  std::vector<FixState> ignored_states;  // As known_state says it.
};

// "high,critical"; kMalformed names the word and those there are.
Result<std::vector<Severity>> parse_severities(std::string_view list);
// "will_not_fix,end_of_life", also Grype's "wont-fix,unknown".
Result<std::vector<FixState>> parse_fix_states(std::string_view list);

bool shows(const DisplayFilter& filter, const Finding& finding);
// Without the findings that it leaves out, which not_shown_count counts. Notices stay.
Report filtered(Report report, const DisplayFilter& filter);

}  // namespace vigil::report
