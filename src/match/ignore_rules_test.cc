#include "match/ignore_rules.h"

#include <gtest/gtest.h>

namespace vigil::match {
namespace {

constexpr UnixSeconds kNow = 1'788'000'000;  // 2026-08-29.

Sbom sample() {
  Sbom sbom;
  sbom.distro = parse_distro("debian-12");
  Package ssl;
  ssl.kind = PackageKind::kDeb;
  ssl.name = "libssl3";
  ssl.version = "3.0.11-1";
  ssl.source = {"openssl", "3.0.11-1"};
  ssl.location.path = "var/lib/dpkg/status";
  ssl.purl = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12";
  Package cart;
  cart.kind = PackageKind::kNpm;
  cart.name = "@shop/cart";
  cart.version = "7.0.0";
  cart.location.path = "app/node_modules/@shop/cart/package.json";
  cart.purl = "pkg:npm/%40shop/cart@7.0.0";
  sbom.packages = {ssl, cart};
  return sbom;
}

std::vector<Finding> findings() {
  Finding ssl;
  ssl.package = 0;
  ssl.id = "CVE-2024-5535";
  ssl.aliases = {"DSA-5764-1"};
  ssl.state = FixState::kFixed;
  ssl.fixed_versions = {"3.0.15-1"};
  Finding cart;
  cart.package = 1;
  cart.id = "CVE-2025-1";
  cart.advisories = {{.id = "GHSA-xxxx-yyyy-zzzz",
                      .source = "osv",
                      .shard = "npm",
                      .name_searched = "@shop/cart",
                      .version_compared = "7.0.0",
                      .range = "",
                      .scheme = "",
                      .url = ""}};
  cart.state = FixState::kFixed;  // In no version that is known.
  return {ssl, cart};
}

// Which of the two findings a rule sets aside.
std::string set_aside(const IgnoreRule& rule) {
  std::string ids;
  for (const Suppressed& one :
       apply_ignore_rules(std::vector{rule}, findings(), sample(), kNow).suppressed) {
    ids += (ids.empty() ? "" : " ") + one.finding.id;
  }
  return ids;
}

Purl purl(std::string_view text) {
  return Purl::parse(text).value();
}

TEST(IgnoreRules, EachConditionNarrows) {
  const std::string both = "CVE-2024-5535 CVE-2025-1";
  EXPECT_EQ(set_aside({.ids = {"cve-2024-5535"}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.ids = {"DSA-5764-1"}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.ids = {"GHSA-xxxx-yyyy-zzzz"}}), "CVE-2025-1");
  EXPECT_EQ(set_aside({.ids = {"CVE-2024-553"}}), "");
  EXPECT_EQ(set_aside({.ids = {"CVE-2024-5535", "CVE-2025-1"}}), both);
  EXPECT_EQ(set_aside({.packages = {"openssl"}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.packages = {"lib*"}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.packages = {"@shop/*"}}), "CVE-2025-1");
  EXPECT_EQ(set_aside({.upstreams = {"libssl3"}}), "");
  EXPECT_EQ(set_aside({.upstreams = {"openssl"}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.versions = {"7.0.0"}}), "CVE-2025-1");
  EXPECT_EQ(set_aside({.kinds = {PackageKind::kDeb}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.paths = {"/app/**"}}), "CVE-2025-1");
  EXPECT_EQ(set_aside({.paths = {"app/*"}}), "");
  EXPECT_EQ(set_aside({.states = {FixState::kFixed}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.states = {FixState::kAffected}}), "CVE-2025-1");
  EXPECT_EQ(set_aside({.packages = {"**"}, .distros = {parse_distro("debian")}}), both);
  EXPECT_EQ(set_aside({.packages = {"**"}, .distros = {parse_distro("debian-11")}}), "");
  EXPECT_EQ(set_aside({.purls = {purl("pkg:deb/debian/libssl3")}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.purls = {purl("pkg:deb/debian/libssl3?arch=arm64")}}), "");
  EXPECT_EQ(set_aside({.purls = {purl("pkg:deb/debian/libssl3@3.0.12-1")}}), "");
  EXPECT_EQ(set_aside({.purls = {purl("pkg:deb/debian/lib*@3.*")}}), "CVE-2024-5535");
  EXPECT_EQ(set_aside({.ids = {"CVE-2024-5535"}, .paths = {"app/**"}}), "");
}

TEST(IgnoreRules, TheFirstThatSpeaksOfAFindingCounts) {
  const std::vector<IgnoreRule> rules = {
      {.ids = {"CVE-2025-1"}, .reason = "old", .expires_at = kNow, .place = "x:1"},
      {.ids = {"CVE-2025-1"}, .reason = "new", .expires_at = kNow + 1, .place = "x:2"},
      {.packages = {"**"}, .reason = "all", .place = "x:3"}};
  const IgnoreOutcome outcome = apply_ignore_rules(rules, findings(), sample(), kNow);
  EXPECT_EQ(outcome.kept, std::vector<Finding>{});
  EXPECT_EQ(outcome.suppressed, (std::vector<Suppressed>{{findings()[0], "x:3", "all", 0},
                                                         {findings()[1], "x:2", "new", kNow + 1}}));
}

TEST(IgnoreRules, WithoutRulesAllIsKept) {
  const IgnoreOutcome outcome = apply_ignore_rules({}, findings(), sample(), kNow);
  EXPECT_EQ(outcome.kept, findings());
  EXPECT_EQ(outcome.suppressed, std::vector<Suppressed>{});
}

}  // namespace
}  // namespace vigil::match
