// What the agent may do once it has started: the capabilities named here and no more, for it and
// all that it starts.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace vigil::watch {

struct KeptCapability {
  int number = 0;
  std::string_view name;
  std::string_view reason;
};
std::span<const KeptCapability> kept_capabilities();

// Gives up all others, and the way to get any back (no_new_privs). Those that the process never had
// stay away.
Status drop_privileges();

}  // namespace vigil::watch
