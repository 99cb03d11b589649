// What a report says to people about a workload that was watched: the funnel, what is in use with
// its proof, what was not seen in use, and what nobody knows.
#pragma once

#include <string>

#include "report/format.h"

namespace vigil::report {

// Requires: the report has an exposure. No line is wider than the terminal.
std::string exposure_page(const Report& report, const WriteOptions& options);
// From one advisory to the process that runs its code; "" where the workload has no such finding.
std::string exposure_why(const Report& report, std::string_view id, const WriteOptions& options);

// "podman, running since …" and the like: which workload it is, in one line.
std::string workload_line(const Workload& workload);
// The short form of an id that is long and hexadecimal; others as they are.
std::string short_id(std::string_view id);

}  // namespace vigil::report
