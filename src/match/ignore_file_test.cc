#include "match/ignore_file.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace vigil::match {
namespace {

std::vector<IgnoreRule> rules_of(std::string_view text, std::string_view name) {
  Result<std::vector<IgnoreRule>> rules = read_ignore_file(text, name);
  EXPECT_TRUE(rules) << rules.error().text();
  return rules ? *std::move(rules) : std::vector<IgnoreRule>();
}

std::string error_of(std::string_view text, std::string_view name = "a.yaml") {
  const Result<std::vector<IgnoreRule>> rules = read_ignore_file(text, name);
  return rules ? "" : rules.error().text();
}

// A rule as one line, so that whole rules are compared.
std::string line_of(const IgnoreRule& rule) {
  std::string out = rule.place;
  const auto add = [&](std::string_view key, const std::string& value) {
    out += " " + std::string(key) + "=" + value;
  };
  for (const std::string& id : rule.ids) add("id", id);
  for (const std::string& one : rule.packages) add("package", one);
  for (const std::string& one : rule.upstreams) add("upstream", one);
  for (const std::string& one : rule.versions) add("version", one);
  for (const PackageKind kind : rule.kinds) add("kind", std::string(purl_type(kind)));
  for (const Purl& purl : rule.purls) add("purl", purl.text());
  for (const std::string& path : rule.paths) add("path", path);
  for (const Distro& distro : rule.distros) add("distro", distro.text());
  for (const FixState state : rule.states) add("state", std::string(to_string(state)));
  if (rule.expires_at != 0) add("expires", format_date(rule.expires_at));
  return out + " (" + rule.reason + ")";
}

std::vector<std::string> lines_of(std::string_view text, std::string_view name) {
  std::vector<std::string> lines;
  for (const IgnoreRule& rule : rules_of(text, name)) lines.push_back(line_of(rule));
  return lines;
}

using Lines = std::vector<std::string>;

TEST(IgnoreFile, MistakesNameTheLineAndTheRemedy) {
  EXPECT_EQ(error_of("rules:\n  - id: CVE-1\n    reason: x\n    expires: soon\n"),
            "a.yaml:4: 'soon' is no date; write it like 2027-01-31");
  EXPECT_EQ(error_of("rules:\n  - id: CVE-1\n"),
            "a.yaml:2: a rule wants a reason: why may this be ignored?");
  EXPECT_EQ(error_of("rules:\n  - reason: all of them\n    distro: debian\n"),
            "a.yaml:2: a rule that names no id and no package would hide everything");
  EXPECT_EQ(error_of("rules:\n  - id: CVE-1\n    expire: 2027-01-31\n    reason: x\n"),
            "a.yaml:3: 'expire' is not understood in a rule; there are: id, package, purl, path, "
            "distro, state, reason, expires");
  EXPECT_EQ(error_of("rules:\n  - id: CVE-1\n    reason: x\nversion: 2\n"),
            "a.yaml:1: beside 'rules' nothing is understood");
  EXPECT_EQ(error_of("rules:\n  - CVE-1\n"),
            "a.yaml:2: a rule wants members: id, package, purl, path, distro, state, reason, "
            "expires");
  EXPECT_EQ(error_of("rules: CVE-1\n"), "a.yaml:1: 'rules' wants a list of rules");
  EXPECT_EQ(error_of("rules:\n  - state: fixable\n    reason: x\n"),
            "a.yaml:2: 'fixable' is no state of a fix; there are: affected, fixed, will_not_fix, "
            "fix_deferred, end_of_life, under_investigation");
  EXPECT_EQ(error_of("rules:\n  - path: \"usr/{a,b}\"\n    reason: x\n"),
            "a.yaml:2: the pattern 'usr/{a,b}' has [, { or \\, which mean nothing here; use *, ? "
            "and **, and one pattern for each alternative");
  EXPECT_EQ(error_of("- CVE-1\n"),
            "a.yaml:1: no ignore rules are in it; they stand in a list 'rules:' (or Trivy's "
            "'vulnerabilities:', or Grype's 'ignore:')");
  EXPECT_EQ(error_of("rules:\n  - id: [\n"), "a.yaml: YAML line 3: end of sequence flow not found");
  EXPECT_EQ(error_of("CVE-1 exp:2024-13-40\n", ".trivyignore"),
            ".trivyignore:1: '2024-13-40' is no date; write it like 2027-01-31");
  EXPECT_EQ(error_of("ignore:\n  - vulnerability: CVE-1\n    namespace: nvd:cpe\n"),
            "a.yaml:3: 'namespace' is not understood in a rule; there are: vulnerability, package, "
            "fix-state, reason");
  EXPECT_EQ(error_of("ignore:\n  - package:\n      name: \"lib(a|b)\"\n"),
            "a.yaml:3: of regular expressions only .* is understood: 'lib(a|b)'");
}

TEST(IgnoreFile, IsBounded) {
  std::string text;
  for (uint64_t i = 0; i <= limits::kIgnoreRulesMax; ++i) text += "CVE-1\n";
  EXPECT_EQ(error_of(text, "x"), "x:100001: more than kIgnoreRulesMax rules");
  EXPECT_EQ(error_of(std::string(limits::kIgnoreFileBytesMax + 1, '#'), "x"),
            "x: larger than kIgnoreFileBytesMax");
}

TEST(IgnoreFile, OfOurOwn) {
  EXPECT_EQ(
      lines_of("# Looked at in May.\n"
               "rules:\n"
               "  - id: [CVE-2023-45853, GHSA-1]\n"
               "    package: zlib*\n"
               "    distro: debian-12\n"
               "    reason: minizip is not built\n"
               "  - purl: pkg:npm/%40shop/cart@7.0.0\n"
               "    path: [app/**, /srv/x]\n"
               "    state: [wont-fix, fix_deferred]\n"
               "    reason: |\n"
               "      only its tests\n"
               "    expires: 2027-01-31\n",
               "a.yaml"),
      (Lines{"a.yaml:3 id=CVE-2023-45853 id=GHSA-1 package=zlib* distro=debian 12 (minizip is not "
             "built)",
             "a.yaml:7 purl=pkg:npm/%40shop/cart@7.0.0 path=app/** path=/srv/x state=will_not_fix "
             "state=end_of_life state=fix_deferred expires=2027-01-31 (only its tests\n)"}));
  EXPECT_EQ(lines_of("", "a.yaml"), Lines{});
  EXPECT_EQ(lines_of("rules:\n", "a.yaml"), Lines{});
}

TEST(IgnoreFile, OfTrivyInLines) {
  EXPECT_EQ(lines_of("# Accept the risk\nCVE-2018-14618\r\n\n"
                     "CVE-2019-14697 exp:2023-01-01 # once more\n  AVD-DS-0002",
                     "ci/.trivyignore"),
            (Lines{"ci/.trivyignore:2 id=CVE-2018-14618 ()",
                   "ci/.trivyignore:4 id=CVE-2019-14697 expires=2023-01-01 (once more)",
                   "ci/.trivyignore:5 id=AVD-DS-0002 ()"}));
}

TEST(IgnoreFile, OfTrivyInYaml) {
  EXPECT_EQ(lines_of("vulnerabilities:\n"
                     "  - id: CVE-2022-40897\n"
                     "    paths:\n"
                     "      - \"usr/local/lib/python3.9/site-packages/**\"\n"
                     "    statement: Accept the risk\n"
                     "  - id: CVE-2023-3817\n"
                     "    purls:\n"
                     "      - \"pkg:deb/debian/libssl1.1\"\n"
                     "    expired_at: 2024-08-20\n"
                     "misconfigurations:\n"
                     "  - id: AVD-GIT-0001\n"
                     "secrets:\nlicenses:\n",
                     ".trivyignore.yaml"),
            (Lines{".trivyignore.yaml:2 id=CVE-2022-40897 "
                   "path=usr/local/lib/python3.9/site-packages/** (Accept the risk)",
                   ".trivyignore.yaml:6 id=CVE-2023-3817 purl=pkg:deb/debian/libssl1.1 "
                   "expires=2024-08-20 ()"}));
  EXPECT_EQ(lines_of("secrets:\n  - id: aws\n", "x.yml"), Lines{});
}

TEST(IgnoreFile, OfGrype) {
  EXPECT_EQ(lines_of("fail-on-severity: high\n"
                     "ignore:\n"
                     "  - vulnerability: CVE-2008-4318\n"
                     "    include-aliases: true\n"
                     "    fix-state: not-fixed\n"
                     "    reason: no fix\n"
                     "    package:\n"
                     "      name: lib.*-dev\n"
                     "      version: 1.5.1\n"
                     "      type: python\n"
                     "      location: \"/usr/lib/**\"\n"
                     "      upstream-name: openssl\n"
                     "  - fix-state: unknown\n",
                     ".grype.yaml"),
            (Lines{".grype.yaml:3 id=CVE-2008-4318 package=lib**-dev upstream=openssl "
                   "version=1.5.1 kind=pypi path=/usr/lib/** state=affected state=fix_deferred "
                   "(no fix)",
                   ".grype.yaml:13 state=under_investigation ()"}));
}

}  // namespace
}  // namespace vigil::match
