// What containerd keeps on disk about a container: its image and labels, in whichever of its
// namespaces it is. Everything read is hostile.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sensor/runtime_state.h"

namespace vigil::sensor {

// `folder` is containerd's root (/var/lib/containerd). kNotFound where it knows no such container.
Result<RuntimeFacts> read_containerd_store(const std::string& folder, std::string_view id);

}  // namespace vigil::sensor
