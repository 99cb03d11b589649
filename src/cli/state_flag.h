// Where the agent keeps what it saw.
#pragma once

#include "cli/command.h"

namespace vigil::cli {

constexpr const char* kDefaultState = "/var/lib/vigil";
constexpr Flag kStateFlag = {"state", 0, "DIR",
                             "Folder of the agent's evidence. Default: /var/lib/vigil."};

}  // namespace vigil::cli
