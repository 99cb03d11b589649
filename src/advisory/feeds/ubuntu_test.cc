#include <gtest/gtest.h>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

constexpr const char* kTracker = "ubuntu/ubuntu-cve-tracker-2024-02-16.tar.xz";

TEST(UbuntuFeedTest, AMissingArchiveIsAnError) {
  RecordingSink sink;
  const FeedFile file{.path = kTracker,
                      .absolute_path = testing::TempDir() + "/not-there.tar.xz",
                      .coverage = {},
                      .as_of = 0};
  EXPECT_FALSE(find_feed("ubuntu")->parse(file, sink).has_value());
}

TEST(UbuntuFeedTest, AFileOfTheFolderForm) {
  const TemporaryFeed file(
      "Candidate: CVE-2024-0001\nPublicDate: 2024-01-02 00:00:00 UTC\nfocal_p: needed\n");
  RecordingSink sink;
  ASSERT_TRUE(find_feed("ubuntu")->parse(file.at("ubuntu/active/CVE-2024-0001"), sink).has_value());
  EXPECT_EQ(sink.affected_count("ubuntu-20.04"), 1u);
  ASSERT_EQ(sink.sources.size(), 1u);
  EXPECT_EQ(format_date(sink.sources[0].as_of), "2024-01-02");
}

// Counts without keeping: the whole tracker is a million rows.
class CountingSink : public RecordingSink {
 public:
  void add(std::string_view shard, Advisory advisory) override {
    cves.insert(advisory.id);
    for (const Affected& affected : advisory.affected) {
      ++states[affected.state];
      if (advisory.id == "CVE-2022-37434" && affected.package == "zlib" &&
          shard == "ubuntu-16.04") {
        zlib.push_back(affected);
      }
    }
    if (!advisory.cvss.empty()) scored.insert(advisory.id);
  }
  std::set<std::string> cves;
  std::set<std::string> scored;
  std::map<FixState, size_t> states;
  std::vector<Affected> zlib;
};

TEST(UbuntuFeedTest, RealTrackerIsReadWhole) {
  const Feed* feed = find_feed("ubuntu");
  const FeedFile file = real_feed(*feed, kTracker);
  if (file.absolute_path.empty()) GTEST_SKIP() << "no " << kTracker << " here";
  CountingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  EXPECT_EQ(sink.cves.size(), 46475u);
  EXPECT_EQ(sink.scored.size(), 29569u);
  const std::map<FixState, size_t> states = {
      {FixState::kAffected, 17842},           {FixState::kFixed, 199998},
      {FixState::kWillNotFix, 63042},         {FixState::kFixDeferred, 2948},
      {FixState::kEndOfLife, 273704},         {FixState::kNotAffected, 336725},
      {FixState::kUnderInvestigation, 64048},
  };
  EXPECT_EQ(sink.states, states);
  const std::map<std::string, size_t> skipped = {
      {"ubuntu: a file of the folder ignored", 379},  // With them, the 47,152 of the archive.
      {"ubuntu: released, without a version", 104},
  };
  EXPECT_EQ(sink.skipped, skipped);
  EXPECT_EQ(sink.sources.size(), 36u);
  ASSERT_EQ(sink.zlib.size(), 2u);
  EXPECT_EQ(sink.zlib[0].state, FixState::kEndOfLife);
  EXPECT_EQ(sink.zlib[1].state, FixState::kFixed);
  EXPECT_EQ(sink.zlib[1].channel, "esm-infra");
  EXPECT_EQ(sink.zlib[1].ranges,
            (std::vector<AffectedRange>{{"", "1:1.2.8.dfsg-2ubuntu4.3+esm2", ""}}));
}

}  // namespace
}  // namespace vigil::advisory
