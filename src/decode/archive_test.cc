#include "decode/archive.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "base/file.h"

namespace vigil::decode {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

std::string data_path(const std::string& name) {
  return VIGIL_SOURCE_DIR "/src/decode/testdata/archive/" + name;
}

Result<Members> members_of(const std::string& name) {
  Members members;
  TRY(each_member(data_path(name),
                  [&](std::string_view member, std::string_view content) -> Status {
                    members.emplace_back(member, content);
                    return {};
                  }));
  return members;
}

TEST(Archive, RefusesWhatIsNoArchive) {
  for (const char* name : {"plain", "absent", "cut.zip", "one.gz"}) {
    const Result<Members> members = members_of(name);
    EXPECT_FALSE(members.has_value()) << name;
  }
}

TEST(Archive, RefusesZipWhoseHeadersContradictTheDirectory) {
  const Result<Members> name = members_of("name_differs.zip");
  ASSERT_FALSE(name.has_value());
  EXPECT_THAT(name.error().text(), testing::HasSubstr("name member a.json differently"));
  const Result<Members> size = members_of("size_differs.zip");
  ASSERT_FALSE(size.has_value());
  EXPECT_THAT(size.error().text(), testing::HasSubstr("Inconsistent"));
}

TEST(Archive, StopsWithTheVisitorsError) {
  int visits_count = 0;
  const Status status =
      each_member(data_path("good.zip"), [&](std::string_view, std::string_view) -> Status {
        ++visits_count;
        return fail(ErrorCode::kCancelled, "enough");
      });
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(visits_count, 1);
}

TEST(Archive, VisitsRegularFilesOfZipInOrder) {
  const Result<Members> members = members_of("good.zip");
  ASSERT_TRUE(members.has_value()) << members.error().text();
  EXPECT_EQ(*members, (Members{{"a.json", R"({"id":"A"})"},
                               {"folder/\xc3\xbc.json", std::string(100, 'B')},
                               {"empty", ""}}));
}

TEST(Archive, VisitsRegularFilesOfTarAndKeepsNamesAsStored) {
  for (const char* name : {"good.tar.xz", "good.tar.gz"}) {
    const Result<Members> members = members_of(name);
    ASSERT_TRUE(members.has_value()) << members.error().text();
    EXPECT_EQ(*members,
              (Members{{"a.json", R"({"id":"A"})"}, {"../\xc3\xbc", std::string(100, 'B')}}));
  }
}

TEST(Archive, InflatesByMagicBytes) {
  for (const char* name : {"one.xz", "one.bz2", "one.zst", "plain"}) {
    const Result<std::string> text = read_maybe_compressed(data_path(name), 100);
    ASSERT_TRUE(text.has_value()) << text.error().text();
    EXPECT_EQ(*text, "hello\n") << name;
  }
  const Result<std::string> joined = read_maybe_compressed(data_path("one.gz"), 100);
  ASSERT_TRUE(joined.has_value()) << joined.error().text();
  EXPECT_EQ(*joined, "hello\nagain\n");
  const Result<std::string> empty = read_maybe_compressed(data_path("empty"), 100);
  ASSERT_TRUE(empty.has_value()) << empty.error().text();
  EXPECT_EQ(*empty, "");
}

TEST(Archive, RefusesCutAndTooLargeFiles) {
  const Result<std::string> cut = read_maybe_compressed(data_path("cut.gz"), 1 << 20);
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kMalformed);
  const Result<std::string> large = read_maybe_compressed(data_path("large.gz"), 2'999'999);
  ASSERT_FALSE(large.has_value());
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
  const Result<std::string> fits = read_maybe_compressed(data_path("large.gz"), 3'000'000);
  ASSERT_TRUE(fits.has_value()) << fits.error().text();
  EXPECT_EQ(fits->size(), 3'000'000u);
}

TEST(Archive, WhatIsWrittenReadsBackAndIsTheSameEachTime) {
  const std::string path = testing::TempDir() + "/vigil-archive-" + std::to_string(getpid());
  const std::string large(100000, 'x');
  const auto written = [&]() -> Result<std::string> {
    const Fd to(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ArchiveWriter writer = TRY(ArchiveWriter::create(to, 1769800000));
    TRY(writer.add("manifest.json", as_bytes("{}")));
    TRY(writer.add("shards/a", as_bytes(large)));
    TRY(writer.add("shards/empty", {}));
    TRY(writer.finish());
    return read_file(path, 1 << 20);
  };
  const Result<std::string> once = written();
  ASSERT_TRUE(once.has_value()) << once.error().text();
  EXPECT_EQ(written().value(), *once);
  std::vector<std::pair<std::string, std::string>> members;
  EXPECT_TRUE(each_member(path, [&](std::string_view name, std::string_view content) -> Status {
    members.emplace_back(name, content);
    return {};
  }));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"manifest.json", "{}"}, {"shards/a", large}, {"shards/empty", ""}};
  EXPECT_EQ(members, expected);
  unlink(path.c_str());
}

TEST(Archive, TextInMemoryGoesThroughXz) {
  EXPECT_FALSE(inflate_text("plain", 100).has_value());
  EXPECT_FALSE(inflate_text("", 100).has_value());
  for (const std::string& text : {std::string(), std::string("hello\n"), std::string(300, 'x')}) {
    const Result<std::string> packed = compress_xz(text);
    ASSERT_TRUE(packed.has_value()) << packed.error().text();
    EXPECT_EQ(*packed, *compress_xz(text));
    EXPECT_EQ(inflate_text(*packed, text.size()).value_or("an error"), text);
    EXPECT_FALSE(inflate_text(packed->substr(0, packed->size() / 2), 1000).has_value());
  }
  EXPECT_EQ(inflate_text(*compress_xz("hello"), 4).error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigil::decode
