#include "scan/file_trace.h"

#include <gtest/gtest.h>

#include "image/fake_image.h"

namespace vigil::scan {
namespace {

using Links = image::FileAccess::Links;

constexpr int64_t kSecondNs = 1'000'000'000;

FileTrace changed_at(int64_t changed_ns) {
  return {{{"a", Links::kFollow},
           {.is_there = true,
            .device = 1,
            .inode = 2,
            .bytes = 3,
            .modified_ns = 0,
            .changed_ns = changed_ns}},
          {{"missing", Links::kFollow}, {}}};
}

TEST(FileTrace, BothWays) {
  const FileTrace trace = changed_at(-5);
  const std::string text = encode_trace(trace);
  const Result<FileTrace> read = decode_trace(as_bytes(text));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, trace);
  for (size_t at = 0; at < text.size(); ++at) {
    EXPECT_FALSE(decode_trace(as_bytes(text).first(at))) << at;
  }
}

TEST(FileTrace, AFileIsSettledOnceItsClockHasTicked) {
  EXPECT_TRUE(is_settled(changed_at(7 * kSecondNs + 5), 7 * kSecondNs + 6));
  EXPECT_FALSE(is_settled(changed_at(7 * kSecondNs + 5), 7 * kSecondNs + 5));
  // A file system that counts whole seconds, or every other one.
  EXPECT_FALSE(is_settled(changed_at(7 * kSecondNs), 8 * kSecondNs + 5));
  EXPECT_TRUE(is_settled(changed_at(7 * kSecondNs), 9 * kSecondNs));
}

TEST(FileTrace, HoldsWhileEveryFileIsTheSameAndTheMissingStayAway) {
  const image::TemporaryFolder folder;
  folder.write("here", "1");
  const auto files = *image::open_local_files(folder.path());
  TracingFiles traced(*files);
  EXPECT_TRUE(traced.open("here", Links::kFollow));
  EXPECT_FALSE(traced.open("missing", Links::kFollow));
  EXPECT_EQ(traced.trace().size(), 2u);
  EXPECT_TRUE(still_holds(traced.trace(), *files));
  folder.write("missing", "");
  EXPECT_FALSE(still_holds(traced.trace(), *files));
  std::filesystem::remove(folder.path() + "/missing");
  EXPECT_TRUE(still_holds(traced.trace(), *files));
  folder.write("here", "2");
  EXPECT_FALSE(still_holds(traced.trace(), *files)) << "another file of the same size";
}

}  // namespace
}  // namespace vigil::scan
