// For tests: the folder of real feeds beside the tree, where it is there.
#pragma once

#include <string>

#include "advisory/feed.h"
#include "base/file.h"

namespace vigil::advisory {

// The file as a feed gets it. An empty absolute path: it is not there, and the test skips.
inline FeedFile real_feed(const Feed& feed, const std::string& path) {
  const std::string absolute = std::string(VIGIL_SOURCE_DIR) + "/../shared/feeds/" + path;
  return {.path = path,
          .absolute_path = path_exists(absolute) ? absolute : "",
          .coverage = feed.coverage,
          .as_of = 0};
}

}  // namespace vigil::advisory
