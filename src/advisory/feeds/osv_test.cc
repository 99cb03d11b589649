#include <gtest/gtest.h>

#include <algorithm>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

using Counts = std::map<std::string, size_t>;

// The real archive of an ecosystem; false where it is not there, and the test skips.
bool read_real(const std::string& ecosystem, RecordingSink& sink) {
  const Feed* feed = find_feed("osv");
  const FeedFile file = real_feed(*feed, "osv/" + ecosystem + "/all.zip");
  if (file.absolute_path.empty()) return false;
  const Status status = feed->parse(file, sink);
  EXPECT_TRUE(status.has_value()) << status.error().text();
  return true;
}

std::string as_of(const RecordingSink& sink) {
  return sink.sources.empty() ? "" : format_date(sink.sources[0].as_of);
}

Counts states_of(const RecordingSink& sink, const std::string& shard) {
  Counts counts;
  for (const Advisory& advisory : sink.shards.at(shard)) {
    for (const Affected& one : advisory.affected) ++counts[std::string(to_string(one.state))];
  }
  return counts;
}

size_t count_if(const RecordingSink& sink, const std::string& shard, auto predicate) {
  return static_cast<size_t>(std::ranges::count_if(sink.shards.at(shard), predicate));
}

size_t packages_count(const RecordingSink& sink, const std::string& shard) {
  std::set<std::string> names;
  for (const Advisory& advisory : sink.shards.at(shard)) {
    for (const Affected& one : advisory.affected) names.insert(one.package);
  }
  return names.size();
}

TEST(OsvFeedTest, AMissingFileIsAnError) {
  RecordingSink sink;
  for (const char* path : {"osv/PyPI/all.zip", "osv/PyPI/X-1.json"}) {
    const FeedFile file{.path = path,
                        .absolute_path = testing::TempDir() + "/not-there",
                        .coverage = {},
                        .as_of = 0};
    EXPECT_FALSE(find_feed("osv")->parse(file, sink).has_value());
  }
}

TEST(OsvFeedTest, ARecordOfAFolder) {
  const TemporaryFeed file(
      R"({"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"A"},"versions":["1.0.0"]}]})");
  RecordingSink sink;
  ASSERT_TRUE(find_feed("osv")->parse(file.at("osv/npm/X-1.json", {}, 7), sink).has_value());
  EXPECT_EQ(sink.affected_count("npm"), 1u);
  EXPECT_EQ(sink.sources, (std::vector<RecordingSink::Source>{{"npm", "osv-npm", {}, 7}}));
}

TEST(OsvFeedTest, AnEcosystemWithoutMatcherIsCounted) {
  const TemporaryFeed file("{}");
  RecordingSink sink;
  ASSERT_TRUE(find_feed("osv")->parse(file.at("osv/OSS-Fuzz/X-1.json"), sink).has_value());
  EXPECT_EQ(sink.skipped, (Counts{{"osv: a file of an ecosystem that is not matched", 1}}));
  EXPECT_TRUE(sink.sources.empty());
}

TEST(OsvFeedTest, RealPyPI) {
  RecordingSink sink;
  if (!read_real("PyPI", sink)) GTEST_SKIP() << "no real osv/PyPI/all.zip here";
  // The 2,661 records; one, withdrawn, names no version.
  EXPECT_EQ(sink.skipped, (Counts{{"osv: a package without versions", 1}}));
  EXPECT_EQ(sink.shards.at("pypi").size(), 2660u);
  EXPECT_EQ(packages_count(sink, "pypi"), 664u);
  EXPECT_EQ(as_of(sink), "2024-10-10");
  EXPECT_EQ(states_of(sink, "pypi"), (Counts{{"affected", 177}, {"fixed", 2483}}));
  EXPECT_EQ(count_if(sink, "pypi", [](const Advisory& a) { return !a.cvss.empty(); }), 202u);
  EXPECT_EQ(count_if(sink, "pypi", [](const Advisory& a) { return a.is_withdrawn; }), 9u);
  // One record's date is of the year 1: it is not known.
  EXPECT_EQ(count_if(sink, "pypi", [](const Advisory& a) { return a.modified_at == 0; }), 1u);
  // 175 as published; 30 of them list their releases, and their commits end.
  const auto is_endless = [](const Advisory& a) {
    return std::ranges::any_of(a.affected.at(0).ranges, [](const AffectedRange& range) {
      return range.fixed.empty() && range.last_affected.empty();
    });
  };
  EXPECT_EQ(count_if(sink, "pypi", is_endless), 145u);
}

TEST(OsvFeedTest, RealCratesIo) {
  RecordingSink sink;
  if (!read_real("crates.io", sink)) GTEST_SKIP() << "no real osv/crates.io/all.zip here";
  EXPECT_EQ(sink.skipped, Counts());
  EXPECT_EQ(sink.shards.at("crates.io").size(), 1206u);
  EXPECT_EQ(packages_count(sink, "crates.io"), 908u);
  EXPECT_EQ(as_of(sink), "2026-08-21");
  Counts notices;
  for (const Advisory& advisory : sink.shards.at("crates.io")) {
    for (const Affected& one : advisory.affected) ++notices[std::string(to_string(one.notice))];
  }
  EXPECT_EQ(notices, (Counts{{"", 730}, {"unmaintained", 267}, {"unsound", 203}, {"notice", 6}}));
}

TEST(OsvFeedTest, RealGo) {
  RecordingSink sink;
  if (!read_real("Go", sink)) GTEST_SKIP() << "no real osv/Go/all.zip here";
  EXPECT_EQ(sink.skipped, Counts());
  EXPECT_EQ(sink.shards.at("go").size(), 4291u);
  EXPECT_EQ(packages_count(sink, "go"), 1373u);
  // Hardly a record has a date; coverage.json has one for the file.
  EXPECT_EQ(as_of(sink), "2022-12-14");
  // Of the 2,250 entries without a fix, those that custom_ranges bound have one now.
  EXPECT_EQ(states_of(sink, "go"), (Counts{{"affected", 1740}, {"fixed", 4320}}));
  const Advisory* ingress = sink.find("go", "GO-2024-2428");
  ASSERT_NE(ingress, nullptr);
  EXPECT_EQ(ingress->affected.at(0).ranges, (std::vector<AffectedRange>{{"", "1.9.0", ""}}));
  EXPECT_EQ(count_if(sink, "go", [](const Advisory& a) { return a.modified_at != 0; }), 0u);
}

TEST(OsvFeedTest, RealBitnami) {
  RecordingSink sink;
  if (!read_real("Bitnami", sink)) GTEST_SKIP() << "no real osv/Bitnami/all.zip here";
  EXPECT_EQ(sink.skipped, Counts());
  EXPECT_EQ(sink.shards.at("bitnami").size(), 7444u);
  EXPECT_EQ(packages_count(sink, "bitnami"), 177u);
  size_t last_affected = 0;
  for (const Advisory& advisory : sink.shards.at("bitnami")) {
    for (const AffectedRange& range : advisory.affected.at(0).ranges) {
      last_affected += !range.last_affected.empty();
    }
  }
  EXPECT_EQ(last_affected, 225u);
  EXPECT_EQ(count_if(sink, "bitnami", [](const Advisory& a) { return !a.cvss.empty(); }), 7433u);
  EXPECT_EQ(count_if(sink, "bitnami", [](const Advisory& a) { return a.vendor_severity.empty(); }),
            0u);
}

TEST(OsvFeedTest, RealMaven) {
  RecordingSink sink;
  if (!read_real("Maven", sink)) GTEST_SKIP() << "no real osv/Maven/all.zip here";
  EXPECT_EQ(sink.skipped, (Counts{{"osv: a package of another ecosystem than the file's", 22}}));
  EXPECT_EQ(sink.shards.at("maven").size(), 368u);
  EXPECT_EQ(packages_count(sink, "maven"), 159u);
  EXPECT_EQ(sink.shards.size(), 1u);
  EXPECT_EQ(as_of(sink), "2024-08-27");
}

TEST(OsvFeedTest, RealAlmaLinux) {
  RecordingSink sink;
  if (!read_real("AlmaLinux", sink)) GTEST_SKIP() << "no real osv/AlmaLinux/all.zip here";
  EXPECT_EQ(sink.skipped, (Counts{{"osv: an erratum that is not about security", 1200}}));
  std::set<std::string> ids;
  Counts severities;
  size_t modular = 0;
  size_t of_a_stream = 0;
  size_t without_cve = 0;
  for (const auto& [shard, advisories] : sink.shards) {
    for (const Advisory& advisory : advisories) {
      if (!ids.insert(advisory.id).second) continue;
      ++severities[advisory.vendor_severity];
      without_cve += advisory.cves.empty();
    }
    for (const Advisory& advisory : advisories) {
      for (const Affected& one : advisory.affected) {
        modular += one.ranges.at(0).fixed.find("module_el") != std::string::npos;
        of_a_stream += !one.module.empty();
      }
    }
  }
  EXPECT_EQ(ids.size(), 4437u);
  EXPECT_EQ(without_cve, 9u);
  EXPECT_EQ(severities,
            (Counts{{"Low", 154}, {"Moderate", 1888}, {"Important", 2361}, {"Critical", 34}}));
  EXPECT_EQ(modular, 16567u);
  EXPECT_EQ(of_a_stream, 16463u);
  const Counts records = {{"almalinux-8", sink.shards.at("almalinux-8").size()},
                          {"almalinux-9", sink.shards.at("almalinux-9").size()},
                          {"almalinux-10", sink.shards.at("almalinux-10").size()}};
  EXPECT_EQ(records, (Counts{{"almalinux-8", 2040}, {"almalinux-9", 1780}, {"almalinux-10", 660}}));
}

}  // namespace
}  // namespace vigil::advisory
