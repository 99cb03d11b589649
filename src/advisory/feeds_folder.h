// A folder of upstream feeds, laid out as docs/feeds.md says: which files are whose, and what
// coverage.json in it says of them.
#pragma once

#include <string>
#include <vector>

#include "advisory/coverage_file.h"
#include "advisory/feed.h"
#include "base/result.h"

namespace vigil::advisory {

class FeedsFolder {
 public:
  static Result<FeedsFolder> open(const std::string& folder);
  // In the order of their paths.
  std::vector<FeedFile> files_of(const Feed& feed) const;

 private:
  std::string folder_;
  std::vector<std::string> paths_;  // Relative, in byte order.
  CoverageFile coverage_;
};

}  // namespace vigil::advisory
