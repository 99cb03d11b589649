// A running root compared with the image it began as: without an agent, without its runtime and the
// runtime's store. /proc tells the folders of its overlay and what its processes have mapped.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "decode/inventory.h"
#include "model/live_root.h"
#include "model/sbom.h"

namespace vigil::scan {

struct LiveRootQuestion {
  uint32_t pid = 0;  // A process whose root it is.
  // What was found in it.
  const Sbom& sbom;
  const decode::OwnershipView& owned;
  size_t threads_count = 0;
};

struct LiveRootAnswer {
  LiveRoot root;
  std::optional<Sbom> image;  // What the image has, where that could be told.
  std::vector<Gap> gaps;      // What could not be seen of it.
};

// Requires: this process has one thread (the image's packages are read in the parsing child).
LiveRootAnswer compare_with_image(const LiveRootQuestion& question);

}  // namespace vigil::scan
