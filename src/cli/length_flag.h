// Flags that take a length of time: "30s", "90m", "24h", "7d".
#pragma once

#include <string_view>

#include "cli/command.h"
#include "model/event.h"

namespace vigil::cli {

// kMalformed names the flag.
Result<UnixNanoseconds> length_of(const Arguments& arguments, std::string_view flag,
                                  std::string_view fallback);

}  // namespace vigil::cli
