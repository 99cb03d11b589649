// What was written into a running root since its start, as the writable layer of its overlay tells.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "decode/inventory.h"
#include "model/live_root.h"
#include "model/sbom.h"

namespace vigil::scan {

struct DriftFound {
  std::vector<DriftedFile> files;  // By kind, then path; at most limits::kDriftShownMax.
  std::array<uint64_t, kDriftKinds> counts = {};
  uint64_t other_files_count = 0;
  std::vector<Gap> gaps;
};

// `upper` is the writable layer, `root` what the container's processes see, both folders; `owned`
// the files of the packages in `root`. A file there whose digest is its package's own is no drift
// (chown copies it up unchanged), and neither are data that no package owns: they are counted.
// Every byte and name is hostile: nothing is followed out of either folder.
// `covered` are the places, without a leading slash, over which something else is mounted: what the
// layer has there is seen by nobody.
DriftFound find_drift(const Fd& upper, const Fd& root, const decode::OwnershipView& owned,
                      const std::set<std::string>& covered);

}  // namespace vigil::scan
