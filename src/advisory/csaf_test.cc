#include "advisory/csaf.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

TEST(CsafTest, OtherDocumentsAreRefused) {
  RecordingSink sink;
  std::set<std::string> shards;
  for (const char* text :
       {"", "[]", "{}", R"({"document":{"csaf_version":"2.0"}})", R"({"vulnerabilities":[]})"}) {
    EXPECT_FALSE(add_redhat_csaf(text, shards, sink).has_value()) << text;
  }
}

TEST(CsafTest, Platforms) {
  const std::pair<const char*, RedhatPlatform> cases[] = {
      {"cpe:/o:redhat:enterprise_linux:6", {"6", ""}},
      {"cpe:/a:redhat:enterprise_linux:9::appstream", {"9", ""}},
      {"cpe:/o:redhat:enterprise_linux:10.1", {"10", ""}},
      {"cpe:/o:redhat:enterprise_linux_eus:10.0", {"10", "eus-10.0"}},
      {"cpe:/o:redhat:rhel_eus:9.2::baseos", {"9", "eus-9.2"}},
      {"cpe:/o:redhat:rhel_els:6", {"6", "els-6"}},
      {"cpe:/a:redhat:rhel_software_collections:3::el7", {"7", ""}},
      {"cpe:/a:redhat:rhel_software_collections:3", {"", ""}},
      {"cpe:/a:redhat:enterprise_linux_ai:3", {"", ""}},
      {"cpe:/a:redhat:rhel_satellite_client:6::el6", {"", ""}},
      {"cpe:/a:redhat:openshift:4.12::el8", {"", ""}},
      {"cpe:/o:redhat:enterprise_linux", {"", ""}},
      {"cpe:/o:other:enterprise_linux:8", {"", ""}},
      {"", {"", ""}},
  };
  for (const auto& [cpe, platform] : cases) EXPECT_EQ(redhat_platform(cpe), platform) << cpe;
}

// A component of each kind on one platform.
constexpr std::string_view kTree = R"("product_tree":{"branches":[{"branches":[
  {"name":"RHEL 8","product":{"product_id":"r8","product_identification_helper":
    {"cpe":"cpe:/o:redhat:enterprise_linux:8"}}},
  {"name":"Other","product":{"product_id":"x","product_identification_helper":
    {"cpe":"cpe:/a:redhat:openshift:4"}}},
  {"name":"a","product":{"product_id":"a","product_identification_helper":
    {"purl":"pkg:rpm/redhat/bind@9-1.el8?arch=x86_64&epoch=32"}}},
  {"name":"b","product":{"product_id":"b","product_identification_helper":
    {"purl":"pkg:rpm/redhat/bind@9-1.el8?arch=s390x&epoch=32"}}},
  {"name":"c","product":{"product_id":"c","product_identification_helper":
    {"purl":"pkg:rpm/redhat/bind@9-1.el8?arch=src&epoch=32"}}},
  {"name":"d","product":{"product_id":"d","product_identification_helper":
    {"purl":"pkg:rpm/redhat/ruby?arch=src&rpmmod=ruby:2.5:8090:b46"}}},
  {"name":"e","product":{"product_id":"e","product_identification_helper":
    {"purl":"pkg:rpm/redhat/ruby-doc@2-1?arch=noarch&epoch=0"}}},
  {"name":"snakeyaml","product":{"product_id":"f"}},
  {"name":"perl:5.26/perl","product":{"product_id":"g"}},
  {"name":"openshift4/x","product":{"product_id":"h"}},
  {"name":"i","product":{"product_id":"i","product_identification_helper":
    {"purl":"pkg:oci/image"}}}]}],
 "relationships":[)";

std::string document(std::string_view vulnerability) {
  std::string relations;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "missing"}) {
    for (const char* platform : {"r8", "x"}) {
      relations += std::string(relations.empty() ? "" : ",") + R"({"product_reference":")" + id +
                   R"(","relates_to_product_reference":")" + platform +
                   R"(","full_product_name":{"product_id":")" + platform + ":" + id + R"("}})";
    }
  }
  return R"({"document":{"csaf_version":"2.0","category":"csaf_vex","tracking":
            {"id":"x","current_release_date":"2026-01-02T00:00:00Z"}},)" +
         std::string(kTree) + relations + R"(]},"vulnerabilities":[)" + std::string(vulnerability) +
         "]}";
}

Affected affected(const char* package, NameKind kind, FixState state) {
  Affected out;
  out.package = package;
  out.name_kind = kind;
  out.state = state;
  if (state != FixState::kNotAffected) out.ranges = {{}};
  return out;
}

TEST(CsafTest, EveryStatusAndKindOfProduct) {
  RecordingSink sink;
  std::set<std::string> shards;
  const Result<UnixSeconds> date =
      add_redhat_csaf(document(R"({"cve":"CVE-2026-0001","release_date":"2026-01-01T00:00:00Z",
        "cwe":{"id":"CWE-79"},"scores":[{"cvss_v3":{"vectorString":
          "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},"products":["r8:a"]}],
        "product_status":{"fixed":["r8:a","r8:b","r8:c","x:a","r8:g"],
          "known_affected":["r8:d","r8:f","r8:missing","alone"],
          "known_not_affected":["r8:e","r8:h","r8:i"],"under_investigation":["r8:g"]},
        "threats":[{"category":"impact","details":"Low"},
          {"category":"impact","details":"Important","product_ids":["r8:f"]}],
        "remediations":[
          {"category":"vendor_fix","date":"2026-01-05T00:00:00Z","product_ids":["r8:a","r8:b"]},
          {"category":"none_available","details":"Fix deferred","product_ids":["r8:d"]},
          {"category":"workaround","details":"Will not fix","product_ids":["r8:d"]},
          {"category":"no_fix_planned","details":"Out of support scope","product_ids":["r8:f"]}]},
        {"cve":"none"})"),
                      shards, sink);
  ASSERT_TRUE(date.has_value());
  EXPECT_EQ(*date, parse_time_or_zero("2026-01-02"));
  EXPECT_EQ(shards, std::set<std::string>{"redhat-8"});

  Affected bind = affected("bind", NameKind::kBinary, FixState::kFixed);
  bind.ranges = {{"", "32:9-1.el8", ""}};
  bind.fixed_at = parse_time_or_zero("2026-01-05");
  bind.arches = {"s390x", "x86_64"};
  Affected perl = affected("perl", NameKind::kEither, FixState::kUnderInvestigation);
  perl.module = "perl:5.26";
  Affected ruby = affected("ruby", NameKind::kSource, FixState::kFixDeferred);
  ruby.module = "ruby:2.5";
  Affected doc = affected("ruby-doc", NameKind::kBinary, FixState::kNotAffected);
  doc.versions = {"2-1"};
  Affected yaml = affected("snakeyaml", NameKind::kEither, FixState::kEndOfLife);
  yaml.vendor_severity = "Important";
  Advisory expected;
  expected.id = "CVE-2026-0001";
  expected.cves = {"CVE-2026-0001"};
  expected.source = "redhat";
  expected.vendor_severity = "Low";
  expected.cvss = {*parse_cvss("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")};
  expected.cvss[0].source = "redhat";
  expected.cwes = {"CWE-79"};
  expected.published_at = parse_time_or_zero("2026-01-01");
  expected.modified_at = parse_time_or_zero("2026-01-02");
  expected.affected = {bind, perl, ruby, doc, yaml};
  EXPECT_EQ(sink.shards.at("redhat-8"), std::vector<Advisory>{expected});
  EXPECT_EQ(sink.skipped, (std::map<std::string, size_t>{
                              {"redhat: a build of a source package", 1},
                              {"redhat: a package of a product that is no release of RHEL", 1},
                              {"redhat: a product that is no rpm package", 2},
                              {"redhat: a product that is not a part of another", 1},
                              {"redhat: a product that the document does not describe", 1},
                              {"redhat: a vulnerability without a CVE id", 1},
                              {"redhat: fixed, without a version", 1}}));
}

const Affected* find(const Advisory* advisory, std::string_view package, std::string_view channel,
                     FixState state, NameKind kind = NameKind::kBinary) {
  if (advisory == nullptr) return nullptr;
  for (const Affected& one : advisory->affected) {
    if (one.package == package && one.channel == channel && one.state == state &&
        one.name_kind == kind) {
      return &one;
    }
  }
  return nullptr;
}

TEST(CsafTest, RealDocuments) {
  const Feed* feed = find_feed("redhat");
  const FeedFile file = real_feed(*feed, "redhat/csaf-vex-samples.tar.xz");
  if (file.absolute_path.empty()) GTEST_SKIP() << "no documents of Red Hat here";
  RecordingSink sink;
  const Status status = feed->parse(file, sink);
  ASSERT_TRUE(status.has_value()) << status.error().text();

  std::set<std::string> ids;
  std::map<std::string, size_t> affected_counts;
  for (const auto& [shard, advisories] : sink.shards) {
    for (const Advisory& advisory : advisories) ids.insert(advisory.id);
    affected_counts[shard] = sink.affected_count(shard);
  }
  // 16 documents, of which two (RHSA-2024:6163 and RHSA-2024:9371) are about OpenShift alone.
  EXPECT_EQ(ids.size(), 14u);
  // Counted apart from this program over the same documents.
  EXPECT_EQ(affected_counts, (std::map<std::string, size_t>{{"redhat-10", 46},
                                                            {"redhat-6", 94},
                                                            {"redhat-7", 93},
                                                            {"redhat-8", 785},
                                                            {"redhat-9", 234}}));
  EXPECT_EQ(sink.skipped, (std::map<std::string, size_t>{
                              {"redhat: a build of a source package", 136},
                              {"redhat: a package of a product that is no release of RHEL", 2919},
                              {"redhat: a product that is not a part of another", 8}}));

  const Advisory* curl = sink.find("redhat-9", "CVE-2023-38545");
  const Affected* plain = find(curl, "libcurl", "", FixState::kFixed);
  ASSERT_NE(plain, nullptr);
  EXPECT_EQ(plain->ranges, (std::vector<AffectedRange>{{"", "7.76.1-23.el9_2.4", ""}}));
  EXPECT_EQ(plain->arches,
            (std::vector<std::string>{"aarch64", "i686", "ppc64le", "s390x", "x86_64"}));
  const Affected* extended = find(curl, "libcurl", "eus-9.0", FixState::kFixed);
  ASSERT_NE(extended, nullptr);
  EXPECT_EQ(extended->ranges, (std::vector<AffectedRange>{{"", "7.76.1-14.el9_0.9", ""}}));
  EXPECT_EQ(curl->vendor_severity, "Important");
  EXPECT_NE(find(sink.find("redhat-8", "CVE-2023-38545"), "curl", "", FixState::kNotAffected,
                 NameKind::kSource),
            nullptr);

  const Advisory* python = sink.find("redhat-8", "CVE-2026-2297");
  const Affected* yaml = find(python, "PyYAML", "", FixState::kFixDeferred, NameKind::kSource);
  ASSERT_NE(yaml, nullptr);
  EXPECT_EQ(yaml->module, "python39-devel:3.9");
  EXPECT_NE(find(sink.find("redhat-6", "CVE-2026-2297"), "python", "", FixState::kEndOfLife),
            nullptr);

  const Affected* ruby =
      find(sink.find("redhat-8", "RHSA-2023:7025"), "ruby", "", FixState::kFixed);
  ASSERT_NE(ruby, nullptr);
  EXPECT_EQ(ruby->module, "ruby:2.5");
  EXPECT_EQ(format_date(ruby->fixed_at), "2023-11-14");
  const Affected* bind =
      find(sink.find("redhat-6", "RHSA-2025:23414"), "bind", "els-6", FixState::kFixed);
  ASSERT_NE(bind, nullptr);
  EXPECT_EQ(bind->ranges[0].fixed, "32:9.8.2-0.68.rc1.el6_10.17");
}

}  // namespace
}  // namespace vigil::advisory
