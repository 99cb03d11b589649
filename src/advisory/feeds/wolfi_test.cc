#include <gtest/gtest.h>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

RecordingSink parsed(const std::string& path) {
  const TemporaryFeed file(
      R"({"reponame":"os","packages":[{"pkg":{"name":"curl",
          "secfixes":{"8.0-r1":["CVE-2023-0001"],"0":["GHSA-aaaa-2222-cccc"]}}}]})");
  RecordingSink sink;
  EXPECT_TRUE(find_feed("wolfi")->parse(file.at(path, {}, 5), sink).has_value());
  return sink;
}

TEST(WolfiFeedTest, AMissingFileIsAnError) {
  RecordingSink sink;
  EXPECT_FALSE(find_feed("wolfi")
                   ->parse({.path = "wolfi/security.json",
                            .absolute_path = testing::TempDir() + "/not-there.json",
                            .coverage = {},
                            .as_of = 0},
                           sink)
                   .has_value());
}

TEST(WolfiFeedTest, ThePlaceSaysWhoseItIs) {
  const RecordingSink wolfi = parsed("wolfi/security.json");
  const RecordingSink chainguard = parsed("chainguard/security.json");
  EXPECT_EQ(wolfi.sources, (std::vector<RecordingSink::Source>{{"wolfi", "wolfi", {}, 5}}));
  EXPECT_EQ(chainguard.sources,
            (std::vector<RecordingSink::Source>{{"chainguard", "chainguard", {}, 5}}));
  EXPECT_EQ(chainguard.shards.at("chainguard").at(0).source, "chainguard");
}

TEST(WolfiFeedTest, GhsaIdsAndDeterminationsStay) {
  const RecordingSink sink = parsed("wolfi/security.json");
  const Advisory* advisory = sink.find("wolfi", "GHSA-aaaa-2222-cccc");
  ASSERT_NE(advisory, nullptr);
  EXPECT_TRUE(advisory->cves.empty());
  EXPECT_EQ(advisory->affected.at(0).state, FixState::kNotAffected);
}

TEST(WolfiFeedTest, RealFileIsReadWhole) {
  const Feed* feed = find_feed("wolfi");
  const FeedFile file = real_feed(*feed, "wolfi/security.json");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no real wolfi/security.json here";
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  EXPECT_TRUE(sink.skipped.empty());
  std::set<std::string> packages;
  size_t fixes = 0;
  for (const Advisory& advisory : sink.shards.at("wolfi")) {
    for (const Affected& affected : advisory.affected) {
      packages.insert(affected.package);
      fixes += std::max<size_t>(affected.ranges.size(), 1);
    }
  }
  EXPECT_EQ(packages.size(), 1228u);
  EXPECT_EQ(fixes, 16653u);
}

}  // namespace
}  // namespace vigil::advisory
