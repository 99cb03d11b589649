// The rules of each matcher, a case a rule.
#include <gtest/gtest.h>

#include "match/fake_database.h"
#include "match/match.h"
#include "match/matcher.h"

namespace vigil::match {
namespace {

// "CVE-… fixed 1.2 (esm-infra)" for each finding.
std::vector<std::string> found(const Sbom& sbom, const FakeDatabase& database) {
  const Result<MatchOutput> output = match_sbom(sbom, database, {});
  EXPECT_TRUE(output.has_value());
  std::vector<std::string> out;
  for (const Finding& finding : output->findings) {
    std::string text = finding.id + " " + std::string(to_string(finding.state));
    for (const std::string& fixed : finding.fixed_versions) text += " " + fixed;
    if (!finding.fix_channel.empty()) text += " (" + finding.fix_channel + ")";
    out.push_back(text);
  }
  return out;
}

using Texts = std::vector<std::string>;

Package with_source(PackageKind kind, std::string name, std::string version, std::string source,
                    std::string source_version) {
  Package package = package_of(kind, std::move(name), std::move(version));
  package.source = {std::move(source), std::move(source_version)};
  return package;
}

Affected in_channel(Affected affected, std::string channel) {
  affected.channel = std::move(channel);
  return affected;
}

TEST(MatchersTest, AreSortedByName) {
  for (size_t i = 1; i < all_matchers().size(); ++i) {
    EXPECT_LT(all_matchers()[i - 1]->name, all_matchers()[i]->name);
  }
}

// --- Debian -----------------------------------------------------------------------------------

TEST(DebianMatcherTest, TheBinarysNameAndVersionSayNothing) {
  FakeDatabase database;
  database.at("debian-12").advisories = {record("CVE-2024-0001", {source_fixed("libcurl4", "9")})};
  EXPECT_EQ(
      found(sbom_of("debian", "12", {with_source(PackageKind::kDeb, "libcurl4", "8", "curl", "8")}),
            database),
      Texts{});
}

TEST(DebianMatcherTest, TheSourceVersionIsCompared) {
  FakeDatabase database;
  database.at("debian-11").advisories = {
      record("CVE-2021-44228", {source_fixed("apache-log4j2", "2.15.0-1~deb11u1")})};
  const Package package = with_source(PackageKind::kDeb, "liblog4j2-java", "99:1", "apache-log4j2",
                                      "2.15.0-1~deb11u1~");
  EXPECT_EQ(found(sbom_of("debian", "11", {package}), database),
            Texts{"CVE-2021-44228 fixed 2.15.0-1~deb11u1"});
}

TEST(DebianMatcherTest, TheGreaterOfTwoFixedVersionsDecides) {
  FakeDatabase database;
  Advisory dsa = record("DSA-1-1", {source_fixed("curl", "7.1-1")}, "debian-lists");
  dsa.cves = {"CVE-2024-0001"};
  Advisory dla = record("DLA-1-1", {source_fixed("curl", "7.1-3")}, "debian-lists");
  dla.cves = {"CVE-2024-0001"};
  database.at("debian-11").advisories = {dsa, dla};
  EXPECT_EQ(
      found(sbom_of("debian", "11", {package_of(PackageKind::kDeb, "curl", "7.1-2")}), database),
      Texts{"CVE-2024-0001 fixed 7.1-3"});
  EXPECT_EQ(
      found(sbom_of("debian", "11", {package_of(PackageKind::kDeb, "curl", "7.1-0")}), database),
      Texts{"CVE-2024-0001 fixed 7.1-3"});
  EXPECT_EQ(
      found(sbom_of("debian", "11", {package_of(PackageKind::kDeb, "curl", "7.1-3")}), database),
      Texts{});
}

TEST(DebianMatcherTest, AFixOverridesALineThatSaysThereIsNone) {
  FakeDatabase database;
  database.at("debian-11").advisories = {
      record("CVE-2020-8631", {source_open("cloud-init", FixState::kWillNotFix)}, "debian-lists"),
      record("CVE-2020-8631", {source_fixed("cloud-init", "20.2-2")}, "debian-tracker")};
  const auto of_version = [&](const char* version) {
    return found(sbom_of("debian", "11", {package_of(PackageKind::kDeb, "cloud-init", version)}),
                 database);
  };
  EXPECT_EQ(of_version("20.2-2"), Texts{});
  EXPECT_EQ(of_version("20.1-1"), Texts{"CVE-2020-8631 fixed 20.2-2"});
}

TEST(DebianMatcherTest, OpenIssuesKeepTheirState) {
  FakeDatabase database;
  database.at("debian-12").advisories = {
      record("CVE-2024-0001", {source_open("curl", FixState::kAffected)}),
      record("CVE-2024-0002", {source_open("curl", FixState::kWillNotFix)}),
      record("CVE-2024-0003", {source_open("curl", FixState::kFixDeferred)}),
      record("CVE-2024-0004", {source_open("curl", FixState::kEndOfLife)}),
      record("CVE-2024-0005", {source_open("curl", FixState::kUnderInvestigation)}),
      record("CVE-2024-0006", {source_open("curl", FixState::kNotAffected)}),
  };
  EXPECT_EQ(
      found(sbom_of("debian", "12", {package_of(PackageKind::kDeb, "curl", "7")}), database),
      (Texts{"CVE-2024-0001 affected", "CVE-2024-0002 will_not_fix", "CVE-2024-0003 fix_deferred",
             "CVE-2024-0004 end_of_life", "CVE-2024-0005 under_investigation"}));
}

// --- Ubuntu -----------------------------------------------------------------------------------

struct UbuntuCase {
  const char* name;
  std::vector<Affected> affected;
  const char* version;
  Texts expected;
};

TEST(UbuntuMatcherTest, Channels) {
  const Affected plain_fix = source_fixed("curl", "7-2");
  const Affected plain_open = source_open("curl", FixState::kAffected);
  const Affected plain_old = source_open("curl", FixState::kEndOfLife);
  const Affected plain_none = source_open("curl", FixState::kNotAffected);
  const Affected esm_fix = in_channel(source_fixed("curl", "7-1+esm1"), "esm-infra");
  const Affected esm_open = in_channel(source_open("curl", FixState::kAffected), "esm-apps");
  const Affected esm_none = in_channel(source_open("curl", FixState::kNotAffected), "esm-infra");
  const Affected fips_fix = in_channel(source_fixed("curl", "7-9+fips"), "fips-updates");
  Affected pending = plain_open;
  pending.ranges = {{"", "7-5", ""}};
  const UbuntuCase cases[] = {
      {"a plain fix decides over ESM", {plain_fix, esm_fix}, "7-1", {"CVE-2024-0001 fixed 7-2"}},
      {"one of two records knows the fix",
       {plain_open, plain_fix},
       "7-1",
       {"CVE-2024-0001 fixed 7-2"}},
      {"and it is installed", {plain_open, plain_fix}, "7-2", {}},
      {"a plain fix that is installed", {plain_fix, esm_open}, "7-2", {}},
      {"not affected decides", {plain_none, esm_open}, "7-1", {}},
      {"ESM is the fix of what the archive leaves open",
       {plain_open, esm_fix},
       "7-1",
       {"CVE-2024-0001 fixed 7-1+esm1 (esm-infra)"}},
      {"an installed ESM fix is a fix", {plain_old, esm_fix}, "7-1+esm1", {}},
      {"ESM found it not affected after the end of support", {plain_old, esm_none}, "7-1", {}},
      {"open in both", {plain_old, esm_open}, "7-1", {"CVE-2024-0001 end_of_life"}},
      {"ESM alone", {esm_fix}, "7-1", {"CVE-2024-0001 fixed 7-1+esm1 (esm-infra)"}},
      {"FIPS builds are another archive", {fips_fix}, "7-1", {}},
      {"a pending fix is no fix yet", {pending}, "7-1", {"CVE-2024-0001 affected"}},
      {"a pending fix that is installed", {pending}, "7-5", {}},
  };
  for (const UbuntuCase& one : cases) {
    FakeDatabase database;
    database.at("ubuntu-20.04").advisories = {record("CVE-2024-0001", one.affected)};
    EXPECT_EQ(
        found(sbom_of("ubuntu", "20.04", {package_of(PackageKind::kDeb, "curl", one.version)}),
              database),
        one.expected)
        << one.name;
  }
}

// --- Alpine and Wolfi -------------------------------------------------------------------------

TEST(AlpineMatcherTest, ZeroMeansNeverAffected) {
  FakeDatabase database;
  database.at("alpine-3.17").advisories = {
      record("CVE-2024-0001", {source_open("xen", FixState::kNotAffected)})};
  EXPECT_EQ(
      found(sbom_of("alpine", "3.17.1", {package_of(PackageKind::kApk, "xen", "1-r0")}), database),
      Texts{});
}

TEST(AlpineMatcherTest, TheOriginDecidesAndNotTheName) {
  FakeDatabase database;
  database.at("alpine-3.17").advisories = {
      record("CVE-2024-0001", {source_fixed("openssl", "3-r1")}),
      record("CVE-2024-0002", {source_fixed("libssl3", "4-r0")})};
  const Package package = with_source(PackageKind::kApk, "libssl3", "3-r0", "openssl", "3-r0");
  EXPECT_EQ(found(sbom_of("alpine", "3.17.1", {package}), database),
            Texts{"CVE-2024-0001 fixed 3-r1"});
}

TEST(AlpineMatcherTest, ACveUnderTwoVersionsIsFixedByTheGreater) {
  FakeDatabase database;
  Affected affected = source_fixed("curl", "8.1-r0");
  affected.ranges.push_back({"", "8.3-r0", ""});
  database.at("alpine-3.17").advisories = {record("CVE-2024-0001", {affected})};
  const auto of_version = [&](const char* version) {
    return found(sbom_of("alpine", "3.17", {package_of(PackageKind::kApk, "curl", version)}),
                 database);
  };
  EXPECT_EQ(of_version("8.0-r0"), Texts{"CVE-2024-0001 fixed 8.3-r0"});
  EXPECT_EQ(of_version("8.1-r0"), Texts{"CVE-2024-0001 fixed 8.3-r0"});
  EXPECT_EQ(of_version("8.3-r0"), Texts{});
}

TEST(WolfiMatcherTest, OriginAndNameAreBothRead) {
  FakeDatabase database;
  database.at("wolfi").advisories = {record("CVE-2024-0001", {source_fixed("openssl", "3-r1")}),
                                     record("GHSA-xxxx", {source_fixed("libssl3", "4-r0")})};
  const Package package = with_source(PackageKind::kApk, "libssl3", "3-r0", "openssl", "3-r0");
  EXPECT_EQ(found(sbom_of("wolfi", "20230201", {package}), database),
            (Texts{"CVE-2024-0001 fixed 3-r1", "GHSA-xxxx fixed 4-r0"}));
}

// --- The rpm family ---------------------------------------------------------------------------

TEST(RpmMatcherTest, AForeignVendorIsNotCheckable) {
  FakeDatabase database;
  database.at("almalinux-9").advisories = {record("ALSA-1", {binary_fixed("nginx", "9-1")})};
  Package foreign = package_of(PackageKind::kRpm, "nginx", "1-1");
  foreign.maintainer = "NGINX Packaging";
  Package own = package_of(PackageKind::kRpm, "nginx", "1-1");
  own.maintainer = "AlmaLinux";
  const Result<MatchOutput> output =
      match_sbom(sbom_of("almalinux", "9.4", {foreign, own}), database, {});
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->verdicts[0],
            (PackageVerdict{PackageState::kNotCheckable,
                            "from a foreign repository: its vendor is NGINX Packaging"}));
  EXPECT_EQ(output->verdicts[1].state, PackageState::kMatched);
}

TEST(RpmMatcherTest, AMissingEpochIsZero) {
  FakeDatabase database;
  database.at("almalinux-9").advisories = {record("ALSA-1", {binary_fixed("bind", "32:9.16-1")})};
  const auto of_version = [&](const char* version) {
    return found(sbom_of("almalinux", "9.4", {package_of(PackageKind::kRpm, "bind", version)}),
                 database);
  };
  EXPECT_EQ(of_version("9.18-1"), Texts{"ALSA-1 fixed 32:9.16-1"});
  EXPECT_EQ(of_version("32:9.16-1"), Texts{});
}

TEST(RpmMatcherTest, ModuleStreamsMatchTheirOwnEntriesOnly) {
  FakeDatabase database;
  Affected stream_18 = binary_fixed("nodejs", "1:18.20-1.module_el8");
  stream_18.module = "nodejs:18";
  Affected stream_20 = binary_fixed("nodejs", "1:20.12-1.module_el8");
  stream_20.module = "nodejs:20";
  database.at("almalinux-8").advisories = {
      record("ALSA-18", {stream_18}), record("ALSA-20", {stream_20}),
      record("ALSA-plain", {binary_fixed("nodejs", "1:30-1")})};
  Package modular = package_of(PackageKind::kRpm, "nodejs", "1:18.10-1.module_el8");
  modular.module = "nodejs:18:8090020230413:rhel8";
  const Package plain = package_of(PackageKind::kRpm, "nodejs", "1:18.10-1.el8");
  EXPECT_EQ(found(sbom_of("almalinux", "8.9", {modular}), database),
            Texts{"ALSA-18 fixed 1:18.20-1.module_el8"});
  EXPECT_EQ(found(sbom_of("almalinux", "8.9", {plain}), database),
            Texts{"ALSA-plain fixed 1:30-1"});
  // Without its label nobody can tell the stream, and silence is not cleanliness.
  modular.module = "";
  const Result<MatchOutput> output =
      match_sbom(sbom_of("almalinux", "8.9", {modular}), database, {});
  ASSERT_TRUE(output.has_value());
  EXPECT_TRUE(output->findings.empty());
  EXPECT_EQ(output->verdicts[0].reason, "built for a module whose stream is not recorded");
}

TEST(RpmMatcherTest, TheArchitectureMustFit) {
  FakeDatabase database;
  Affected affected = binary_fixed("bash", "5.2-2");
  affected.arches = {"x86_64", "aarch64"};
  database.at("rocky-9").advisories = {record("RLSA-1", {affected})};
  Package package = package_of(PackageKind::kRpm, "bash", "5.2-1");
  for (const auto& [arch, count] : {std::pair("s390x", 0u), std::pair("x86_64", 1u),
                                    std::pair("noarch", 1u), std::pair("", 1u)}) {
    package.arch = arch;
    EXPECT_EQ(found(sbom_of("rocky", "9.3", {package}), database).size(), count) << arch;
  }
}

TEST(OracleMatcherTest, FlavoursAreComparedWithThemselves) {
  FakeDatabase database;
  database.at("oracle-8").advisories = {
      record("ELSA-1", {binary_fixed("glibc", "2:2.28-211.0.1.ksplice1.el8")}),
      record("ELSA-2", {binary_fixed("glibc", "2.28-225.0.3.el8")}),
      record("ELSA-3", {binary_fixed("glibc", "10:2.28-1_fips")})};
  const auto of_version = [&](const char* version) {
    return found(sbom_of("oracle", "8.7", {package_of(PackageKind::kRpm, "glibc", version)}),
                 database);
  };
  EXPECT_EQ(of_version("2.28-211.0.1.el8"), Texts{"ELSA-2 fixed 2.28-225.0.3.el8"});
  EXPECT_EQ(of_version("2:2.28-200.ksplice1.el8"),
            Texts{"ELSA-1 fixed 2:2.28-211.0.1.ksplice1.el8"});
  EXPECT_EQ(of_version("10:2.28-0_fips"), Texts{"ELSA-3 fixed 10:2.28-1_fips"});
}

TEST(RedhatMatcherTest, UnfixedIssuesNameTheSource) {
  FakeDatabase database;
  database.at("redhat-9").advisories = {
      record("CVE-2024-0001", {source_open("openssl", FixState::kWillNotFix)}),
      record("CVE-2024-0002", {source_open("openssl", FixState::kAffected),
                               binary_fixed("openssl-libs", "1:3.0-9")})};
  const auto of_version = [&](const char* version) {
    return found(
        sbom_of("redhat", "9.2",
                {with_source(PackageKind::kRpm, "openssl-libs", version, "openssl", "3.0-8")}),
        database);
  };
  EXPECT_EQ(of_version("1:3.0-8"),
            (Texts{"CVE-2024-0001 will_not_fix", "CVE-2024-0002 fixed 1:3.0-9"}));
  EXPECT_EQ(of_version("1:3.0-9"), Texts{"CVE-2024-0001 will_not_fix"});
}

TEST(RedhatMatcherTest, TheFixOfTheOwnLineOfBuildsCounts) {
  FakeDatabase database;
  Affected extended = binary_fixed("curl", "7.76.1-23.el9_2.4");
  extended.channel = "eus-9.2";
  database.at("redhat-9").advisories = {
      record("CVE-2023-38545", {extended, binary_fixed("curl", "7.76.1-26.el9_3.2")})};
  const auto of_version = [&](const char* version) {
    return found(sbom_of("redhat", "9.2", {package_of(PackageKind::kRpm, "curl", version)}),
                 database);
  };
  const Texts affected = {"CVE-2023-38545 fixed 7.76.1-26.el9_3.2"};
  EXPECT_EQ(of_version("7.76.1-23.el9_2.3"), affected);
  EXPECT_EQ(of_version("7.76.1-23.el9_2.4"), Texts{});
  EXPECT_EQ(of_version("7.76.1-26.el9_3.1"), affected);
  EXPECT_EQ(of_version("7.76.1-26.el9"), affected);
  EXPECT_EQ(of_version("7.76.1-26.el9_3.2"), Texts{});
  // Without a fix for everybody, that of a channel does not count as one.
  database.at("redhat-9").advisories = {
      record("CVE-2023-38545", {extended, source_open("curl", FixState::kEndOfLife)})};
  EXPECT_EQ(of_version("7.76.1-23.el9_2.3"), Texts{"CVE-2023-38545 end_of_life"});
  EXPECT_EQ(of_version("7.76.1-23.el9_2.4"), Texts{});
}

TEST(RedhatMatcherTest, CentosLinuxIsReadAsRhelAndStreamIsNot) {
  FakeDatabase database;
  database.at("redhat-8").advisories = {record("RHSA-1", {binary_fixed("bash", "5-2")})};
  Sbom sbom = sbom_of("centos", "8", {package_of(PackageKind::kRpm, "bash", "5-1")});
  EXPECT_EQ(found(sbom, database), Texts{"RHSA-1 fixed 5-2"});
  sbom.distro.pretty_name = "CentOS Stream 8";
  const Result<MatchOutput> output = match_sbom(sbom, database, {});
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->verdicts[0].reason, "no advisories for CentOS Stream in the database");
}

// --- Languages --------------------------------------------------------------------------------

struct LanguageCase {
  PackageKind kind;
  const char* purl;
  const char* name;
  const char* version;
  const char* shard;
  const char* affected;
};

TEST(LanguageMatcherTest, EachEcosystemHasItsNamesAndVersions) {
  const LanguageCase cases[] = {
      {PackageKind::kPypi, "", "Flask_SQLAlchemy.x", "1.0", "pypi", "flask-sqlalchemy-x"},
      {PackageKind::kGo, "pkg:golang/github.com/a/b@v1.2.0", "github.com/a/b", "v1.2.0", "go",
       "github.com/a/b"},
      {PackageKind::kGo, "pkg:golang/stdlib@1.2.0", "stdlib", "go1.2.0", "go", "stdlib"},
      {PackageKind::kMaven, "pkg:maven/org.x/y@1.0", "y", "1.0", "maven", "org.x:y"},
      {PackageKind::kMaven, "", "org.x:y", "1.0", "maven", "org.x:y"},
      {PackageKind::kNpm, "pkg:npm/%40a/b@1.0.0", "@a/b", "1.0.0", "npm", "@a/b"},
      {PackageKind::kCargo, "pkg:cargo/b@1.0.0", "b", "1.0.0", "crates.io", "b"},
      {PackageKind::kComposer, "pkg:composer/A/B@1.0.0", "B", "1.0.0", "packagist", "a/b"},
      {PackageKind::kBitnami, "pkg:bitnami/jre@1.8.0-2", "jre", "1.8.0-2", "bitnami", "jre"},
  };
  for (const LanguageCase& one : cases) {
    FakeDatabase database;
    database.at(one.shard).advisories = {record("X-1", {binary_fixed(one.affected, "1.8.0")})};
    Package package = package_of(one.kind, one.name, one.version);
    package.purl = one.purl;
    const bool is_below = one.kind != PackageKind::kBitnami;
    EXPECT_EQ(found(sbom_of("", "", {package}), database),
              is_below ? Texts{"X-1 fixed 1.8.0"} : Texts{})
        << one.name;
  }
}

TEST(LanguageMatcherTest, RevisionsOfBitnamiCountWhereTheRecordHasThem) {
  const auto answers = [](const AffectedRange& range, const char* version) {
    FakeDatabase database;
    Affected affected = binary_fixed("a", range.fixed);
    affected.ranges = {range};
    database.at("bitnami").advisories = {record("X-1", {affected})};
    return found(sbom_of("", "", {package_of(PackageKind::kBitnami, "a", version)}), database);
  };
  const AffectedRange counting{"", "4.6.0-1", ""};
  EXPECT_EQ(answers(counting, "4.6.0-0"), Texts{"X-1 fixed 4.6.0-1"});
  EXPECT_EQ(answers(counting, "4.6.0"), Texts{"X-1 fixed 4.6.0-1"});
  EXPECT_EQ(answers(counting, "4.6.0-r1"), Texts{});
  EXPECT_EQ(answers(counting, "4.6.0-10"), Texts{});
  const AffectedRange last{"", "", "4.6.0"};
  EXPECT_EQ(answers(last, "4.6.0-3"), Texts{"X-1 affected"});
  EXPECT_EQ(answers(last, "4.6.1-0"), Texts{});
}

TEST(LanguageMatcherTest, GoReleasesAreOrderedWithTheirCandidates) {
  FakeDatabase database;
  database.at("go").advisories = {record("X-1", {binary_fixed("stdlib", "1.21.0-rc.3")})};
  const auto answers = [&](const char* version) {
    return found(sbom_of("", "", {package_of(PackageKind::kGo, "stdlib", version)}), database);
  };
  EXPECT_EQ(answers("go1.21rc2"), Texts{"X-1 fixed 1.21.0-rc.3"});
  EXPECT_EQ(answers("go1.21rc3"), Texts{});
  EXPECT_EQ(answers("v1.21.0"), Texts{});
}

TEST(LanguageMatcherTest, AVersionOutsideTheOrderIsNeverClean) {
  FakeDatabase database;
  database.at("pypi").advisories = {record("X-1", {binary_fixed("a", "1.8.0")})};
  const Result<MatchOutput> output = match_sbom(
      sbom_of("", "", {package_of(PackageKind::kPypi, "b", "not a version")}), database, {});
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->verdicts[0], (PackageVerdict{PackageState::kNotCheckable,
                                                 "its version does not follow the order of pypi"}));
}

}  // namespace
}  // namespace vigil::match
