#include <gtest/gtest.h>

#include <algorithm>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"
#include "advisory/secdb.h"

namespace vigil::advisory {
namespace {

// Writes the text as a feed file and lets the feed read it.
Status parse_text(const std::string& text, RecordingSink& sink) {
  const TemporaryFeed file(text);
  return find_feed("alpine")->parse(
      file.at("alpine/v3.17/main.json", {.is_fixed_only = true, .is_subset = false}, 1677369600),
      sink);
}

TEST(AlpineFeedTest, WithoutAKnownBranchTheFileIsRefused) {
  for (const char* branch : {"", "v", "latest", "v3.17/../x", "vv3.17"}) {
    RecordingSink sink;
    const Status status =
        parse_text(std::string(R"({"distroversion":")") + branch + R"(","packages":[]})", sink);
    ASSERT_FALSE(status.has_value()) << branch;
    EXPECT_EQ(status.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(sink.sources.empty());
  }
}

TEST(AlpineFeedTest, AFileWithoutRecordsStillSpeaksForItsShard) {
  RecordingSink sink;
  ASSERT_TRUE(parse_text(R"({"distroversion":"v3.3","reponame":"community","packages":null})", sink)
                  .has_value());
  const Coverage coverage = {.is_fixed_only = true, .is_subset = false};
  EXPECT_EQ(sink.sources,
            (std::vector<RecordingSink::Source>{{"alpine-3.3", "alpine", coverage, 1677369600}}));
  EXPECT_TRUE(sink.shards.empty());
}

TEST(AlpineFeedTest, EdgeHasAShardOfItsOwn) {
  RecordingSink sink;
  ASSERT_TRUE(parse_text(R"({"distroversion":"edge","packages":[]})", sink).has_value());
  EXPECT_EQ(sink.sources[0].shard, "alpine-edge");
}

// What the real files hold: strings under fix versions, and what came of them.
TEST(AlpineFeedTest, RealFilesAreReadWhole) {
  const Feed* feed = find_feed("alpine");
  struct Case {
    const char* path;
    const char* shard;
    size_t packages;
    size_t strings;
    std::map<std::string, size_t> skipped;
  };
  const Case cases[] = {
      {"alpine/v3.17/main.json", "alpine-3.17", 234, 2178, {}},
      {"alpine/v3.17/community.json", "alpine-3.17", 322, 4221, {}},
      {"alpine/edge/main.json", "alpine-edge", 236, 2198, {}},
      {"alpine/edge/community.json", "alpine-edge", 325, 4304, {}},
      {"alpine/v3.12/main.json", "alpine-3.12", 209, 1807, {}},
      {"alpine/v3.11/main.yaml", "alpine-3.11", 175, 1204, {}},
      {"alpine/v3.10/community.yaml", "alpine-3.10", 73, 720, {}},
      {"alpine/v3.3/community.yaml", "alpine-3.3", 0, 0, {}},
      {"alpine/v3.6/main.yaml", "alpine-3.6", 139, 0, {{"secdb: a fix version without ids", 1}}},
  };
  for (const Case& one : cases) {
    const FeedFile file = real_feed(*feed, one.path);
    if (file.absolute_path.empty()) GTEST_SKIP() << "no real secdb here: " << one.path;
    RecordingSink sink;
    const Status status = feed->parse(file, sink);
    ASSERT_TRUE(status.has_value()) << one.path << ": " << status.error().text();
    EXPECT_EQ(sink.sources.at(0).shard, one.shard);
    EXPECT_EQ(sink.skipped, one.skipped) << one.path;
    const Result<std::string> text = read_file(file.absolute_path, 64 << 20);
    const Result<SecdbDocument> document = parse_secdb(*text);
    ASSERT_TRUE(document.has_value());
    size_t strings = 0;
    for (const SecdbPackage& package : document->packages) {
      for (const auto& [version, ids] : package.fixes) strings += ids.size();
    }
    if (one.strings != 0) {
      EXPECT_EQ(document->packages.size(), one.packages) << one.path;
      EXPECT_EQ(strings, one.strings) << one.path;
    }
  }
}

TEST(AlpineFeedTest, RealFilesOfAllBranches) {
  const Feed* feed = find_feed("alpine");
  size_t files = 0;
  size_t listed_twice = 0;
  size_t never_affected = 0;
  std::map<std::string, size_t> without_cve;  // Affected packages by the id's publisher.
  for (const char* branch :
       {"v3.3", "v3.4", "v3.5", "v3.6", "v3.7", "v3.8", "v3.9", "v3.10", "v3.11", "v3.12", "v3.13",
        "v3.14", "v3.15", "v3.16", "v3.17", "edge"}) {
    for (const char* name : {"main.json", "community.json", "main.yaml", "community.yaml"}) {
      const FeedFile file = real_feed(*feed, "alpine/" + std::string(branch) + "/" + name);
      if (file.absolute_path.empty()) continue;
      ++files;
      RecordingSink sink;
      ASSERT_TRUE(feed->parse(file, sink).has_value()) << file.path;
      for (const auto& [shard, advisories] : sink.shards) {
        for (const Advisory& advisory : advisories) {
          for (const Affected& affected : advisory.affected) {
            if (affected.ranges.size() > 1) ++listed_twice;
            if (affected.state == FixState::kNotAffected) ++never_affected;
            if (advisory.cves.empty()) ++without_cve[advisory.id.substr(0, advisory.id.find('-'))];
          }
        }
      }
    }
  }
  if (files == 0) GTEST_SKIP() << "no real secdb here";
  EXPECT_EQ(files, 32u);
  EXPECT_EQ(listed_twice, 186u);
  EXPECT_EQ(never_affected, 244u);
  EXPECT_EQ(without_cve, (std::map<std::string, size_t>{{"ALPINE", 9},
                                                        {"GHSA", 9},
                                                        {"GHSL", 1},
                                                        {"RUSTSEC", 10},
                                                        {"VSV00010", 1},
                                                        {"VSV00011", 1},
                                                        {"XSA", 196},
                                                        {"ZBX", 1},
                                                        {"wnpa", 4}}));
}

TEST(AlpineFeedTest, RealRecords) {
  const Feed* feed = find_feed("alpine");
  const FeedFile file = real_feed(*feed, "alpine/v3.17/main.json");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no real secdb here";
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  const Advisory* zlib = sink.find("alpine-3.17", "CVE-2022-37434");
  ASSERT_NE(zlib, nullptr);
  const auto found = std::ranges::find(zlib->affected, "zlib", &Affected::package);
  ASSERT_NE(found, zlib->affected.end());
  EXPECT_EQ(found->ranges, (std::vector<AffectedRange>{{"", "1.2.12-r2", ""}}));
  const Advisory* xen = sink.find("alpine-3.17", "CVE-2020-29568");
  ASSERT_NE(xen, nullptr);
  EXPECT_EQ(xen->aliases, std::vector<std::string>{"XSA-349"});
  ASSERT_EQ(xen->affected.size(), 2u);
  EXPECT_EQ(xen->affected[0].package, "linux-lts");
  EXPECT_EQ(xen->affected[0].state, FixState::kFixed);
  EXPECT_EQ(xen->affected[1].package, "xen");
  EXPECT_EQ(xen->affected[1].state, FixState::kNotAffected);
  EXPECT_NE(sink.find("alpine-3.17", "XSA-207"), nullptr);
}

}  // namespace
}  // namespace vigil::advisory
