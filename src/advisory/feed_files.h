// Files for the tests of feeds: the folder of real feeds beside the tree, where it is there, and
// files made by a test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <string_view>

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

// A file with that text which is removed with the object. Test programs may run side by side.
class TemporaryFeed {
 public:
  explicit TemporaryFeed(std::string_view text)
      : path_(testing::TempDir() + "/vigil-feed-" + std::to_string(getpid())) {
    EXPECT_TRUE(write_atomically(path_, text).has_value());
  }
  TemporaryFeed(const TemporaryFeed&) = delete;
  TemporaryFeed& operator=(const TemporaryFeed&) = delete;
  ~TemporaryFeed() { unlink(path_.c_str()); }

  // As a feed gets it, from that place in the feeds folder.
  FeedFile at(const std::string& path, Coverage coverage = {}, UnixSeconds as_of = 0) const {
    return {.path = path, .absolute_path = path_, .coverage = coverage, .as_of = as_of};
  }

 private:
  std::string path_;
};

}  // namespace vigil::advisory
