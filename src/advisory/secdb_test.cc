#include "advisory/secdb.h"

#include <gtest/gtest.h>

#include "advisory/recording_sink.h"

namespace vigil::advisory {

void PrintTo(const SecdbIds& ids, std::ostream* out) {
  for (const std::string& id : ids.cves) *out << id << " ";
  *out << "| ";
  for (const std::string& id : ids.others) *out << id << " ";
}

namespace {

RecordingSink compiled(std::string_view text) {
  const Result<SecdbDocument> document = parse_secdb(text);
  EXPECT_TRUE(document.has_value());
  RecordingSink sink;
  if (document) add_secdb(*document, "alpine", "alpine-3.17", sink);
  return sink;
}

std::string document_of(std::string_view packages) {
  return R"({"distroversion":"v3.17","reponame":"main","packages":[)" + std::string(packages) +
         "]}";
}

Affected fixed_in(std::string package, std::vector<std::string> versions) {
  Affected affected;
  affected.package = std::move(package);
  affected.name_kind = NameKind::kSource;
  affected.state = FixState::kFixed;
  affected.repository = "main";
  for (std::string& version : versions) affected.ranges.push_back({"", std::move(version), ""});
  return affected;
}

TEST(SecdbTest, MalformedTextIsAnError) {
  EXPECT_FALSE(parse_secdb("{\"packages\": [").has_value());
  EXPECT_FALSE(parse_secdb("packages: [").has_value());
}

TEST(SecdbTest, UnusableRecordsAreCounted) {
  const RecordingSink sink = compiled(document_of(
      R"({"pkg":{"name":"","secfixes":{"1-r0":["CVE-2020-0001"]}}},
         {"pkg":{"name":"a","secfixes":{"":["CVE-2020-0002"],"1-r0":[],
           "2-r0":["CVE-2022-?????",7]}}},
         {"other":1})"));
  EXPECT_TRUE(sink.shards.empty());
  EXPECT_EQ(sink.skipped,
            (std::map<std::string, size_t>{{"secdb: a package without a usable name", 2},
                                           {"secdb: a fix without a usable version", 1},
                                           {"secdb: a fix version without ids", 1},
                                           {"secdb: a fix without a usable id", 2}}));
}

TEST(SecdbTest, IdsAreTakenOutOfStrings) {
  const std::pair<const char*, SecdbIds> cases[] = {
      {"", {}},
      {"CVE-???\?-????\?", {}},
      {"XPTI", {}},
      {"CVE-2021-12", {}},
      {"CVE-2021-1234x", {}},
      {"CVE-2019-9517", {{"CVE-2019-9517"}, {}}},
      {"CVE-2017-12122 TALOS-2017-0488", {{"CVE-2017-12122"}, {"TALOS-2017-0488"}}},
      {"CVE-2018-3639   XSA-263", {{"CVE-2018-3639"}, {"XSA-263"}}},
      {"CVE-2019-17349 CVE-2019-17350 XSA-295",
       {{"CVE-2019-17349", "CVE-2019-17350"}, {"XSA-295"}}},
      {"CVE-2017-5753 CVE-2017-5715 CVE-2017-5754 XSA-254 XPTI",
       {{"CVE-2017-5753", "CVE-2017-5715", "CVE-2017-5754"}, {"XSA-254"}}},
      {"CVE-???\?-????\?  XSA-295", {{}, {"XSA-295"}}},
      {"CVE-2022-????? XSA-398", {{}, {"XSA-398"}}},
      {"CVE-2022-2509 GNUTLS-SA-2022-07-07", {{"CVE-2022-2509"}, {"GNUTLS-SA-2022-07-07"}}},
      {"GHSA-fhpf-pp6p-55qc", {{}, {"GHSA-fhpf-pp6p-55qc"}}},
      {"VSV00010", {{}, {"VSV00010"}}},
      {"wnpa-sec-2017-18", {{}, {"wnpa-sec-2017-18"}}},
      {"CVE-2018-10105 (SMB - too unreliably reproduced, SMB2)", {{"CVE-2018-10105"}, {}}},
      {"CVE-2021-35940.patch", {{"CVE-2021-35940"}, {}}},
      {"CVE-2017-17434-1", {{"CVE-2017-17434"}, {}}},
      {"CVE_2019-2426", {{"CVE-2019-2426"}, {}}},
      {"CVE 2018-16859", {{"CVE-2018-16859"}, {}}},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(parse_secdb_ids(text), expected) << text;
}

TEST(SecdbTest, EachCveOfAStringIsAnAdvisoryAndOtherIdsAreAliases) {
  const RecordingSink sink = compiled(document_of(R"({"pkg":{"name":"xen","secfixes":
          {"4.12.1-r0":["CVE-2019-17349 CVE-2019-17350 XSA-295","XSA-207"]}}})"));
  std::vector<Advisory> expected(3);
  expected[0].id = "CVE-2019-17349";
  expected[1].id = "CVE-2019-17350";
  expected[2].id = "XSA-207";
  for (Advisory& advisory : expected) {
    advisory.source = "alpine";
    advisory.affected = {fixed_in("xen", {"4.12.1-r0"})};
    if (is_cve(advisory.id)) {
      advisory.cves = {advisory.id};
      advisory.aliases = {"XSA-295"};
    }
  }
  EXPECT_EQ(sink.shards.at("alpine-3.17"), expected);
}

TEST(SecdbTest, VersionZeroIsNeverAffected) {
  const RecordingSink sink = compiled(
      document_of(R"({"pkg":{"name":"xen","secfixes":{"0":["CVE-2020-29568 XSA-349"]}}})"));
  const Advisory* advisory = sink.find("alpine-3.17", "CVE-2020-29568");
  ASSERT_NE(advisory, nullptr);
  Affected expected = fixed_in("xen", {});
  expected.state = FixState::kNotAffected;
  EXPECT_EQ(advisory->affected, std::vector<Affected>{expected});
}

TEST(SecdbTest, YamlSaysTheSameAsJson) {
  const RecordingSink yaml = compiled(
      "distroversion: v3.17\nreponame: main\npackages:\n- pkg:\n    name: b\n    secfixes:\n"
      "      1.0-r0:\n      - CVE-2020-1234\n      \"0\": [CVE-2020-1235]\n");
  const RecordingSink json = compiled(document_of(
      R"({"pkg":{"name":"b","secfixes":{"1.0-r0":["CVE-2020-1234"],"0":["CVE-2020-1235"]}}})"));
  EXPECT_EQ(yaml.shards, json.shards);
  EXPECT_EQ(yaml.shards.at("alpine-3.17").size(), 2u);
}

// Any of the ranges makes the package match, so that the greatest version decides.
TEST(SecdbTest, OneIdUnderTwoVersionsHasARangeForEach) {
  const RecordingSink sink = compiled(document_of(
      R"({"pkg":{"name":"xen","secfixes":{"4.16.1-r4":["CVE-2022-23816 XSA-407"],
          "4.16.1-r6":["CVE-2022-23816","CVE-2022-23816"],"0":["CVE-2022-23816"]}}})"));
  ASSERT_EQ(sink.shards.at("alpine-3.17").size(), 1u);
  EXPECT_EQ(sink.shards.at("alpine-3.17")[0].affected,
            (std::vector<Affected>{fixed_in("xen", {"4.16.1-r4", "4.16.1-r6"})}));
}

TEST(SecdbTest, PackagesOfOneIdAreOneAdvisory) {
  const RecordingSink sink = compiled(document_of(
      R"({"pkg":{"name":"b","secfixes":{"2-r0":["CVE-2020-1234"]}}},
         {"pkg":{"name":"a","secfixes":{"1-r0":["CVE-2020-1234"]}}})"));
  ASSERT_EQ(sink.shards.at("alpine-3.17").size(), 1u);
  EXPECT_EQ(sink.shards.at("alpine-3.17")[0].affected,
            (std::vector<Affected>{fixed_in("a", {"1-r0"}), fixed_in("b", {"2-r0"})}));
}

}  // namespace
}  // namespace vigil::advisory
