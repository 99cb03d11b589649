// From what was seen to what is in use: files to packages, evidence to verdicts. Pure.
//
// A file credits the package that owns its path or one of its aliases. A file of the upper layer
// does only where its digest equals the package's own; else it is drift, and the package whose path
// it took is unknown (specification: in-use exposure, sections 1 and 3).
#pragma once

#include "base/result.h"
#include "decode/inventory.h"
#include "exposure/evidence_store.h"
#include "model/exposure.h"
#include "model/sbom.h"

namespace vigil::exposure {

struct JoinOptions {
  UnixNanoseconds now = 0;
  UnixNanoseconds window = 24ll * 3600 * 1'000'000'000;
};

Exposure join(const WorkloadRecord& record, const Sbom& sbom, const decode::OwnershipView& owned,
              const JoinOptions& options);

}  // namespace vigil::exposure
