#include "scan/cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/confine.h"
#include "base/limits.h"
#include "image/fake_image.h"

namespace vigil::scan {
namespace {

namespace fs = std::filesystem;

catalog::Inventory inventory(const std::string& layer) {
  catalog::Inventory found;
  found.sbom.target.kind = TargetKind::kOciDirectory;
  Layer& only = found.sbom.layers.emplace_back();
  only.digest = layer;
  only.is_verified = true;
  return found;
}

struct Fixture {
  image::TemporaryFolder folder;
  Cache cache = *Cache::open(folder.path());
  std::unique_ptr<image::FileAccess> files = *image::open_local_files(folder.path());

  void remember(const std::string& what) {
    const catalog::Inventory found = inventory(what);
    const Result<Fd> file = memory_file(encode_inventory(found));
    ASSERT_TRUE(file);
    const Status done = cache.remember(what, {}, found.sbom, *file, 0);
    EXPECT_TRUE(done) << done.error().text();
  }
  bool recalls(const std::string& what) {
    const auto found = cache.recall(what, *files, Cache::Need::kInventory);
    return found && found->sbom().layers.at(0).digest == what;
  }
  // Of the one inventory that there is.
  std::string path() const { return fs::directory_iterator(folder.path() + "/inventory")->path(); }
  // Its length is what counts; on the disk it takes nothing.
  void make_large(const std::string& name, uint64_t bytes, int hours_old) {
    const std::string large = folder.write("inventory/" + name, "");
    fs::resize_file(large, bytes);
    set_age(large, hours_old);
  }
  static void set_age(const std::string& path, int hours_old) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(hours_old));
  }
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) sum += entry.file_size();
    }
    return sum;
  }
  bool has(const std::string& name) const { return fs::exists(folder.path() + "/" + name); }
};

TEST(Cache, RecallsWhatItRemembers) {
  Fixture at;
  EXPECT_FALSE(at.recalls("a"));
  at.remember("a");
  at.remember("b");
  EXPECT_TRUE(at.recalls("a"));
  EXPECT_TRUE(at.recalls("b"));
}

TEST(Cache, PastItsBoundTheOldestGo) {
  constexpr uint64_t kThird = limits::kCacheBytesMax / 3;
  Fixture at;
  at.make_large("2-hours-old", kThird, 2);
  at.make_large("4-hours-old", kThird, 4);
  at.make_large("3-hours-old", kThird, 3);
  at.make_large("1-hour-old", kThird, 1);
  at.remember("a");
  EXPECT_FALSE(at.has("inventory/4-hours-old"));
  EXPECT_FALSE(at.has("inventory/3-hours-old"));
  EXPECT_TRUE(at.has("inventory/2-hours-old"));
  EXPECT_TRUE(at.has("inventory/1-hour-old"));
  EXPECT_TRUE(at.recalls("a"));
  EXPECT_LE(at.bytes(), limits::kCacheBytesMax);
}

TEST(Cache, WithinItsBoundNothingGoes) {
  Fixture at;
  at.make_large("old", limits::kCacheBytesMax - (1 << 20), 1000);
  at.remember("a");
  EXPECT_TRUE(at.has("inventory/old"));
}

TEST(Cache, WhatIsRecalledIsYoungAgain) {
  Fixture at;
  at.remember("used");
  at.remember("unused");
  for (const auto& entry : fs::recursive_directory_iterator(at.folder.path())) {
    if (entry.is_regular_file()) Fixture::set_age(entry.path(), 5);
  }
  EXPECT_TRUE(at.recalls("used"));
  at.make_large("large", limits::kCacheBytesMax, 2);
  at.remember("new");
  EXPECT_FALSE(at.recalls("unused"));
  EXPECT_FALSE(at.has("inventory/large"));
  EXPECT_TRUE(at.recalls("used"));
  EXPECT_TRUE(at.recalls("new"));
}

TEST(Cache, ADamagedEntryIsRemovedAndMadeAgain) {
  Fixture at;
  at.remember("a");
  const std::string path = at.path();
  fs::resize_file(path, 30);
  EXPECT_FALSE(at.recalls("a"));
  EXPECT_FALSE(fs::exists(path));
  at.remember("a");
  EXPECT_TRUE(at.recalls("a"));
}

TEST(Cache, AFolderThatAnybodyMayWriteIsRefused) {
  const image::TemporaryFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  const Result<Cache> opened = Cache::open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kDenied);
}

}  // namespace
}  // namespace vigil::scan
