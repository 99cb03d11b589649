#include <gtest/gtest.h>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

TEST(DebianListsFeedTest, AMissingFileIsAnError) {
  RecordingSink sink;
  const FeedFile file{.path = "debian/security-tracker/data/DSA/list",
                      .absolute_path = testing::TempDir() + "/not-there",
                      .coverage = {},
                      .as_of = 0};
  EXPECT_FALSE(find_feed("debian-lists")->parse(file, sink).has_value());
}

TEST(DebianListsFeedTest, RealListsAreReadWhole) {
  const Feed* feed = find_feed("debian-lists");
  struct Case {
    const char* list;
    size_t fixes;       // Lines with a package, over all releases.
    size_t advisories;  // With a package.
    const char* newest;
    std::map<std::string, size_t> skipped;
  };
  const Case cases[] = {
      {"DSA", 6988, 5383, "2023-03-29", {{"debian-lists: an advisory that names no package", 23}}},
      {"DLA", 3535, 3530, "2023-04-01", {{"debian-lists: an advisory that names no package", 4}}},
      {"DTSA", 208, 207, "2011-01-07", {{"debian-lists: an advisory that names no package", 1}}},
  };
  std::set<std::tuple<std::string, std::string, std::string>> pairs;  // CVE, package, version.
  for (const Case& one : cases) {
    const std::string path = "debian/security-tracker/data/" + std::string(one.list) + "/list";
    const FeedFile file = real_feed(*feed, path);
    if (file.absolute_path.empty()) GTEST_SKIP() << "no " << path << " here";
    RecordingSink sink;
    ASSERT_TRUE(feed->parse(file, sink).has_value()) << path;
    size_t fixes = 0;
    std::set<std::string> ids;
    for (const auto& [shard, advisories] : sink.shards) {
      for (const Advisory& advisory : advisories) {
        ids.insert(advisory.id);
        for (const Affected& affected : advisory.affected) {
          fixes += std::max<size_t>(affected.ranges.size(), 1);
          if (affected.state != FixState::kFixed) continue;
          for (const std::string& cve : advisory.cves) {
            pairs.emplace(cve, affected.package, affected.ranges.at(0).fixed);
          }
        }
      }
    }
    EXPECT_EQ(fixes, one.fixes) << path;
    EXPECT_EQ(ids.size(), one.advisories) << path;
    EXPECT_EQ(sink.skipped, one.skipped) << path;
    EXPECT_EQ(format_date(sink.sources.at(0).as_of), one.newest) << path;
  }
  EXPECT_EQ(pairs.size(), 34602u);
}

}  // namespace
}  // namespace vigil::advisory
