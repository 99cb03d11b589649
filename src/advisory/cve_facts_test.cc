#include "advisory/cve_facts.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"
#include "base/json.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {
namespace {

using Skipped = std::map<std::string, size_t>;
using Sources = std::vector<RecordingSink::Source>;

FeedFile plain_file(UnixSeconds as_of = 0) {
  return {.path = "", .absolute_path = "", .coverage = {}, .as_of = as_of};
}

const CveFacts* find(const RecordingSink& sink, std::string_view cve) {
  const auto found = std::ranges::find(sink.facts, cve, &CveFacts::cve);
  return found == sink.facts.end() ? nullptr : &*found;
}

bool is_chosen(const Feed& feed, const std::string& path) {
  return std::ranges::any_of(feed.patterns, [&](std::string_view pattern) {
    return fnmatch(std::string(pattern).c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

TEST(CveFactsTest, OtherDocumentsAreRefused) {
  RecordingSink sink;
  for (const char* text : {"", "{", "[]", "{}", R"({"vulnerabilities":{}})", "cve,score\n"}) {
    EXPECT_FALSE(add_kev(text, plain_file(), sink).has_value()) << text;
    EXPECT_FALSE(add_epss(text, plain_file(), sink).has_value()) << text;
    EXPECT_FALSE(add_nvd(text, plain_file(), sink).has_value()) << text;
    EXPECT_FALSE(add_cve_record(text, sink).has_value()) << text;
  }
  EXPECT_TRUE(sink.facts.empty());
  EXPECT_TRUE(sink.sources.empty());
}

TEST(KevTest, RecordsAndWhatIsNone) {
  RecordingSink sink;
  ASSERT_TRUE(add_kev(R"({"dateReleased":"2026-01-29T20:24:37.0959Z","vulnerabilities":[
      {"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","knownRansomwareCampaignUse":"Known",
       "cwes":["CWE-20","CWE-20","CWE-917x","CWE-502"]},
      {"cveID":"CVE-21","dateAdded":"2021-12-10"},
      {"cveID":"CVE-2026-1281","dateAdded":"soon","knownRansomwareCampaignUse":"Unknown"}]})",
                      plain_file(), sink)
                  .has_value());
  std::vector<CveFacts> expected(2);
  expected[0].cve = "CVE-2021-44228";
  expected[0].cwes = {"CWE-20", "CWE-502"};
  expected[0].is_known_exploited = true;
  expected[0].is_ransomware_known = true;
  expected[0].known_exploited_at = parse_time_or_zero("2021-12-10");
  expected[1].cve = "CVE-2026-1281";
  expected[1].is_known_exploited = true;
  EXPECT_EQ(sink.facts, expected);
  EXPECT_EQ(sink.skipped, (Skipped{{"kev: a record without a CVE id", 1}}));
  EXPECT_EQ(sink.sources,
            (Sources{{"facts", "kev", {}, parse_time_or_zero("2026-01-29T20:24:37Z")}}));
}

TEST(KevTest, RealCatalog) {
  const Feed* feed = find_feed("kev");
  const FeedFile file = real_feed(*feed, "kev/known_exploited_vulnerabilities.json");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no real KEV catalog here";
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  EXPECT_EQ(sink.facts.size(), 1501u);
  EXPECT_EQ(std::ranges::count_if(sink.facts, &CveFacts::is_ransomware_known), 308);
  EXPECT_TRUE(sink.skipped.empty());
  EXPECT_EQ(find(sink, "CVE-2015-7547"), nullptr);
  ASSERT_NE(find(sink, "CVE-2014-0160"), nullptr);
  // A dated folder is an older catalog.
  EXPECT_TRUE(is_chosen(*feed, file.path));
  EXPECT_FALSE(is_chosen(*feed, "kev/2025-08-25/known_exploited_vulnerabilities.json"));
}

TEST(EpssTest, LinesAndWhatIsNone) {
  RecordingSink sink;
  ASSERT_TRUE(add_epss("#model_version:v2025.03.14,score_date:2026-01-30T12:55:00Z\r\n"
                       "cve,epss,percentile\r\n"
                       "CVE-1999-0001,0.01151,0.78086\r\n"
                       "CVE-1999-1170,2e-05,0.00039\n\n"
                       "CVE-1999-0002,1.5,0.1\nCVE-1999-0003,0.1\nCVE-1999-0004,0.1,0.2,0.3\n"
                       "CVE-1,0.1,0.2\nCVE-2014-0160,0.94464,1",
                       plain_file(), sink)
                  .has_value());
  std::vector<CveFacts> expected(3);
  const double scores[][2] = {{0.01151, 0.78086}, {0.00002, 0.00039}, {0.94464, 1}};
  const char* const cves[] = {"CVE-1999-0001", "CVE-1999-1170", "CVE-2014-0160"};
  for (size_t i = 0; i < 3; ++i) {
    expected[i].cve = cves[i];
    expected[i].epss = scores[i][0];
    expected[i].epss_percentile = scores[i][1];
  }
  EXPECT_EQ(sink.facts, expected);
  EXPECT_EQ(sink.skipped, (Skipped{{"epss: a line that is not understood", 4}}));
  EXPECT_EQ(sink.epss_at, parse_time_or_zero("2026-01-30T12:55:00Z"));
  EXPECT_EQ(sink.sources, (Sources{{"facts", "epss", {}, sink.epss_at}}));
}

// Two days in one folder: only the newer one is told.
TEST(EpssTest, TheNewestFileCounts) {
  const std::string folder = testing::TempDir() + "/vigil-epss-" + std::to_string(getpid());
  ASSERT_TRUE(make_folders(folder).has_value());
  const std::string old_path = folder + "/epss_scores-current.csv";
  const std::string new_path = folder + "/epss_scores-2026-02-01.csv";
  const std::string rest = "T00:00:00Z\ncve,epss,percentile\nCVE-2024-0001,0.5,0.5\n";
  ASSERT_TRUE(write_atomically(old_path, "#score_date:2026-01-31" + rest).has_value());
  ASSERT_TRUE(write_atomically(new_path, "#score_date:2026-02-01" + rest).has_value());
  RecordingSink old_sink;
  RecordingSink new_sink;
  FeedFile file = plain_file();
  file.absolute_path = old_path;
  EXPECT_TRUE(find_feed("epss")->parse(file, old_sink).has_value());
  file.absolute_path = new_path;
  EXPECT_TRUE(find_feed("epss")->parse(file, new_sink).has_value());
  EXPECT_TRUE(old_sink.facts.empty());
  EXPECT_TRUE(old_sink.sources.empty());
  EXPECT_EQ(old_sink.skipped, (Skipped{{"epss: a file of scores beside a newer one", 1}}));
  EXPECT_EQ(new_sink.facts.size(), 1u);
  EXPECT_EQ(new_sink.epss_at, parse_time_or_zero("2026-02-01"));
  unlink(old_path.c_str());
  unlink(new_path.c_str());
  rmdir(folder.c_str());
}

TEST(EpssTest, RealScores) {
  const Feed* feed = find_feed("epss");
  const FeedFile file = real_feed(*feed, "epss/epss_scores-2026-01-30.csv.gz");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no real EPSS scores here";
  ASSERT_TRUE(is_chosen(*feed, file.path));
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(file, sink).has_value());
  EXPECT_EQ(sink.facts.size(), 313'089u);
  EXPECT_TRUE(sink.skipped.empty());
  EXPECT_EQ(format_time(sink.epss_at), "2026-01-30T12:55:00Z");
  EXPECT_EQ(find(sink, "CVE-2014-0160")->epss, 0.94464);
  EXPECT_EQ(find(sink, "CVE-2015-7547")->epss, 0.93872);
  EXPECT_EQ(find(sink, "CVE-2024-3094")->epss, 0.87479);
}

TEST(NvdTest, ARecord) {
  RecordingSink sink;
  ASSERT_TRUE(add_nvd(R"({"timestamp":"2026-02-01T00:00:00.000","vulnerabilities":[{"cve":{
      "id":"CVE-2024-0001","published":"2024-03-29T17:15:21.150","vulnStatus":"Analyzed",
      "metrics":{
        "cvssMetricV2":[{"source":"nvd@nist.gov","cvssData":{"vectorString":
          "AV:N/AC:L/Au:N/C:N/I:N/A:P"}}],
        "cvssMetricV31":[{"source":"cna@example.org","cvssData":{"vectorString":
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},{"source":"x","cvssData":{}}],
        "cvssMetricV40":[{"source":"134c704f-9b21-4f2e-91b3-4a467353bcc0","cvssData":{
          "vectorString":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"}}]},
      "weaknesses":[{"description":[{"value":"CWE-79"},{"value":"NVD-CWE-noinfo"}]}]}},
     {"cve":{"id":"CVE-2024-0002","vulnStatus":"Rejected"}},{"cve":{"id":"x"}}]})",
                      plain_file(), sink)
                  .has_value());
  std::vector<CveFacts> expected(2);
  expected[0].cve = "CVE-2024-0001";
  expected[0].cvss = {
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", 10, "cisa-adp"},
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, "cna@example.org"},
      {"AV:N/AC:L/Au:N/C:N/I:N/A:P", "2.0", 5, "nvd"}};
  expected[0].cwes = {"CWE-79"};
  expected[0].published_at = parse_time_or_zero("2024-03-29T17:15:21Z");
  expected[1].cve = "CVE-2024-0002";
  expected[1].is_rejected = true;
  EXPECT_EQ(sink.facts, expected);
  EXPECT_EQ(sink.skipped, (Skipped{{"a CVSS vector that is not understood", 1},
                                   {"nvd: a record without a CVE id", 1}}));
  EXPECT_EQ(sink.sources, (Sources{{"facts", "nvd", {}, parse_time_or_zero("2026-02-01")}}));
}

// Every score that the samples hold is the one computed from its vector.
TEST(NvdTest, RealSamples) {
  const FeedFile samples = real_feed(*find_feed("nvd"), "nvd/nvd-2.0-samples.zip");
  if (samples.absolute_path.empty()) GTEST_SKIP() << "no samples of NVD here";
  RecordingSink sink;
  size_t metrics_count = 0;
  const auto read = [&](std::string_view name, std::string_view content) -> Status {
    TRY(with_context(add_nvd(content, samples, sink), name));
    JsonDocument document;
    const JsonView root = TRY(document.parse(content));
    root["vulnerabilities"].each([&](JsonView one) {
      one["cve"]["metrics"].each_member([&](std::string_view, JsonView metrics) {
        metrics.each([&](JsonView metric) {
          if (!metric["cvssData"]) return;  // SSVC.
          ++metrics_count;
          const CveFacts* facts = find(sink, one["cve"]["id"].text());
          const auto cvss = std::ranges::find(
              facts->cvss, metric["cvssData"]["vectorString"].text(), &Cvss::vector);
          ASSERT_NE(cvss, facts->cvss.end()) << name;
          EXPECT_LT(std::abs(cvss->score - metric["cvssData"]["baseScore"].number()), 0.01);
          EXPECT_EQ(cvss->version, metric["cvssData"]["version"].text());
        });
      });
    });
    return {};
  };
  ASSERT_TRUE(decode::each_member(samples.absolute_path, read).has_value());
  EXPECT_EQ(sink.facts.size(), 61u);
  EXPECT_EQ(metrics_count, 86u);
  EXPECT_TRUE(sink.skipped.empty());
  // The samples and what else Anchore keeps in that folder are no feed.
  const Feed& feed = *find_feed("nvd");
  EXPECT_TRUE(is_chosen(feed, "nvd/nvdcve-2.0-2024.json.gz"));
  EXPECT_TRUE(is_chosen(feed, "nvd/page-0001.json"));
  EXPECT_FALSE(is_chosen(feed, "nvd/nvd-2.0-samples.zip"));
  EXPECT_FALSE(is_chosen(feed, "nvd/nvd-data-overrides-2026-08-21.tar.xz"));
}

TEST(VulnrichmentTest, RealSubset) {
  const Feed* feed = find_feed("vulnrichment");
  const FeedFile file = real_feed(*feed, "vulnrichment/vulnrichment-2024-10-24-subset.tar.xz");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no vulnrichment here";
  ASSERT_TRUE(is_chosen(*feed, file.path));
  RecordingSink sink;
  const Status status = feed->parse(file, sink);
  ASSERT_TRUE(status.has_value()) << status.error().text();
  EXPECT_EQ(sink.facts.size(), 4728u);
  EXPECT_EQ(std::ranges::count_if(sink.facts, &CveFacts::is_rejected), 5);
  EXPECT_EQ(
      std::ranges::count_if(sink.facts, [](const CveFacts& facts) { return !facts.cvss.empty(); }),
      2801);
  const CveFacts* facts = find(sink, "CVE-2024-7383");
  ASSERT_NE(facts, nullptr);
  CveFacts expected;
  expected.cve = "CVE-2024-7383";
  expected.cvss = {{"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N", "3.1", 7.4, "redhat"}};
  expected.cwes = {"CWE-295"};
  expected.published_at = parse_time_or_zero("2024-08-05T13:19:13Z");
  EXPECT_EQ(*facts, expected);
}

}  // namespace
}  // namespace vigil::advisory
