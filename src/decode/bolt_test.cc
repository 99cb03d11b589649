#include "decode/bolt.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/bytes.h"

namespace vigil::decode {
namespace {

// containerd's meta.db of two namespaces with a container each, the newest header in page 1.
std::string real_file() {
  std::ifstream in(std::string(VIGIL_SOURCE_DIR) + "/src/decode/testdata/bolt_fuzz/meta.db",
                   std::ios::binary);
  EXPECT_TRUE(in);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

constexpr size_t kPageBytes = 4096;
constexpr size_t kHeaderAt = 16;

Result<BoltEntries> read(const std::string& file, std::vector<std::string_view> names) {
  const auto read_at = [&](uint64_t offset, uint64_t bytes_count) -> Result<std::string> {
    if (offset > file.size() || bytes_count > file.size() - offset) {
      return fail(ErrorCode::kMalformed, "past the end");
    }
    return file.substr(offset, bytes_count);
  };
  return read_bolt_bucket(read_at, names);
}

std::vector<std::string> keys(const Result<BoltEntries>& entries) {
  std::vector<std::string> keys;
  for (const BoltEntry& entry : entries.value()) {
    keys.push_back(entry.key + (entry.is_bucket ? "/" : ""));
  }
  return keys;
}

using Keys = std::vector<std::string>;

TEST(Bolt, BucketsInBucketsInPlaceAndOverManyPages) {
  const std::string file = real_file();
  EXPECT_EQ(keys(read(file, {})), Keys{"v1/"});
  EXPECT_EQ(keys(read(file, {"v1"})), (Keys{"k8s.io/", "version", "vigil-test/"}));
  EXPECT_EQ(keys(read(file, {"v1", "vigil-test", "containers"})), Keys{"one/"});
  EXPECT_EQ(
      read(file, {"v1", "vigil-test", "images", "localhost/vigil-small:1", "target"})->front(),
      (BoltEntry{"digest",
                 "sha256:cfa7393b2cdbb3c8aa28af3417d408db942022fda0156f8e8ee278961ba19504",
                 false}));
  const BoltEntries labels =
      read(file, {"v1", "vigil-test", "containers", "one", "labels"}).value();
  BoltEntries expected = {{"io.containerd.image.config.stop-signal", "SIGTERM", false}};
  for (const char digit : {'1', '2', '3', '4', '5'}) {
    expected.push_back({std::string("long-") + digit, std::string(1500, digit), false});
  }
  expected.push_back({"nerdctl/name", "fine", false});
  EXPECT_EQ(labels, expected);
}

TEST(Bolt, WhatIsNotThere) {
  const std::string file = real_file();
  EXPECT_EQ(read(file, {"v2"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read(file, {""}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read(file, {"v1", "vigil-test", "containers", "two"}).error().code,
            ErrorCode::kNotFound);
  // A value is no bucket.
  EXPECT_EQ(read(file, {"v1", "version"}).error().code, ErrorCode::kNotFound);
}

TEST(Bolt, TheNewerOfTwoHeadersCountsAndADamagedOneDoesNot) {
  std::string file = real_file();
  file[kPageBytes + kHeaderAt + 20] ^= 1;
  EXPECT_EQ(keys(read(file, {"v1"})), (Keys{"k8s.io/", "version", "vigil-test/"}));
  file[kHeaderAt + 20] ^= 1;
  EXPECT_EQ(read(file, {"v1"}).error().code, ErrorCode::kMalformed);
  file[kPageBytes + kHeaderAt + 20] ^= 1;
  EXPECT_EQ(keys(read(file, {"v1"})), (Keys{"k8s.io/", "version", "vigil-test/"}));
}

TEST(Bolt, CutShort) {
  const std::string file = real_file();
  for (size_t bytes = 0; bytes < file.size(); bytes += kPageBytes / 2) {
    const auto labels =
        read(file.substr(0, bytes), {"v1", "vigil-test", "containers", "one", "labels"});
    EXPECT_TRUE(!labels || labels->size() == 7) << bytes;
  }
  EXPECT_FALSE(read("", {}));
}

TEST(Bolt, WrittenAllTheTime) {
  const std::string newer = real_file();
  std::string older = newer;
  older[kPageBytes + kHeaderAt + 20] ^= 1;
  int headers_count = 0;
  const auto read_at = [&](uint64_t offset, uint64_t bytes_count) -> Result<std::string> {
    if (offset == 0) ++headers_count;
    return (headers_count % 2 == 0 ? newer : older).substr(offset, bytes_count);
  };
  constexpr std::string_view kNames[] = {"v1"};
  EXPECT_EQ(read_bolt_bucket(read_at, kNames).error().code, ErrorCode::kUnavailable);
}

// A branch that names itself, and pages that claim to be huge, end.
TEST(Bolt, EveryPageABranchOfItself) {
  std::string file = real_file();
  const auto put = [&](size_t at, uint64_t value, size_t bytes_count) {
    for (size_t i = 0; i < bytes_count; ++i) file[at + i] = static_cast<char>(value >> 8 * i);
  };
  for (size_t page = 2; page < file.size() / kPageBytes; ++page) {
    const size_t at = page * kPageBytes;
    put(at + 8, 1, 2);          // A branch
    put(at + 10, 2, 2);         // of two elements
    put(at + 12, page % 3, 4);  // and some further pages,
    for (size_t element : {at + 16, at + 32}) {
      put(element, 64, 4);
      put(element + 4, 0, 4);  // both of the smallest key
      put(element + 8, page, 8);
    }
  }
  EXPECT_EQ(read(file, {}).error().code, ErrorCode::kTooLarge);
  EXPECT_FALSE(read(file, {"v1"}));
}

}  // namespace
}  // namespace vigil::decode
