#include "advisory/osv.h"

#include <gtest/gtest.h>

#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

RecordingSink read(std::string_view ecosystem, std::string_view json) {
  RecordingSink sink;
  const FeedFile file;
  OsvReader reader(*find_osv_ecosystem(ecosystem), file, sink);
  EXPECT_TRUE(reader.add(json).has_value());
  reader.finish();
  return sink;
}

// A record of one package with these members of its `affected` entry.
std::string record_of(std::string_view ecosystem, std::string_view name, std::string_view affected,
                      std::string_view members = "") {
  return R"({"id":"X-1",)" + std::string(members) + R"("affected":[{"package":{"ecosystem":")" +
         std::string(ecosystem) + R"(","name":")" + std::string(name) + R"("},)" +
         std::string(affected) + "}]}";
}

std::vector<AffectedRange> ranges_of(std::string_view events, std::string_view type = "SEMVER") {
  const RecordingSink sink =
      read("npm", record_of("npm", "a",
                            R"("ranges":[{"type":")" + std::string(type) + R"(","events":[)" +
                                std::string(events) + "]}]"));
  const Advisory* advisory = sink.find("npm", "X-1");
  return advisory == nullptr ? std::vector<AffectedRange>{} : advisory->affected.at(0).ranges;
}

using Ranges = std::vector<AffectedRange>;

TEST(OsvTest, TextThatIsNoJsonIsAnError) {
  RecordingSink sink;
  const FeedFile file;
  OsvReader reader(*find_osv_ecosystem("npm"), file, sink);
  EXPECT_FALSE(reader.add("{").has_value());
}

TEST(OsvTest, WhatIsNotUnderstoodIsLeftOutAndCounted) {
  using Skipped = std::map<std::string, size_t>;
  EXPECT_EQ(read("npm", "{}").skipped, (Skipped{{"osv: a record without a usable id", 1}}));
  EXPECT_EQ(read("npm", record_of("npm", "", R"("versions":["1"])")).skipped,
            (Skipped{{"osv: a package without a usable name", 1}}));
  EXPECT_EQ(read("npm", record_of("npm", "a", R"("ranges":[])")).skipped,
            (Skipped{{"osv: a package without versions", 1}}));
  EXPECT_EQ(read("npm", record_of("PyPI", "a", R"("versions":["1"])")).skipped,
            (Skipped{{"osv: a package of another ecosystem than the file's", 1}}));
  EXPECT_EQ(read("npm", record_of("npm", "a", R"("versions":[")" + std::string(5000, '1') + "\"]"))
                .skipped,
            (Skipped{{"osv: a version past its bound", 1}}));
  EXPECT_EQ(read("SUSE", record_of("SUSE:Manager Proxy 4.3", "a", R"("versions":["1"])")).skipped,
            (Skipped{{"osv: a product or release that is not matched", 1}}));
  EXPECT_EQ(read("AlmaLinux", R"({"id":"ALBA-2021:1"})").skipped,
            (Skipped{{"osv: an erratum that is not about security", 1}}));
  EXPECT_EQ(find_osv_ecosystem("OSS-Fuzz"), nullptr);
}

TEST(OsvTest, EventsAreReadByVersion) {
  EXPECT_EQ(ranges_of(R"({"introduced":"0"})"), (Ranges{{"", "", ""}}));
  EXPECT_EQ(ranges_of(R"({"introduced":"0"},{"fixed":"1.2.0"})"), (Ranges{{"", "1.2.0", ""}}));
  EXPECT_EQ(ranges_of(R"({"introduced":"0"},{"last_affected":"1.2.0"})"),
            (Ranges{{"", "", "1.2.0"}}));
  // In any order.
  EXPECT_EQ(
      ranges_of(R"({"introduced":"2.0.0"},{"fixed":"2.1.0"},{"introduced":"0"},{"fixed":"1.9.0"})"),
      (Ranges{{"", "1.9.0", ""}, {"2.0.0", "2.1.0", ""}}));
  // What is on already is not turned on again.
  EXPECT_EQ(ranges_of(R"({"introduced":"1.0.0"},{"introduced":"1.1.0"},{"fixed":"1.2.0"})"),
            (Ranges{{"1.0.0", "1.2.0", ""}}));
  EXPECT_EQ(ranges_of(R"({"introduced":"0"},{"fixed":"1.0.0"},{"fixed":"1.1.0"})"),
            (Ranges{{"", "1.0.0", ""}}));
  // Where one ends and another begins it goes on.
  EXPECT_EQ(
      ranges_of(R"({"introduced":"1.0.0"},{"fixed":"2.0.0"},{"introduced":"0"},{"fixed":"1.0.0"})"),
      (Ranges{{"", "2.0.0", ""}}));
  EXPECT_EQ(ranges_of(R"({"fixed":"1.0.0"})"), Ranges{});
  EXPECT_EQ(ranges_of(R"({"introduced":"0"},{"fixed":"abc"})", "GIT"), Ranges{});
}

TEST(OsvTest, ALimitBoundsAndIsNoFix) {
  const RecordingSink sink = read(
      "npm", record_of("npm", "a",
                       R"("ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"limit":"2.0.0"},
                          {"introduced":"3.0.0"},{"limit":"*"}]}])"));
  const Affected& affected = sink.find("npm", "X-1")->affected.at(0);
  EXPECT_EQ(affected.ranges, (Ranges{{"", "2.0.0", ""}}));
  EXPECT_EQ(affected.state, FixState::kAffected);
}

TEST(OsvTest, ListedVersionsBesideTheRanges) {
  const RecordingSink sink = read(
      "PyPI",
      record_of("PyPI", "A_b.C",
                R"("ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.2"}]}],
                   "versions":["1.0","1.1","1.5","1.1-odd"])"));
  const Affected& affected = sink.find("pypi", "X-1")->affected.at(0);
  EXPECT_EQ(affected.package, "a-b-c");
  EXPECT_EQ(affected.state, FixState::kFixed);
  EXPECT_EQ(affected.ranges, (Ranges{{"", "1.2", ""}}));
  EXPECT_EQ(affected.versions, (std::vector<std::string>{"1.5", "1.1-odd"}));
}

TEST(OsvTest, CommitsBeforeAListOfReleasesLeaveTheRangesLittle) {
  const auto affected_of = [](std::string_view commits, std::string_view events,
                              std::string_view versions) {
    const RecordingSink sink = read(
        "PyPI", record_of("PyPI", "a",
                          R"("ranges":[{"type":"GIT","events":[{"introduced":"0"})" +
                              std::string(commits) + R"(]},{"type":"ECOSYSTEM","events":[)" +
                              std::string(events) + R"(]}],"versions":)" + std::string(versions)));
    return sink.find("pypi", "X-1")->affected.at(0);
  };
  constexpr std::string_view kEnd = R"(,{"fixed":"c0ffee"})";
  constexpr std::string_view kFixed = R"({"introduced":"0"},{"fixed":"1.2"})";
  const Affected listed = affected_of(kEnd, kFixed, R"(["1.0","1.1"])");
  EXPECT_EQ(listed.ranges, (Ranges{{"1.2", "1.2", ""}, {"1.1", "", "1.2.dev0"}}));
  EXPECT_EQ(listed.versions, (std::vector<std::string>{"1.0", "1.1"}));
  EXPECT_EQ(listed.state, FixState::kFixed);
  const Affected endless = affected_of(kEnd, R"({"introduced":"0"})", R"(["1.0"])");
  EXPECT_EQ(endless.ranges, Ranges{});
  EXPECT_EQ(endless.versions, (std::vector<std::string>{"1.0"}));
  EXPECT_EQ(endless.state, FixState::kAffected);
  // Without a list, or with commits that go on, the ranges hold.
  EXPECT_EQ(affected_of(kEnd, kFixed, "[]").ranges, (Ranges{{"", "1.2", ""}}));
  EXPECT_EQ(affected_of("", kFixed, R"(["1.0"])").ranges, (Ranges{{"", "1.2", ""}}));
}

TEST(OsvTest, IdsDatesAndSeverities) {
  const RecordingSink sink =
      read("Maven",
           R"({"id":"GHSA-1","aliases":["CVE-2024-0001","PYSEC-1"],"related":["CVE-2024-9999"],
          "upstream":["CVE-2024-0002"],"published":"2024-01-02T00:00:00Z",
          "modified":"0001-01-01T00:00:00Z","withdrawn":"2024-02-02T00:00:00Z",
          "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
                      {"type":"CVSS_V3","score":"CVSS:3.1/none"}],
          "database_specific":{"severity":"MODERATE","cwe_ids":["CWE-79","CWE-79"]},
          "affected":[{"package":{"ecosystem":"Maven","name":"g:a"},"versions":["1"]},
                      {"package":{"ecosystem":"Maven","name":"g:a"},"versions":["2"]}]})");
  Advisory expected;
  expected.id = "GHSA-1";
  expected.cves = {"CVE-2024-0001", "CVE-2024-0002"};
  expected.aliases = {"PYSEC-1"};
  expected.source = "osv-maven";
  expected.vendor_severity = "MODERATE";
  expected.cvss = {{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, ""}};
  expected.cwes = {"CWE-79"};
  expected.published_at = *parse_time("2024-01-02");
  expected.is_withdrawn = true;
  Affected affected;
  affected.package = "g:a";
  affected.name_kind = NameKind::kEither;
  affected.versions = {"1", "2"};
  expected.affected = {affected};
  ASSERT_NE(sink.find("maven", "GHSA-1"), nullptr);
  EXPECT_EQ(*sink.find("maven", "GHSA-1"), expected);
  EXPECT_EQ(sink.skipped.at("osv: a CVSS vector that cannot be read"), 1u);
  EXPECT_EQ(
      sink.sources,
      (std::vector<RecordingSink::Source>{{"maven", "osv-maven", {}, expected.published_at}}));
}

TEST(OsvTest, CustomRangesOfGoNarrowTheRanges) {
  const auto go = [](std::string_view events, std::string_view custom) {
    const RecordingSink sink =
        read("Go", record_of("Go", "m",
                             R"("ranges":[{"type":"SEMVER","events":[)" + std::string(events) +
                                 R"(]}],"ecosystem_specific":{"custom_ranges":[{"type":"ECOSYSTEM",
                               "events":[)" +
                                 std::string(custom) + "]}]}"));
    const Advisory* advisory = sink.find("go", "X-1");
    return advisory == nullptr ? Affected{} : advisory->affected.at(0);
  };
  const Affected bounded = go(R"({"introduced":"0"})", R"({"introduced":"0"},{"fixed":"v1.9.0"})");
  EXPECT_EQ(bounded.ranges, (Ranges{{"", "1.9.0", ""}}));
  EXPECT_EQ(bounded.state, FixState::kFixed);
  EXPECT_EQ(go(R"({"introduced":"0"},{"fixed":"1.49.1"})", R"({"introduced":"1.29.3"})").ranges,
            (Ranges{{"1.29.3", "1.49.1", ""}}));
  EXPECT_EQ(go(R"({"introduced":"0"},{"fixed":"1.2.0"})",
               R"({"introduced":"1.0.0"},{"last_affected":"1.1.0"})")
                .ranges,
            (Ranges{{"1.0.0", "", "1.1.0"}}));
  // Each of its own.
  EXPECT_EQ(go(R"({"introduced":"0"},{"fixed":"1.80.0-v2"})",
               R"({"introduced":"2.59.0"},{"fixed":"4.11.1"})")
                .ranges,
            (Ranges{{"", "1.80.0-v2", ""}, {"2.59.0", "4.11.1", ""}}));
}

TEST(OsvTest, RustSecNoticesAreToldApart) {
  const auto notice = [](std::string_view word) {
    const RecordingSink sink = read(
        "crates.io", record_of("crates.io", "a",
                               R"("versions":["1.0.0"],"database_specific":{"informational":)" +
                                   std::string(word) + "}"));
    return sink.find("crates.io", "X-1")->affected.at(0).notice;
  };
  EXPECT_EQ(notice("null"), NoticeKind::kNone);
  EXPECT_EQ(notice("\"unmaintained\""), NoticeKind::kUnmaintained);
  EXPECT_EQ(notice("\"unsound\""), NoticeKind::kUnsound);
  EXPECT_EQ(notice("\"notice\""), NoticeKind::kNotice);
}

TEST(OsvTest, ErrataOfAlmaLinux) {
  const RecordingSink sink = read(
      "AlmaLinux",
      R"({"id":"ALSA-2023:1","summary":"Moderate: virt:rhel and virt-devel:rhel security update",
          "related":["CVE-2023-0001"],"published":"2023-05-06T00:00:00Z","affected":[
          {"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"type":"ECOSYSTEM",
           "events":[{"introduced":"0"},{"fixed":"3.18-5.module_el8.10.0+3876+e5"}]}]},
          {"package":{"ecosystem":"AlmaLinux:8","name":"criu"},"ranges":[{"type":"ECOSYSTEM",
           "events":[{"introduced":"0"},{"fixed":"3.18-5.module_el8.10.0+3845+87"}]}]},
          {"package":{"ecosystem":"AlmaLinux:9","name":"curl"},"ranges":[{"type":"ECOSYSTEM",
           "events":[{"introduced":"0"},{"fixed":"0:7.61-2.el9"}]}]}]})");
  Affected criu;
  criu.package = "criu";
  criu.state = FixState::kFixed;
  criu.ranges = {{"", "3.18-5.module_el8.10.0+3845+87", ""}};
  criu.fixed_at = *parse_time("2023-05-06");
  criu.module = "virt:rhel";
  Affected devel = criu;
  devel.module = "virt-devel:rhel";
  const Advisory* el8 = sink.find("almalinux-8", "ALSA-2023:1");
  ASSERT_NE(el8, nullptr);
  EXPECT_EQ(el8->affected, (std::vector<Affected>{criu, devel}));
  EXPECT_EQ(el8->cves, std::vector<std::string>{"CVE-2023-0001"});
  EXPECT_EQ(el8->vendor_severity, "Moderate");
  EXPECT_EQ(sink.find("almalinux-9", "ALSA-2023:1")->affected.at(0).module, "");
  EXPECT_EQ(sink.sources.at(0).coverage, (Coverage{.is_fixed_only = true, .is_subset = false}));
}

TEST(OsvTest, ShardsAndChannelsOfDistributions) {
  const auto place = [](std::string_view ecosystem, const std::string& purl = "") {
    const std::string record = R"({"id":"X-1","affected":[{"package":{"ecosystem":")" +
                               std::string(ecosystem) + R"(","name":"a","purl":")" + purl +
                               R"("},"versions":["1"]}]})";
    const RecordingSink sink = read(ecosystem.substr(0, ecosystem.find(':')), record);
    if (sink.shards.empty()) return std::string("none");
    const auto& [shard, advisories] = *sink.shards.begin();
    const std::string& channel = advisories.at(0).affected.at(0).channel;
    return shard + (channel.empty() ? "" : " " + channel);
  };
  EXPECT_EQ(place("Debian:12"), "debian-12");
  EXPECT_EQ(place("Alpine:v3.17"), "alpine-3.17");
  EXPECT_EQ(place("Rocky Linux:9"), "rocky-9");
  EXPECT_EQ(place("AlmaLinux:10"), "almalinux-10");
  EXPECT_EQ(place("Ubuntu:22.04:LTS"), "ubuntu-22.04");
  EXPECT_EQ(place("Ubuntu:25.10"), "ubuntu-25.10");
  EXPECT_EQ(place("Ubuntu:Pro:16.04:LTS", "pkg:deb/ubuntu/a@1?distro=esm-apps/xenial"),
            "ubuntu-16.04 esm-apps");
  EXPECT_EQ(place("Ubuntu:Pro:18.04:LTS"), "ubuntu-18.04 esm-infra or esm-apps");
  EXPECT_EQ(place("Ubuntu:Pro:FIPS-updates:20.04:LTS"), "ubuntu-20.04 fips-updates");
  EXPECT_EQ(place("Ubuntu:Pro:22.04:LTS:Realtime:Kernel"), "ubuntu-22.04 realtime-kernel");
  EXPECT_EQ(place("SUSE:Linux Enterprise Server 15 SP5-LTSS"), "sles-15.5");
  EXPECT_EQ(place("SUSE:Linux Enterprise Module for Basesystem 15 SP4"), "sles-15.4");
  EXPECT_EQ(place("SUSE:Linux Enterprise Server 12"), "sles-12");
  EXPECT_EQ(place("SUSE:Linux Enterprise Micro 5.3"), "sle-micro-5.3");
  EXPECT_EQ(place("openSUSE:Leap 15.5"), "opensuse-leap-15.5");
  EXPECT_EQ(place("openSUSE:Tumbleweed"), "opensuse-tumbleweed");
  EXPECT_EQ(place("Red Hat:enterprise_linux:9::baseos"), "redhat-9");
  EXPECT_EQ(place("Red Hat:rhel_eus:9.2::appstream"), "none");
  EXPECT_EQ(place("Azure Linux:3"), "azurelinux-3.0");
  EXPECT_EQ(place("Azure Linux:2"), "mariner-2.0");
  EXPECT_EQ(place("Wolfi"), "wolfi");
  EXPECT_EQ(place("GitHub Actions"), "github-actions");
}

TEST(OsvTest, FixedInZeroIsNotAffected) {
  const RecordingSink sink = read(
      "Chainguard",
      record_of("Chainguard", "a",
                R"("ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0"}]}])"));
  const Affected& affected = sink.find("chainguard", "X-1")->affected.at(0);
  EXPECT_EQ(affected.state, FixState::kNotAffected);
  EXPECT_EQ(affected.ranges, Ranges{});
}

}  // namespace
}  // namespace vigil::advisory
