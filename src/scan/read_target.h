// From a target to its inventory: recognises what it is and reads it. Runs in the parsing child;
// everything it reads is hostile.
#pragma once

#include <string>

#include "base/result.h"
#include "base/work_counts.h"
#include "catalog/cataloger.h"
#include "image/file_access.h"
#include "scan/target.h"

namespace vigil::scan {

struct ReadOptions {
  TypedTarget target;
  std::string platform;
  size_t threads_count = 0;
  bool verify_diff_ids = false;
  WorkCounts* work = nullptr;  // Where it counts what it does; null: nowhere.
};

// `files` is rooted at the target's path; its open("") is standard input where that is the place.
Result<catalog::Inventory> read_target(image::FileAccess& files, const ReadOptions& options);

}  // namespace vigil::scan
