#include "advisory/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <set>

#include "advisory/shard_writer.h"

namespace vigil::advisory {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Coverage kFullCoverage = {.is_fixed_only = false, .is_subset = false};
constexpr Coverage kFixedOnlyCoverage = {.is_fixed_only = true, .is_subset = false};
constexpr Coverage kSubsetCoverage = {.is_fixed_only = false, .is_subset = true};

// Every member of every struct has a value that is not its default.
Advisory full_advisory() {
  Advisory advisory;
  advisory.id = "DSA-5417-1";
  advisory.cves = {"CVE-2023-0464", "CVE-2023-10464", "CVE-2023-00464"};
  advisory.aliases = {"GHSA-aaaa-bbbb-cccc"};
  advisory.source = "debian";
  advisory.vendor_severity = "important";
  advisory.cvss = {{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, "nvd"},
                   {"AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0", 1.0 / 3, ""}};
  advisory.cwes = {"CWE-79", "CWE-20"};
  advisory.published_at = 1'684'886'400;
  advisory.modified_at = 1'684'886'401;
  advisory.url = "https://example.org/\xff\n";
  Affected affected;
  affected.package = "openssl";
  affected.name_kind = NameKind::kEither;
  affected.state = FixState::kUnderInvestigation;
  affected.ranges = {{"0", "1.2", ""}, {"1.3", "", "1.4"}};
  affected.versions = {"1.0", "1.1"};
  affected.fixed_at = -86'401;
  affected.vendor_severity = "low";
  affected.module = "nodejs:18";
  affected.channel = "esm-infra";
  affected.repository = "main";
  affected.arches = {"amd64", "arm64"};
  affected.notice = NoticeKind::kUnsound;
  advisory.affected = {affected};
  return advisory;
}

Affected affected_of(std::string package, std::vector<AffectedRange> ranges) {
  Affected affected;
  affected.package = std::move(package);
  affected.ranges = std::move(ranges);
  return affected;
}

Advisory advisory_of(std::string id, std::string source, std::vector<Affected> affected) {
  Advisory advisory;
  if (is_cve(id)) advisory.cves = {id};
  advisory.id = std::move(id);
  advisory.source = std::move(source);
  advisory.affected = std::move(affected);
  return advisory;
}

// A shard made of what a test adds.
class ShardTest : public testing::Test {
 protected:
  const AdvisoryShard& open() {
    Result<WrittenShard> written = collector_.write();
    EXPECT_TRUE(written.has_value());
    bytes_ = std::move(written->bytes);
    Result<std::unique_ptr<AdvisoryShard>> shard =
        AdvisoryShard::open(as_bytes(bytes_), "debian-12");
    EXPECT_TRUE(shard.has_value()) << shard.error().text();
    shard_ = *std::move(shard);
    return *shard_;
  }

  BytePool texts_;
  AdvisoryCollector collector_{"debian-12", texts_};
  std::string bytes_;
  std::unique_ptr<AdvisoryShard> shard_;
};

TEST_F(ShardTest, EveryFieldComesBack) {
  collector_.sources().add("debian", kFullCoverage, 86'400);
  collector_.add(full_advisory());
  EXPECT_THAT(*open().find("openssl"), ElementsAre(full_advisory()));
}

TEST_F(ShardTest, ARecordOfDefaultsComesBack) {
  collector_.sources().add("debian", kFullCoverage, 0);
  const Advisory plain = advisory_of("", "debian", {affected_of("", {})});
  collector_.add(plain);
  EXPECT_THAT(*open().find(""), ElementsAre(plain));
}

TEST_F(ShardTest, OrderIsBySourceThenId) {
  collector_.sources().add("b", kFullCoverage, 0);
  collector_.sources().add("a", kFullCoverage, 0);
  const std::vector<AffectedRange> below = {{"", "2.0", ""}};
  const Advisory b1 = advisory_of("CVE-2024-0001", "b", {affected_of("x", below)});
  const Advisory a2 = advisory_of("CVE-2024-0002", "a", {affected_of("x", below)});
  const Advisory a1 = advisory_of("CVE-2024-0001", "a", {affected_of("x", below)});
  for (const Advisory& one : {b1, a2, a1}) collector_.add(one);
  EXPECT_THAT(*open().find("x"), ElementsAre(a1, a2, b1));
}

TEST_F(ShardTest, AdvisoriesCarryTheEntriesOfThePackageOnly) {
  collector_.sources().add("a", kFullCoverage, 0);
  const Affected x1 = affected_of("x", {{"", "1", ""}});
  const Affected y = affected_of("y", {{"", "", ""}});
  const Affected x2 = affected_of("x", {{"2", "3", ""}});
  collector_.add(advisory_of("A", "a", {x1, y, x2}));
  open();
  EXPECT_THAT(*shard_->find("x"), ElementsAre(advisory_of("A", "a", {x1, x2})));
  EXPECT_THAT(*shard_->find("y"), ElementsAre(advisory_of("A", "a", {y})));
  EXPECT_THAT(*shard_->find("z"), IsEmpty());
  EXPECT_THAT(*shard_->find_id("A"), ElementsAre(advisory_of("A", "a", {x1, x2, y})));
}

TEST_F(ShardTest, WhatManyAdvisoriesSayStandsOnce) {
  collector_.sources().add("a", kFullCoverage, 0);
  const Affected shared = affected_of("x", {{"", "2.0", ""}});
  const Affected own = affected_of("x", {{"", "1.0", ""}});
  for (const char* id : {"A", "C", "D"}) collector_.add(advisory_of(id, "a", {shared}));
  collector_.add(advisory_of("B", "a", {own, shared}));
  open();
  for (const bool is_kept : {false, true}) {
    std::list<Affected> kept;
    std::set<const Affected*> stands;
    const auto visit = [&](const Advisory& advisory, std::span<const AffectedEntry> entries) {
      EXPECT_EQ(entries.size(), advisory.id == "B" ? 2u : 1u);
      EXPECT_EQ(entries.front().number.has_value(), advisory.id != "B");
      EXPECT_EQ(entries.back().number, 0u);
      stands.insert(entries.back().affected);
      return is_kept;
    };
    ASSERT_TRUE(shard_->each("x", kept, visit));
    ASSERT_EQ(stands.size(), 1u);
    EXPECT_EQ(**stands.begin(), shared);
    std::list<Affected> expected = {shared};
    if (is_kept) expected.push_back(own);
    EXPECT_EQ(kept, expected);
  }
}

TEST_F(ShardTest, WithdrawnAdvisoriesAreCountedAndNotFound) {
  collector_.sources().add("a", kFullCoverage, 0);
  Advisory withdrawn = advisory_of("A", "a", {affected_of("x", {})});
  withdrawn.is_withdrawn = true;
  collector_.add(withdrawn);
  collector_.add(advisory_of("B", "a", {affected_of("x", {})}));
  open();
  EXPECT_THAT(*shard_->find("x"), ElementsAre(advisory_of("B", "a", {affected_of("x", {})})));
  EXPECT_THAT(*shard_->find_id("A"), ElementsAre(withdrawn));
  EXPECT_EQ(shard_->meta().records_count, 2u);
  EXPECT_EQ(shard_->meta().withdrawn_count, 1u);
}

TEST_F(ShardTest, FindsByCveAndAlias) {
  collector_.sources().add("debian", kFullCoverage, 0);
  collector_.add(full_advisory());
  open();
  for (const char* id : {"DSA-5417-1", "CVE-2023-10464", "GHSA-aaaa-bbbb-cccc"}) {
    EXPECT_THAT(*shard_->find_id(id), ElementsAre(full_advisory())) << id;
  }
  EXPECT_THAT(*shard_->find_id("CVE-2023-9999"), IsEmpty());
}

TEST_F(ShardTest, KnowledgeOfSubsetsAndOthers) {
  collector_.sources().add("part", kSubsetCoverage, 0);
  collector_.add(advisory_of("A", "part", {affected_of("named", {})}));
  collector_.add_known_package("part", "listed");
  open();
  EXPECT_EQ(*shard_->knowledge("named"), Knowledge::kFull);
  EXPECT_EQ(*shard_->knowledge("listed"), Knowledge::kFull);
  EXPECT_EQ(*shard_->knowledge("other"), Knowledge::kNone);
  collector_.sources().add("whole", kFixedOnlyCoverage, 0);
  open();
  EXPECT_EQ(*shard_->knowledge("named"), Knowledge::kFull);
  EXPECT_EQ(*shard_->knowledge("other"), Knowledge::kFixedOnly);
}

TEST_F(ShardTest, SilenceOfAPartialSourceSaysNothing) {
  collector_.sources().add("some", {.is_partial = true}, 0);
  collector_.add(advisory_of("A", "some", {affected_of("named", {})}));
  open();
  EXPECT_EQ(shard_->sources()[0].coverage.text(), "partial");
  EXPECT_EQ(*shard_->knowledge("named"), Knowledge::kNone);
}

TEST_F(ShardTest, StatementsOfOneSourceStandSideBySide) {
  collector_.sources().add("debian", kSubsetCoverage, 200);
  collector_.sources().add("debian", kFixedOnlyCoverage, 100);
  collector_.sources().add("debian", kSubsetCoverage, 100);
  open();
  EXPECT_THAT(std::vector<ShardSource>(shard_->sources().begin(), shard_->sources().end()),
              ElementsAre(ShardSource{"debian", kFixedOnlyCoverage, 100},
                          ShardSource{"debian", kSubsetCoverage, 200}));
}

TEST_F(ShardTest, RecordsOfAnUnannouncedSourceAreRefused) {
  collector_.add(advisory_of("A", "nobody", {}));
  const Result<WrittenShard> written = collector_.write();
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error().text(), HasSubstr("nobody"));
}

TEST_F(ShardTest, AnotherNameOrKindIsRefused) {
  open();
  EXPECT_FALSE(AdvisoryShard::open(as_bytes(bytes_), "debian-11").has_value());
  EXPECT_FALSE(FactsShard::open(as_bytes(bytes_)).has_value());
}

// Everything a reader can be asked, as text; the first Error ends it.
Result<std::string> whole_answer(ByteView bytes) {
  const std::unique_ptr<AdvisoryShard> shard = TRY(AdvisoryShard::open(bytes, "debian-12"));
  std::string out;
  const auto say = [&](const std::vector<Advisory>& list) {
    for (const Advisory& one : list) {
      out += one.id + one.source + one.url + std::to_string(one.modified_at);
      for (const Affected& affected : one.affected) {
        out += affected.package + std::to_string(static_cast<int>(affected.state));
        for (const AffectedRange& range : affected.ranges) out += range.fixed;
      }
    }
  };
  for (const char* package : {"p0", "p7", "p49", "openssl", "listed", "absent"}) {
    const std::vector<Advisory> found = TRY(shard->find(package));
    say(found);
    const Knowledge known = TRY(shard->knowledge(package));
    out += std::to_string(static_cast<int>(known));
  }
  const std::vector<Advisory> found = TRY(shard->find_id("CVE-2024-0007"));
  say(found);
  return out;
}

std::string small_shard() {
  BytePool texts;
  AdvisoryCollector collector("debian-12", texts);
  collector.sources().add("debian", kSubsetCoverage, 1);
  collector.add(full_advisory());
  collector.add_known_package("debian", "listed");
  for (int i = 0; i < 50; ++i) {
    collector.add(advisory_of(
        "CVE-2024-" + std::to_string(10'000 + i), "debian",
        {affected_of("p" + std::to_string(i), {{"", "1." + std::to_string(i % 5), ""}})}));
  }
  return collector.write()->bytes;
}

TEST(ShardDamage, NoChangedByteChangesAnAnswer) {
  const std::string good = small_shard();
  const std::string answer = *whole_answer(as_bytes(good));
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char mask : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      const Result<std::string> said = whole_answer(as_bytes(bad));
      ASSERT_FALSE(said.has_value()) << "byte " << at;
      ASSERT_THAT(said.error().text(), HasSubstr("shard debian-12")) << "byte " << at;
    }
  }
  ASSERT_FALSE(answer.empty());
}

TEST(ShardDamage, NoShorterFileOpens) {
  const std::string good = small_shard();
  for (size_t bytes = 0; bytes < good.size(); ++bytes) {
    ASSERT_FALSE(whole_answer(as_bytes(good).first(bytes)).has_value()) << bytes;
  }
  ASSERT_FALSE(whole_answer(as_bytes(good + '\0')).has_value());
}

// Wrong offsets with right checksums: somebody else wrote it. Nothing may be read outside, whatever
// the answer.
TEST(ShardDamage, HostileSectionsAreBounded) {
  const std::string good = small_shard();
  const std::unique_ptr<ShardFile> file =
      *ShardFile::open(as_bytes(good), ShardKind::kAdvisories, "debian-12");
  ShardSections sections;
  for (size_t i = 0; i < kSectionsCount; ++i) {
    sections[i] = as_text(*file->whole(static_cast<Section>(i)));
  }
  ASSERT_EQ(write_shard_file(ShardKind::kAdvisories, sections), good);
  size_t refused_count = 0;
  for (size_t i = 1; i < kSectionsCount; ++i) {
    for (size_t at = 0; at < sections[i].size(); ++at) {
      for (const char value : {'\x00', '\x7f', '\xff'}) {
        ShardSections bad = sections;
        bad[i][at] = value;
        const std::string bytes = write_shard_file(ShardKind::kAdvisories, bad);
        // A copy of the exact size, so that a sanitizer sees a step outside.
        const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
        if (!whole_answer(exact)) ++refused_count;
        if (!check_shard(exact, "debian-12")) ++refused_count;
      }
    }
  }
  EXPECT_GT(refused_count, sections[4].size());
}

// --- Facts and releases -----------------------------------------------------------------------

CveFacts full_facts() {
  CveFacts facts;
  facts.cve = "CVE-2021-44228";
  facts.cvss = {{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "3.1", 10, "nvd"}};
  facts.cwes = {"CWE-502"};
  facts.epss = 0.94358;
  facts.epss_percentile = 0.99957;
  facts.is_known_exploited = true;
  facts.is_ransomware_known = true;
  facts.known_exploited_at = 1'639'094'400;
  facts.published_at = 1'639'131'300;
  facts.is_rejected = true;
  return facts;
}

TEST(FactsShard, EveryFieldComesBack) {
  BytePool texts;
  FactsCollector collector(texts);
  ASSERT_TRUE(collector.add(full_facts()));
  CveFacts plain;
  plain.cve = "CVE-1999-0001";
  ASSERT_TRUE(collector.add(plain));
  const WrittenShard written = *collector.write();
  const std::unique_ptr<FactsShard> shard = *FactsShard::open(as_bytes(written.bytes));
  EXPECT_EQ(*shard->find("CVE-2021-44228"), full_facts());
  EXPECT_EQ(*shard->find("CVE-1999-0001"), plain);
  EXPECT_EQ(*shard->find("CVE-1999-0000"), std::nullopt);
  EXPECT_EQ(*shard->find("CVE-2021-44229"), std::nullopt);
  EXPECT_EQ(*shard->find("GHSA-aaaa-bbbb-cccc"), std::nullopt);
}

TEST(FactsShard, FindsEachOfManyAndNoneBetween) {
  BytePool texts;
  FactsCollector collector(texts);
  const auto facts_of = [](int i) {
    CveFacts facts;
    facts.cve = "CVE-" + std::to_string(2000 + i % 7) + "-" + std::to_string(1000 + i);
    facts.epss = i / 100'000.0;
    facts.epss_percentile = i / 1000.0;
    return facts;
  };
  for (int i = 999; i >= 0; i -= 2) ASSERT_TRUE(collector.add(facts_of(i)));
  const WrittenShard written = *collector.write();
  EXPECT_EQ(written.meta.records_count, 500u);
  const std::unique_ptr<FactsShard> shard = *FactsShard::open(as_bytes(written.bytes));
  for (int i = 0; i < 1000; ++i) {
    const std::optional<CveFacts> expected =
        i % 2 == 1 ? std::optional<CveFacts>(facts_of(i)) : std::nullopt;
    EXPECT_EQ(*shard->find(facts_of(i).cve), expected) << i;
  }
}

TEST(FactsShard, FactsOfSeveralFeedsAreOne) {
  BytePool texts;
  FactsCollector collector(texts);
  CveFacts epss;
  epss.cve = "CVE-2021-44228";
  epss.epss = 0.5;
  epss.epss_percentile = 0.9;
  epss.cwes = {"CWE-20"};
  CveFacts kev;
  kev.cve = "CVE-2021-44228";
  kev.is_known_exploited = true;
  kev.known_exploited_at = 86'400;
  kev.cwes = {"CWE-20", "CWE-502"};
  ASSERT_TRUE(collector.add(epss));
  ASSERT_TRUE(collector.add(kev));
  CveFacts expected = epss;
  expected.is_known_exploited = true;
  expected.known_exploited_at = 86'400;
  expected.cwes = {"CWE-20", "CWE-502"};
  const WrittenShard written = *collector.write();
  EXPECT_EQ(**(*FactsShard::open(as_bytes(written.bytes)))->find(epss.cve), expected);
}

TEST(FactsShard, OddNumbersAreRefused) {
  BytePool texts;
  FactsCollector collector(texts);
  CveFacts facts;
  for (const char* cve : {"CVE-2024-00001", "CVE-2024-99999999999999", "GHSA-x", ""}) {
    facts.cve = cve;
    EXPECT_FALSE(collector.add(facts)) << cve;
  }
}

TEST(ReleasesShard, EveryFieldComesBack) {
  ReleasesCollector collector;
  const ReleaseLife debian = {"debian", "12", "bookworm", 1, 86'400, 172'800};
  const ReleaseLife alpine = {"alpine", "3.20", "", 0, 0, 0};
  collector.add(debian);
  collector.add(alpine);
  const WrittenShard written = *collector.write();
  EXPECT_THAT(*(*ReleasesShard::open(as_bytes(written.bytes)))->all(), ElementsAre(alpine, debian));
}

}  // namespace

}  // namespace vigil::advisory
