// What changed in a running root since its start, in vigil's own JSON: the member "live_root".
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/finding.h"

namespace vigil::report {

// Requires: the report has a live root.
void write_live_root(JsonWriter& json, const Report& report);
Result<LiveRoot> read_live_root(JsonView view, size_t packages_count);

}  // namespace vigil::report
