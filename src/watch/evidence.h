// From one event to the evidence it is. Pure.
#pragma once

#include <optional>

#include "model/exposure.h"

namespace vigil::watch {

// True for what a runtime maps and opens inside a container before the container's own program
// runs: runc and crun do that from a copy of themselves in memory. What is started is never that.
bool is_runtime_start(const Event& event);

// kExec, kMap and kOpen with a path; nothing for others.
std::optional<Evidence> evidence_of(const Event& event);

}  // namespace vigil::watch
