#include "match/match.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "match/fake_database.h"

namespace vigil::match {
namespace {

using advisory::Knowledge;

MatchOutput matched(const Sbom& sbom, const FakeDatabase& database, MatchOptions options = {}) {
  Result<MatchOutput> output = match_sbom(sbom, database, options);
  EXPECT_TRUE(output.has_value()) << output.error().text();
  return *std::move(output);
}

std::vector<std::string> ids(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& finding : findings) out.push_back(finding.id);
  return out;
}

using Ids = std::vector<std::string>;

// --- Verdicts ---------------------------------------------------------------------------------

struct VerdictCase {
  std::string name;
  Sbom sbom;
  PackageState state;
  std::string reason;
};

TEST(MatchTest, EveryPackageHasOneVerdictWithItsReason) {
  FakeDatabase database;
  database.at("debian-12").knowledge_of = {{"curl", Knowledge::kFull},
                                           {"zlib", Knowledge::kFixedOnly}};
  database.at("debian-12").otherwise = Knowledge::kNone;
  database.at("debian-12").advisories = {record("CVE-2024-1", {}),
                                         record("CVE-2024-0001", {source_fixed("curl", "8")})};
  database.at("pypi").otherwise = Knowledge::kNone;
  database.at("debian-11").is_damaged = true;
  const PackageKind deb = PackageKind::kDeb;
  const VerdictCase cases[] = {
      {"no release in the database",
       sbom_of("alpine", "3.20.1", {package_of(PackageKind::kApk, "a", "1")}),
       PackageState::kNotCheckable, "no advisories for alpine 3.20 in the database"},
      {"no distribution", sbom_of("", "", {package_of(deb, "curl", "7")}),
       PackageState::kNotCheckable, "the distribution is not known"},
      {"no release", sbom_of("debian", "", {package_of(deb, "curl", "7")}),
       PackageState::kNotCheckable, "the release of debian is not known"},
      {"a distribution without feeds", sbom_of("slackware", "15", {package_of(deb, "curl", "7")}),
       PackageState::kNotCheckable, "no advisories for slackware 15 in the database"},
      {"another kind", sbom_of("debian", "12", {package_of(PackageKind::kApk, "curl", "7")}),
       PackageState::kNotCheckable, "debian 12 has no apk packages"},
      {"an unknown kind", sbom_of("debian", "12", {package_of(PackageKind::kUnknown, "x", "7")}),
       PackageState::kNotCheckable, "its kind is not known"},
      {"no version", sbom_of("debian", "12", {package_of(deb, "curl", "")}),
       PackageState::kNotCheckable, "it has no version"},
      {"a damaged shard", sbom_of("debian", "11", {package_of(deb, "curl", "7")}),
       PackageState::kNotCheckable, "the shard debian-11 is damaged"},
      {"outside a subset", sbom_of("debian", "12", {package_of(deb, "bash", "5")}),
       PackageState::kNotCheckable,
       "the database knows a part of debian 12 only, and not this package"},
      {"a language without feed", sbom_of("", "", {package_of(PackageKind::kGem, "x", "5")}),
       PackageState::kNotCheckable, "no advisories for rubygems in the database"},
      {"matched", sbom_of("debian", "12", {package_of(deb, "curl", "7")}), PackageState::kMatched,
       ""},
      {"clean", sbom_of("debian", "12", {package_of(deb, "curl", "8")}), PackageState::kClean, ""},
      {"fixed issues only", sbom_of("debian", "12", {package_of(deb, "zlib", "1")}),
       PackageState::kNoKnownFixMissing, ""},
  };
  for (const VerdictCase& one : cases) {
    const MatchOutput output = matched(one.sbom, database);
    ASSERT_EQ(output.verdicts.size(), 1u) << one.name;
    EXPECT_EQ(output.verdicts[0], (PackageVerdict{one.state, one.reason})) << one.name;
  }
}

TEST(MatchTest, ADamagedShardIsAGapOnce) {
  FakeDatabase database;
  database.at("debian-11").is_damaged = true;
  const Sbom sbom =
      sbom_of("debian", "11",
              {package_of(PackageKind::kDeb, "a", "1"), package_of(PackageKind::kDeb, "b", "1")});
  EXPECT_EQ(matched(sbom, database).gaps,
            (std::vector<Gap>{
                {GapKind::kMalformed, "debian-11", "block 3 of debian-11 is damaged", ""}}));
  EXPECT_TRUE(std::ranges::all_of(matched(sbom, database).verdicts, is_damage));
}

TEST(MatchTest, SilenceAboutATextThatIsNoVersionIsNotCheckable) {
  FakeDatabase database;
  database.at("debian-12").otherwise = Knowledge::kFull;
  database.at("go").advisories = {record("GO-2024-1", {binary_fixed("stdlib", "1.22.0")})};
  const auto verdict = [&](PackageKind kind, std::string name, std::string version) {
    return matched(sbom_of("debian", "12", {package_of(kind, std::move(name), std::move(version))}),
                   database)
        .verdicts[0];
  };
  const auto unordered = [](std::string of) {
    return PackageVerdict{PackageState::kNotCheckable,
                          "its version does not follow the order of " + of};
  };
  EXPECT_EQ(verdict(PackageKind::kDeb, "curl", "<none>"), unordered("debian"));
  EXPECT_EQ(verdict(PackageKind::kDeb, "curl", "1").state, PackageState::kClean);
  EXPECT_EQ(verdict(PackageKind::kGo, "stdlib", "(devel)"), unordered("go"));
  EXPECT_EQ(verdict(PackageKind::kGo, "stdlib", "1.21.0").state, PackageState::kMatched);
}

TEST(MatchTest, AnOverlongVersionIsAGap) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")})};
  Package package = package_of(PackageKind::kDeb, "curl", "");
  package.version.assign(limits::kVersionBytesMax + 1, '1');
  const MatchOutput output = matched(sbom_of("debian", "12", {package}), database);
  ASSERT_EQ(output.gaps.size(), 1u);
  EXPECT_EQ(output.gaps[0].limit, "kVersionBytesMax");
  EXPECT_EQ(output.verdicts[0].state, PackageState::kNotCheckable);
  EXPECT_TRUE(output.findings.empty());
}

TEST(MatchTest, APackageOfAnotherDistributionIsJudgedByItsOwn) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")})};
  Package package = package_of(PackageKind::kDeb, "curl", "7");
  package.distro = "debian-12";
  EXPECT_EQ(ids(matched(sbom_of("ubuntu", "22.04", {package}), database).findings),
            Ids{"CVE-2024-0001"});
}

// --- Identity ---------------------------------------------------------------------------------

TEST(MatchTest, WithdrawnAdvisoriesNeverMatch) {
  FakeDatabase database;
  Advisory withdrawn = record("CVE-2024-0001", {source_fixed("curl", "8")});
  withdrawn.is_withdrawn = true;
  database.at("debian-12").advisories = {withdrawn};
  const Sbom sbom = sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")});
  EXPECT_TRUE(matched(sbom, database).findings.empty());
}

TEST(MatchTest, ABulletinWithTwoCvesGivesTwoFindings) {
  FakeDatabase database;
  Advisory bulletin = record("DSA-1-1", {source_fixed("curl", "8")}, "debian-lists");
  bulletin.cves = {"CVE-2024-0001", "CVE-2024-0002"};
  bulletin.aliases = {"TEMP-1"};
  database.at("debian-12").advisories = {bulletin};
  const MatchOutput output =
      matched(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database);
  ASSERT_EQ(ids(output.findings), (Ids{"CVE-2024-0001", "CVE-2024-0002"}));
  for (const Finding& finding : output.findings) {
    ASSERT_EQ(finding.advisories.size(), 1u);
    EXPECT_EQ(finding.advisories[0].id, "DSA-1-1");
    EXPECT_TRUE(finding.aliases.empty());
  }
}

TEST(MatchTest, ARecordWithoutCveKeepsItsOwnId) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("DSA-2-1", {source_fixed("curl", "8")})};
  EXPECT_EQ(
      ids(matched(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database)
              .findings),
      Ids{"DSA-2-1"});
}

Advisory pypi_record(const char* id, Ids cves, Ids aliases, const char* fixed) {
  Affected affected = binary_fixed("jinja2", fixed);
  Advisory advisory = record(id, {affected}, "osv");
  advisory.cves = std::move(cves);
  advisory.aliases = std::move(aliases);
  return advisory;
}

TEST(MatchTest, RecordsOfOneCveAreOneFinding) {
  FakeDatabase database;
  database.at("pypi").advisories = {
      pypi_record("GHSA-2", {"CVE-2024-0001"}, {}, "3.1.3"),
      pypi_record("PYSEC-1", {"CVE-2024-0001"}, {"GHSA-2"}, "3.1.4"),
  };
  const MatchOutput output =
      matched(sbom_of("", "", {package_of(PackageKind::kPypi, "Jinja2", "3.1.2")}), database);
  ASSERT_EQ(ids(output.findings), Ids{"CVE-2024-0001"});
  const Finding& finding = output.findings[0];
  ASSERT_EQ(finding.advisories.size(), 2u);
  EXPECT_EQ(finding.advisories[0].id, "GHSA-2");
  EXPECT_EQ(finding.advisories[1].id, "PYSEC-1");
  EXPECT_EQ(finding.aliases, (Ids{"GHSA-2", "PYSEC-1"}));
  // 3.1.3 is still affected by what the other record says, so it is no fix.
  EXPECT_EQ(finding.fixed_versions, Ids{"3.1.4"});
}

TEST(MatchTest, RecordsThatAliasEachOtherWithoutCveAreOneFinding) {
  FakeDatabase database;
  database.at("pypi").advisories = {
      pypi_record("GO-1", {}, {"GHSA-1"}, "4.0"),
      pypi_record("GHSA-1", {}, {}, "4.0"),
      pypi_record("GHSA-3", {}, {}, "4.0"),
  };
  const MatchOutput output =
      matched(sbom_of("", "", {package_of(PackageKind::kPypi, "jinja2", "3")}), database);
  ASSERT_EQ(ids(output.findings), (Ids{"GHSA-1", "GHSA-3"}));
  EXPECT_EQ(output.findings[0].advisories.size(), 2u);
  EXPECT_EQ(output.findings[0].aliases, Ids{"GO-1"});
}

TEST(MatchTest, ARecordWithoutCveJoinsTheCveOfItsAlias) {
  FakeDatabase database;
  database.at("pypi").advisories = {
      pypi_record("GHSA-1", {"CVE-2024-0001"}, {}, "4.0"),
      pypi_record("PYSEC-1", {}, {"GHSA-1"}, "4.0"),
  };
  EXPECT_EQ(ids(matched(sbom_of("", "", {package_of(PackageKind::kPypi, "jinja2", "3")}), database)
                    .findings),
            Ids{"CVE-2024-0001"});
}

TEST(MatchTest, NoticesStandApartAndMatchNothing) {
  FakeDatabase database;
  Affected affected;
  affected.package = "atty";
  affected.ranges = {{"", "", ""}};
  affected.notice = NoticeKind::kUnmaintained;
  database.at("crates.io").advisories = {record("RUSTSEC-2024-0375", {affected})};
  const MatchOutput output =
      matched(sbom_of("", "", {package_of(PackageKind::kCargo, "atty", "0.2.14")}), database);
  EXPECT_TRUE(output.findings.empty());
  ASSERT_EQ(ids(output.notices), Ids{"RUSTSEC-2024-0375"});
  EXPECT_EQ(output.notices[0].notice, NoticeKind::kUnmaintained);
  EXPECT_EQ(output.verdicts[0].state, PackageState::kClean);
}

// --- Fixes ------------------------------------------------------------------------------------

TEST(MatchTest, TheNearestFixAboveTheInstalledVersionComesFirst) {
  FakeDatabase database;
  Affected affected = binary_fixed("django", "3.2.25");
  affected.ranges = {{"3.2", "3.2.25", ""}, {"4.2", "4.2.11", ""}, {"5.0", "5.0.3", ""}};
  database.at("pypi").advisories = {record("CVE-2024-27351", {affected})};
  const MatchOutput output =
      matched(sbom_of("", "", {package_of(PackageKind::kPypi, "Django", "4.2.1")}), database);
  ASSERT_EQ(output.findings.size(), 1u);
  EXPECT_EQ(output.findings[0].state, FixState::kFixed);
  EXPECT_EQ(output.findings[0].fixed_versions, (Ids{"4.2.11", "5.0.3"}));
  EXPECT_EQ(output.findings[0].advisories[0].range, ">= 4.2, < 4.2.11");
}

TEST(MatchTest, AListedVersionMatches) {
  FakeDatabase database;
  Affected affected;
  affected.package = "x";
  affected.versions = {"1.0", "1.2"};
  database.at("pypi").advisories = {record("CVE-2024-0001", {affected})};
  const Sbom sbom = sbom_of(
      "", "",
      {package_of(PackageKind::kPypi, "x", "1.1"), package_of(PackageKind::kPypi, "x", "1.2")});
  const MatchOutput output = matched(sbom, database);
  ASSERT_EQ(output.findings.size(), 1u);
  EXPECT_EQ(output.findings[0].package, 1u);
  EXPECT_EQ(output.findings[0].state, FixState::kAffected);
  EXPECT_EQ(output.findings[0].advisories[0].range, "= 1.2");
}

// --- Severity, facts, order -------------------------------------------------------------------

TEST(MatchTest, SeverityIsTheVendorsWordElseCvssOfTheAdvisoryElseOfTheFacts) {
  FakeDatabase database;
  Advisory word = record("CVE-2024-0001", {source_fixed("curl", "8")}, "debian-tracker");
  word.affected[0].vendor_severity = "low";
  Advisory own = record("CVE-2024-0002", {source_fixed("curl", "8")}, "debian-tracker");
  own.affected[0].vendor_severity = "not yet assigned";
  own.cvss = {{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, ""}};
  const Advisory none = record("CVE-2024-0003", {source_fixed("curl", "8")}, "debian-tracker");
  const Advisory unknown = record("CVE-2024-0004", {source_fixed("curl", "8")});
  database.at("debian-12").advisories = {word, own, none, unknown};
  const Cvss low = {"CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "3.0", 1.8, "nvd"};
  const Cvss version_2 = {"AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 10.0, "nvd"};
  for (const char* cve : {"CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"}) {
    CveFacts facts;
    facts.cve = cve;
    facts.cvss = {version_2, low};
    database.facts_of.push_back(facts);
  }
  const MatchOutput output =
      matched(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database);
  ASSERT_EQ(output.findings.size(), 4u);
  struct Row {
    std::string id;
    Severity severity;
    std::string source;
    std::string word;
    bool operator==(const Row&) const = default;
  };
  std::vector<Row> rows;
  for (const Finding& one : output.findings) {
    rows.push_back({one.id, one.severity, one.severity_source, one.vendor_severity});
  }
  EXPECT_EQ(rows, (std::vector<Row>{
                      {"CVE-2024-0002", Severity::kCritical, "cvss-3.1", "not yet assigned"},
                      {"CVE-2024-0001", Severity::kLow, "debian-tracker", "low"},
                      {"CVE-2024-0003", Severity::kLow, "nvd cvss-3.0", ""},
                      {"CVE-2024-0004", Severity::kUnknown, "", ""},
                  }));
}

TEST(MatchTest, TheMostUrgentFindingComesFirst) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")}),
                                         record("CVE-2024-0002", {source_fixed("curl", "8")}),
                                         record("CVE-2024-0003", {source_fixed("curl", "8")})};
  CveFacts scored;
  scored.cve = "CVE-2024-0002";
  scored.epss = 0.5;
  CveFacts exploited;
  exploited.cve = "CVE-2024-0003";
  exploited.epss = 0.1;
  exploited.is_known_exploited = true;
  exploited.known_exploited_at = 1700000000;
  database.facts_of = {scored, exploited};
  const MatchOutput output =
      matched(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database);
  EXPECT_EQ(ids(output.findings), (Ids{"CVE-2024-0003", "CVE-2024-0002", "CVE-2024-0001"}));
  EXPECT_NEAR(output.findings[0].risk, 52.5, 1e-9);
  EXPECT_NEAR(output.findings[1].risk, 25, 1e-9);
  EXPECT_EQ(output.findings[0].known_exploited_at, 1700000000);
}

TEST(MatchTest, TheNumberOfThreadsChangesNothing) {
  FakeDatabase database;
  Sbom sbom = sbom_of("debian", "12", {});
  for (int i = 0; i < 200; ++i) {
    const std::string name = "p" + std::to_string(i % 50);
    sbom.packages.push_back(package_of(PackageKind::kDeb, name, std::to_string(i)));
    database.at("debian-12")
        .advisories.push_back(
            record("CVE-2024-" + std::to_string(1000 + i), {source_fixed(name, "100")}));
  }
  // One package with more than all others; every id from two records.
  for (int i = 0; i < 1000; ++i) {
    database.at("debian-12")
        .advisories.push_back(record("CVE-2025-" + std::to_string(1000 + i % 500),
                                     {source_fixed("p7", std::to_string(10 + i % 3))},
                                     i < 500 ? "a" : "b"));
  }
  const MatchOutput one = matched(sbom, database, {.now = 0, .threads_count = 1});
  EXPECT_GT(one.findings.size(), 600u);
  for (const size_t threads : {2u, 8u}) {
    const MatchOutput many = matched(sbom, database, {.now = 0, .threads_count = threads});
    EXPECT_EQ(many.findings, one.findings);
    EXPECT_EQ(many.verdicts, one.verdicts);
  }
}

TEST(MatchTest, AFingerprintIsOfTheInstanceAndTheId) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")}),
                                         record("CVE-2024-0002", {source_fixed("curl", "8")})};
  const auto fingerprints = [&](const char* purl, const char* place) {
    Package package = package_of(PackageKind::kDeb, "curl", "7");
    package.purl = purl;
    package.location.path = place;
    std::vector<std::string> out;
    for (const Finding& one : matched(sbom_of("debian", "12", {package}), database).findings) {
      out.push_back(one.fingerprint);
    }
    return out;
  };
  const char* place = "var/lib/dpkg/status";
  const std::vector<std::string> base =
      fingerprints("pkg:deb/debian/curl@7?arch=amd64&distro=debian-12", place);
  ASSERT_EQ(base.size(), 2u);
  EXPECT_EQ(base[0].size(), 32u);
  EXPECT_NE(base[0], base[1]);
  EXPECT_EQ(fingerprints("pkg:deb/debian/curl@7?arch=amd64&distro=debian-12.4", place), base);
  EXPECT_NE(fingerprints("pkg:deb/debian/curl@7?arch=arm64&distro=debian-12", place), base);
  EXPECT_NE(fingerprints("pkg:deb/debian/curl@7?arch=amd64&distro=debian-12", "srv/status"), base);
}

// --- What is said of the data -----------------------------------------------------------------

TEST(MatchTest, EndOfLifeIsSaidWithTheDateOfTheData) {
  FakeDatabase database;
  database.at("debian-10").add_source(parse_time_or_zero("2023-04-01"));
  ReleaseLife life;
  life.distro = "debian";
  life.release = "10";
  life.end_of_life_at = parse_time_or_zero("2022-09-10");
  life.end_of_extended_life_at = parse_time_or_zero("2024-06-30");
  database.lives = {life};
  const Sbom sbom = sbom_of("debian", "10", {package_of(PackageKind::kDeb, "curl", "7")});
  const auto text = [&](const char* now) {
    return matched(sbom, database, {.now = parse_time_or_zero(now), .threads_count = 1})
        .end_of_life;
  };
  EXPECT_EQ(text("2022-09-09"), "");
  EXPECT_EQ(text("2023-01-01"),
            "debian 10 reached its end of life on 2022-09-10; extended support runs until "
            "2024-06-30; the advisories for it are of 2023-04-01");
  EXPECT_EQ(text("2025-01-01"),
            "debian 10 reached its end of life on 2022-09-10; extended support ended on "
            "2024-06-30; the advisories for it are of 2023-04-01");
}

TEST(MatchTest, SilencePastAllSupportIsNotCheckable) {
  FakeDatabase database;
  database.at("debian-10").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")})};
  ReleaseLife life;
  life.distro = "debian";
  life.release = "10";
  life.end_of_life_at = parse_time_or_zero("2022-09-10");
  life.end_of_extended_life_at = parse_time_or_zero("2024-06-30");
  database.lives = {life};
  const Sbom sbom = sbom_of(
      "debian", "10",
      {package_of(PackageKind::kDeb, "curl", "7"), package_of(PackageKind::kDeb, "zlib", "1")});
  const auto verdicts = [&](const char* now) {
    return matched(sbom, database, {.now = parse_time_or_zero(now), .threads_count = 1}).verdicts;
  };
  const PackageVerdict found = {PackageState::kMatched, ""};
  EXPECT_EQ(verdicts("2024-06-29"),
            (std::vector<PackageVerdict>{found, {PackageState::kClean, ""}}));
  EXPECT_EQ(
      verdicts("2024-06-30"),
      (std::vector<PackageVerdict>{
          found, {PackageState::kNotCheckable, "debian 10 has had no support since 2024-06-30"}}));
}

TEST(MatchTest, WhatTheSystemSaysOfItsSupportCountsWhereNobodyElseKnows) {
  FakeDatabase database;
  database.at("fedora-41").advisories = {record("CVE-2024-0001", {source_fixed("curl", "8")})};
  Sbom sbom = sbom_of("fedora", "41", {package_of(PackageKind::kRpm, "zlib", "1")});
  const auto output = [&](const char* now) {
    return matched(sbom, database, {.now = parse_time_or_zero(now), .threads_count = 1});
  };
  EXPECT_EQ(output("2026-01-01").end_of_life, "");
  sbom.distro.support_ends_at = parse_time_or_zero("2025-11-26");
  EXPECT_EQ(output("2025-11-25").end_of_life, "");
  EXPECT_EQ(output("2026-01-01").end_of_life, "fedora 41 reached its end of life on 2025-11-26");
  EXPECT_EQ(output("2026-01-01").verdicts,
            (std::vector<PackageVerdict>{
                {PackageState::kNotCheckable, "fedora 41 has had no support since 2025-11-26"}}));
  ReleaseLife life;
  life.distro = "fedora";
  life.release = "41";
  life.end_of_life_at = parse_time_or_zero("2026-06-01");
  database.lives = {life};
  EXPECT_EQ(output("2026-01-01").end_of_life, "");
}

TEST(MatchTest, OnlyShardsThatWereLookedIntoAreNamed) {
  FakeDatabase database;
  database.at("debian-12").add_source(200);
  database.at("debian-12").add_source(100);
  database.at("pypi").add_source(50);
  const MatchOutput output =
      matched(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database);
  ASSERT_EQ(output.database.shards.size(), 1u);
  EXPECT_EQ(output.database.shards[0].name, "debian-12");
  EXPECT_EQ(output.database.oldest_source_at, 100);
}

}  // namespace
}  // namespace vigil::match
