// --fail-on, for the commands that have gates.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "scan/gate.h"

namespace vigil::cli {

constexpr Flag kFailOnFlag = {
    "fail-on", 0, "GATE",
    "Exit code 2 where a finding is at or above a severity (low, medium, high,\n"
    "critical), of unknown severity (unknown), known to be exploited (kev), has a\n"
    "fix (fixable), epss>=0.5, risk>=50, or any; in-use:high and the like: of these,\n"
    "what is in use or may be. Several: repeat it, or use commas."};

Result<std::vector<scan::Gate>> gates_of(const Arguments& arguments);
// "3 of 14 findings fail the gate --fail-on high"; "" where none fails.
std::string failed_gate_text(const std::vector<scan::Gate>& gates, size_t failing_count,
                             size_t findings_count);
// Says, where a gate asks for what is in use, that nothing was watched.
void note_unwatched(const std::vector<scan::Gate>& gates, const Arguments& arguments);

}  // namespace vigil::cli
