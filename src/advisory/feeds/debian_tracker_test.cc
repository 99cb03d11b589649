#include <gtest/gtest.h>

#include <algorithm>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

constexpr const char* kDerived = "debian/derived/tracker-shaped-resolved-2026-11-22.json.gz";

// The fixed version the feed states for a package, "" where it states none.
std::string fixed_version(const RecordingSink& sink, const std::string& shard,
                          const std::string& package, const std::string& cve) {
  const Advisory* advisory = sink.find(shard, cve);
  if (advisory == nullptr) return "";
  const auto found = std::ranges::find(advisory->affected, package, &Affected::package);
  return found == advisory->affected.end() ? "" : found->ranges.at(0).fixed;
}

TEST(DebianTrackerFeedTest, AMissingFileIsAnError) {
  RecordingSink sink;
  const FeedFile file{.path = "debian/tracker.json",
                      .absolute_path = testing::TempDir() + "/not-there.json",
                      .coverage = {},
                      .as_of = 0};
  EXPECT_FALSE(find_feed("debian-tracker")->parse(file, sink).has_value());
}

TEST(DebianTrackerFeedTest, WhatCoverageSaysOfTheDateHolds) {
  const TemporaryFeed file(
      R"({"p":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"open"}}}}})");
  const std::pair<FeedFile, UnixSeconds> cases[] = {
      {file.at("debian/tracker.json", {}, 7), 7},
      {file.at("debian/tracker.json"), 0},
      {file.at("debian/derived/tracker-shaped-resolved-1970-01-02.json.gz", {}, 7), 7},
      {file.at("debian/derived/tracker-shaped-resolved-1970-01-02.json.gz"), 86400},
  };
  for (const auto& [one, as_of] : cases) {
    RecordingSink sink;
    ASSERT_TRUE(find_feed("debian-tracker")->parse(one, sink).has_value()) << one.path;
    EXPECT_EQ(sink.sources.at(0).as_of, as_of) << one.path;
    EXPECT_EQ(sink.sources.at(0).coverage.is_subset, one.path != "debian/tracker.json");
  }
}

TEST(DebianTrackerFeedTest, RealFileIsReadWhole) {
  const Feed* feed = find_feed("debian-tracker");
  const FeedFile file = real_feed(*feed, kDerived);
  if (file.absolute_path.empty()) GTEST_SKIP() << "no " << kDerived << " here";
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  EXPECT_TRUE(sink.skipped.empty());
  EXPECT_EQ(sink.affected_count("debian-11"), 6287u);
  EXPECT_EQ(sink.affected_count("debian-12"), 7847u);
  EXPECT_EQ(sink.affected_count("debian-13"), 6048u);
  std::set<std::string> cves;
  std::set<std::string> packages;
  for (const auto& [shard, advisories] : sink.shards) {
    for (const Advisory& advisory : advisories) {
      cves.insert(advisory.id);
      for (const Affected& affected : advisory.affected) packages.insert(affected.package);
    }
  }
  EXPECT_EQ(cves.size(), 11146u);
  EXPECT_EQ(packages.size(), 140u);
  // It says of itself what the file's name does not: a subset, fixed issues only.
  for (const RecordingSink::Source& source : sink.sources) {
    EXPECT_EQ(source.coverage.text(), "subset, fixed-only") << source.shard;
    EXPECT_EQ(format_date(source.as_of), "2026-11-22") << source.shard;
  }

  EXPECT_EQ(fixed_version(sink, "debian-11", "glibc", "CVE-2015-7547"), "2.21-8");
  EXPECT_EQ(fixed_version(sink, "debian-12", "glibc", "CVE-2015-7547"), "2.21-8");
  EXPECT_EQ(fixed_version(sink, "debian-13", "glibc", "CVE-2015-7547"), "2.21-8");
  EXPECT_EQ(fixed_version(sink, "debian-11", "glibc", "CVE-2023-4911"), "2.31-13+deb11u7");
  EXPECT_EQ(fixed_version(sink, "debian-12", "glibc", "CVE-2023-4911"), "2.36-9+deb12u3");
  EXPECT_EQ(fixed_version(sink, "debian-13", "glibc", "CVE-2023-4911"), "2.37-12");
  EXPECT_EQ(fixed_version(sink, "debian-11", "curl", "CVE-2023-38545"), "7.74.0-1.3+deb11u10");
  EXPECT_EQ(fixed_version(sink, "debian-12", "curl", "CVE-2023-38545"), "7.88.1-10+deb12u4");
  EXPECT_EQ(fixed_version(sink, "debian-13", "curl", "CVE-2023-38545"), "8.3.0-3");
}

}  // namespace
}  // namespace vigil::advisory
