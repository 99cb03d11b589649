// What was watched, in vigil's own JSON: members of a document of kind "exposure" and of its
// packages. Times are RFC 3339 with nanoseconds.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "model/finding.h"

namespace vigil::report {

// "workload", "coverage", "funnel", "window_seconds", "drift", "unowned".
// Requires: the report has an exposure.
void write_exposure(JsonWriter& json, const Report& report);
// "workload", "coverage" and "funnel" alone, for lists of workloads.
void write_exposure_head(JsonWriter& json, const Report& report);
// Of a package: "tier", "verdict", "reason", "facets", "evidence".
void write_use(JsonWriter& json, const PackageExposure& use);

// All of it again, from the document.
Result<Exposure> read_exposure(JsonView root);

}  // namespace vigil::report
