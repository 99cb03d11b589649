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
// "workload"
void write_workload(JsonWriter& json, const Workload& workload);
Result<Workload> read_workload(JsonView view);
// Of a package: "tier", "verdict", "reason", "facets", "evidence".
void write_use(JsonWriter& json, const PackageExposure& use);

// Of a package, in short, for the formats of others: the object "verdict", "tier", "facets",
// "evidence" (a sentence), and in which workload over what time it was watched.
void write_use_in_short(JsonWriter& json, const Exposure& exposure, const PackageExposure& use);

// All of it again, from the document.
Result<Exposure> read_exposure(JsonView root);

}  // namespace vigil::report
