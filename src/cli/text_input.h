// Lines as input of a command: from a file or from standard input.
#pragma once

#include <string>

#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::cli {

// The whole file; "-" is standard input.
Result<std::string> read_text(const std::string& path);

// Calls `visit` for each line but empty ones and those that begin with '#', without the spaces
// around it. Its Error ends the walk and gets the line's number.
Status each_line(std::string_view text, FunctionRef<Status(std::string_view line)> visit);

}  // namespace vigil::cli
