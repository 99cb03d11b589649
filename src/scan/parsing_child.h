// read_target behind the wall: in a confined child process (base/confine.h), whose answer is
// checked as hostile before anything is done with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/work_counts.h"
#include "image/file_access.h"
#include "scan/inventory_file.h"
#include "scan/read_target.h"

namespace vigil::scan {

struct ParsedTarget {
  InventoryFile inventory;
  Fd answer;                             // Its file.
  std::vector<std::string> protections;  // Of the child, those that were on.
  WorkCounts work;
  uint64_t peak_memory_bytes = 0;  // Of the child.
};

// `files` is what the child may reach. Requires: this process has one thread.
// An Error: the child's own, or how it died, or that its answer makes no sense.
// `progress`, where it is one, as ScanOptions says.
Result<ParsedTarget> parse_in_child(ReadOptions options, image::FileAccess& files,
                                    const std::function<void(const WorkCounts*)>& progress);

}  // namespace vigil::scan
