#include "advisory/fact_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"

namespace vigil::advisory {
namespace {

const FactTableHead kHead = {.name = "some-facts",
                             .feed = "some",
                             .licence = "CC0-1.0",
                             .attribution = "Somebody",
                             .as_of = 1'700'000'000};

std::string written(const FactRecorder& facts) {
  const Result<std::string> bytes = write_fact_table(kHead, facts);
  EXPECT_TRUE(bytes.has_value());
  return bytes.value_or("");
}

// What comes back of what was told.
FactRecorder through(const FactRecorder& facts) {
  FactRecorder back;
  const Status status = read_fact_table(written(facts), back);
  EXPECT_TRUE(status.has_value()) << status.error().text();
  return back;
}

void expect_equal(const FactRecorder& a, const FactRecorder& b) {
  EXPECT_EQ(a.sources, b.sources);
  EXPECT_EQ(a.known_packages, b.known_packages);
  EXPECT_EQ(a.records, b.records);
  EXPECT_EQ(a.facts, b.facts);
  EXPECT_EQ(a.releases, b.releases);
  EXPECT_EQ(a.epss_at, b.epss_at);
}

// Every member set, and the values that are written in a way of their own.
FactRecorder many_facts() {
  FactRecorder facts;
  facts.add_source("pypi", "osv-pypi", {.is_fixed_only = true, .is_subset = false}, 1'600'000'000);
  facts.add_source("go", "osv-go", {.is_fixed_only = false, .is_subset = true}, 0);
  facts.add_known_package("pypi", "osv-pypi", "requests");
  Affected affected = {.package = "x509",
                       .name_kind = NameKind::kEither,
                       .state = FixState::kUnderInvestigation,
                       .ranges = {{"0", "1.0", ""}, {"2.0", "", "2.5"}},
                       .versions = {"1.0", "1.0", std::string("a\0b", 3)},
                       .fixed_at = 1'500'000'001,
                       .vendor_severity = "low**",
                       .module = "nodejs:18",
                       .channel = "esm-infra",
                       .repository = "main",
                       .arches = {"x86_64", "aarch64"},
                       .notice = NoticeKind::kNotice};
  Advisory advisory = {.id = "CVE-2024-0001",
                       .cves = {"CVE-2024-0001", "CVE-2023-99999", "CVE-2024-00001",
                                "CVE-2024-12345678901", "CVE-2024-123456789"},
                       .aliases = {"GHSA-aaaa-2222-cccc", "GHSA-aaab-2222-cccc", "", "CVE-2024-1"},
                       .source = "osv-pypi",
                       .vendor_severity = "HIGH",
                       .cvss = {*parse_cvss("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
                                {"AV:N/AC:L/Au:N/C:N/I:N/A:P", "2.0", 4.9, "nvd"},
                                {"nonsense", "9", 0.123456789, ""}},
                       .cwes = {"CWE-79", "CWE-89"},
                       .published_at = 1'700'000'000,
                       .modified_at = 86'399,
                       .is_withdrawn = true,
                       .url = "https://example.org/1",
                       .affected = {affected, {}}};
  facts.add("pypi", advisory);
  advisory.id = "PYSEC-2024-1";
  facts.add("pypi", advisory);
  facts.add_facts(
      {.cve = "CVE-2020-0001", .cvss = {}, .cwes = {}, .epss = 0.00043, .epss_percentile = 0.1});
  facts.add_facts({.cve = "CVE-2020-0003",
                   .cvss = advisory.cvss,
                   .cwes = {"CWE-1"},
                   .epss = 1,
                   .epss_percentile = 1,
                   .is_known_exploited = true,
                   .is_ransomware_known = true,
                   .known_exploited_at = 1'700'000'000,
                   .published_at = 3,
                   .is_rejected = true});
  facts.add_facts({.cve = "CVE-2021-0002",
                   .cvss = {},
                   .cwes = {},
                   .epss = 0.000435,
                   .epss_percentile = 0.12345678});
  facts.add_facts({.cve = "CVE-2021-10002", .cvss = {}, .cwes = {}});
  facts.add_release({.distro = "debian",
                     .release = "12",
                     .codename = "bookworm",
                     .released_at = 1'686'355'200,
                     .end_of_life_at = 1'783'728'000,
                     .end_of_extended_life_at = 0});
  facts.add_epss_date(1'769'777'700);
  return facts;
}

TEST(FactTableTest, DamageIsFoundAndNothingIsTold) {
  const std::string bytes = written(many_facts());
  for (size_t i = 0; i < bytes.size(); ++i) {
    FactRecorder sink;
    EXPECT_FALSE(read_fact_table(bytes.substr(0, i), sink).has_value()) << i;
    expect_equal(sink, {});
  }
  // The xz file begins after the head; each of its bytes is under a check sum.
  const size_t body = bytes.find(
      "\xfd"
      "7zXZ");
  ASSERT_NE(body, std::string::npos);
  for (size_t i = body; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
    FactRecorder sink;
    EXPECT_FALSE(read_fact_table(damaged, sink).has_value()) << i;
    expect_equal(sink, {});
  }
}

TEST(FactTableTest, TheHeadIsRead) {
  const Result<FactTableHead> head = read_fact_table_head(written({}));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(*head, kHead);
}

TEST(FactTableTest, EveryMemberComesBack) {
  expect_equal(through(many_facts()), many_facts());
}

TEST(FactTableTest, TheOrderOfTheFeedDoesNotMatter) {
  FactRecorder other = many_facts();
  std::ranges::reverse(other.records);
  std::ranges::reverse(other.facts);
  EXPECT_EQ(written(other), written(many_facts()));
}

}  // namespace
}  // namespace vigil::advisory
