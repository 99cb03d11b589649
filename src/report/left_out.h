// Findings that a page for people does not show, and why.
#pragma once

#include <string>

#include "report/format.h"
#include "report/text_table.h"

namespace vigil::report {

// "1 more set aside by rules (--show-suppressed), 7 more filtered out"; "" where all are shown.
std::string left_out_line(const Report& report, const WriteOptions& options);
// What ignore rules set aside, with reason and rule. Requires: there is some.
std::string suppressed_table(const Report& report, const TableStyle& style);

}  // namespace vigil::report
