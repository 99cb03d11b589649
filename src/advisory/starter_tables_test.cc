#include "advisory/starter_tables.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "advisory/feeds_folder.h"
#include "advisory/recording_sink.h"
#include "base/file.h"

namespace vigil::advisory {
namespace {

const std::string kTreeFolder = std::string(VIGIL_SOURCE_DIR) + "/data/starter";
const std::string kRealFeeds = std::string(VIGIL_SOURCE_DIR) + "/../shared/feeds";

// A folder of feeds that goes with the object.
class FeedsInTest {
 public:
  FeedsInTest() : path_(testing::TempDir() + "/vigil-starter-" + std::to_string(getpid())) {}
  FeedsInTest(const FeedsInTest&) = delete;
  FeedsInTest& operator=(const FeedsInTest&) = delete;
  ~FeedsInTest() { std::filesystem::remove_all(path_); }

  void put(const std::string& name, std::string_view text) const {
    const std::string path = path_ + "/" + name;
    EXPECT_TRUE(make_folders(path.substr(0, path.rfind('/'))).has_value());
    EXPECT_TRUE(write_atomically(path, text).has_value());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr std::string_view kKev = R"({"dateReleased":"2026-01-29T20:24:37Z","vulnerabilities":[
  {"cveID":"CVE-2021-44228","dateAdded":"2021-12-10"}]})";
constexpr std::string_view kWolfi = R"({"reponame":"os","packages":[{"pkg":{"name":"curl",
  "secfixes":{"8.0-r1":["CVE-2023-0001"]}}}]})";

std::string wolfi_dated(std::string_view date) {
  return R"({"feeds":[{"path":"wolfi/*","coverage":"fixed-only","as_of":")" + std::string(date) +
         R"("}]})";
}

TEST(StarterTablesTest, WhatMayNotBePassedOnIsRefused) {
  const FeedsInTest feeds;
  feeds.put("wolfi/security.json", kWolfi);
  EXPECT_EQ(make_starter_tables(feeds.path()).error().code, ErrorCode::kDenied);
  feeds.put("coverage.json", wolfi_dated("2025-05-08"));
  EXPECT_EQ(make_starter_tables(feeds.path()).error().code, ErrorCode::kDenied);
  feeds.put("coverage.json", wolfi_dated("2025-05-07"));
  EXPECT_TRUE(make_starter_tables(feeds.path()).has_value());
}

TEST(StarterTablesTest, AFileThatCannotBeReadIsNamed) {
  const FeedsInTest feeds;
  feeds.put("kev/known_exploited_vulnerabilities.json", "{}");
  const auto tables = make_starter_tables(feeds.path());
  ASSERT_FALSE(tables.has_value());
  EXPECT_NE(tables.error().text().find("kev/known_exploited_vulnerabilities.json"),
            std::string::npos);
}

// Sources without files are left out, and files of no source do not matter.
TEST(StarterTablesTest, TheSameFeedsGiveTheSameBytes) {
  const FeedsInTest feeds;
  feeds.put("kev/known_exploited_vulnerabilities.json", kKev);
  feeds.put("wolfi/security.json", kWolfi);
  feeds.put("alpine/v3.17/main.json", kWolfi);
  feeds.put("coverage.json", wolfi_dated("2025-05-07"));
  const auto first = make_starter_tables(feeds.path());
  const auto second = make_starter_tables(feeds.path());
  ASSERT_TRUE(first.has_value() && second.has_value());
  ASSERT_EQ(first->size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ((*first)[i].bytes, (*second)[i].bytes);

  EXPECT_EQ((*first)[0].head.name, "kev");
  EXPECT_EQ(format_date((*first)[0].head.as_of), "2026-01-29");
  RecordingSink sink;
  ASSERT_TRUE(read_fact_table((*first)[1].bytes, sink).has_value());
  EXPECT_EQ(sink.sources,
            (std::vector<RecordingSink::Source>{{"wolfi",
                                                 "wolfi",
                                                 {.is_fixed_only = true, .is_subset = false},
                                                 parse_time_or_zero("2025-05-07")}}));
  EXPECT_NE(sink.find("wolfi", "CVE-2023-0001"), nullptr);
}

// Every real source goes through its table and is the same again.
TEST(StarterTablesTest, RealSourcesComeBack) {
  if (!path_exists(kRealFeeds)) GTEST_SKIP() << "no real feeds here";
  const auto folder = FeedsFolder::open(kRealFeeds);
  ASSERT_TRUE(folder.has_value()) << folder.error().text();
  for (const StarterSource& source : starter_sources()) {
    const Feed* feed = find_feed(source.feed);
    FactRecorder facts;
    for (const FeedFile& file : folder->files_of(*feed)) {
      if (!matches_pattern(std::string(source.pattern), file.path)) continue;
      const Status status = feed->parse(file, facts);
      ASSERT_TRUE(status.has_value()) << status.error().text();
    }
    if (source.name == "eol-alpine") continue;  // Not among the real feeds.
    EXPECT_GT(facts.records.size() + facts.facts.size() + facts.releases.size(), 0u) << source.name;
    const auto bytes = write_fact_table({}, facts);
    FactRecorder back;
    ASSERT_TRUE(bytes.has_value() && read_fact_table(*bytes, back).has_value()) << source.name;
    std::ranges::stable_sort(facts.records, {}, [](const FactRecorder::Record& record) {
      return std::tie(record.shard, record.advisory.source, record.advisory.id);
    });
    EXPECT_TRUE(back.sources == facts.sources) << source.name;
    EXPECT_TRUE(back.known_packages == facts.known_packages) << source.name;
    EXPECT_TRUE(back.records == facts.records) << source.name;
    EXPECT_TRUE(back.releases == facts.releases) << source.name;
    EXPECT_EQ(back.epss_at, facts.epss_at);
    const auto by_cve = [](const CveFacts& one) {
      return std::pair(one.cve.size() > 8 ? one.cve.substr(0, 8) : "", one.cve);
    };
    std::ranges::stable_sort(back.facts, {}, by_cve);
    std::ranges::stable_sort(facts.facts, {}, by_cve);
    EXPECT_TRUE(back.facts == facts.facts) << source.name;
  }
}

TEST(StarterTablesTest, TheTreesTablesAreThoseOfTheList) {
  std::vector<StarterTable> tables;
  uint64_t bytes_count = 0;
  for (const StarterSource& source : starter_sources()) {
    const auto bytes =
        read_file(kTreeFolder + "/" + std::string(source.name) + ".facts", kStarterTablesBytesMax);
    ASSERT_TRUE(bytes.has_value()) << bytes.error().text();
    const auto head = read_fact_table_head(*bytes);
    ASSERT_TRUE(head.has_value()) << source.name;
    EXPECT_EQ(head->name, source.name);
    EXPECT_EQ(head->feed, source.feed);
    EXPECT_EQ(head->licence, source.licence);
    EXPECT_EQ(head->attribution, source.attribution);
    FactRecorder facts;
    ASSERT_TRUE(read_fact_table(*bytes, facts).has_value()) << source.name;
    bytes_count += bytes->size();
    tables.push_back(
        {.head = *head,
         .bytes = *bytes,
         .records_count = facts.records.size() + facts.facts.size() + facts.releases.size(),
         .skipped = {}});
  }
  EXPECT_LE(bytes_count, kStarterTablesBytesMax);
  EXPECT_EQ(read_file(kTreeFolder + "/ATTRIBUTION.md", 1 << 20).value_or(""),
            starter_attribution(tables));
  for (const auto& entry : std::filesystem::directory_iterator(kTreeFolder)) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name == "ATTRIBUTION.md" ||
                std::ranges::any_of(
                    tables, [&](const StarterTable& table) { return table.file_name() == name; }))
        << name << " is of no source";
  }
}

}  // namespace
}  // namespace vigil::advisory
