#include "model/purl.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/limits.h"

namespace vigil {
namespace {

TEST(Purl, RefusesWhatIsNoPurl) {
  const std::vector<std::string> cases = {"",
                                          "pkg:",
                                          "deb/debian/bash",
                                          "pkg:deb",
                                          "pkg:deb/",
                                          "pkg:/bash",
                                          "pkg:1deb/bash",
                                          "pkg:d%65b/bash",
                                          "pkg:deb//",
                                          "http://deb/bash",
                                          "pkg:deb/bash@1%",
                                          "pkg:deb/bash@1%2",
                                          "pkg:deb/bash@%zz",
                                          "pkg:deb/%",
                                          "pkg:deb/bash?a%62=1",
                                          "pkg:deb/bash?=1",
                                          "pkg:deb/bash?1a=1",
                                          "pkg:deb/bash?a=1&A=2",
                                          "pkg:deb/bash@1%00",
                                          "pkg:deb/ba%0ash",
                                          "pkg:deb/ba\nsh",
                                          "pkg:deb/bash?a=%1b[2J",
                                          "pkg:deb/bash#a%2F..%2F..%2Fetc"};
  for (const std::string& text : cases) {
    const auto purl = Purl::parse(text);
    ASSERT_FALSE(purl) << text;
    EXPECT_EQ(purl.error().code, ErrorCode::kMalformed) << text;
  }
}

TEST(Purl, RefusesTextPastItsBound) {
  const auto purl = Purl::parse("pkg:deb/" + std::string(limits::kPurlBytesMax, 'a'));
  ASSERT_FALSE(purl);
  EXPECT_EQ(purl.error().code, ErrorCode::kTooLarge);
}

TEST(Purl, TakesPartsApart) {
  Purl expected;
  expected.type = "deb";
  expected.space = "debian";
  expected.name = "apache-log4j1.2-bin";
  expected.version = "1:1.2.17-8+deb10u1~+b2";
  expected.qualifiers = {{"arch", "amd64"}, {"upstream", "log4j@1.2+x"}};
  expected.subpath = "a/b";
  const auto purl = Purl::parse(
      "pkg:DEB/Debian/apache-log4j1.2-bin@1%3A1.2.17-8+deb10u1~%2bb2"
      "?upstream=log4j%401.2%2Bx&ARCH=amd64&empty=#/a/./b/..");
  ASSERT_TRUE(purl) << purl.error().text();
  EXPECT_EQ(*purl, expected);
  EXPECT_EQ(purl->qualifier("upstream"), "log4j@1.2+x");
  EXPECT_EQ(purl->qualifier("empty"), "");
}

struct TextCase {
  std::string in;
  std::string out;
};

TEST(Purl, PrintsCanonicalTextThatReadsBackTheSame) {
  const std::vector<TextCase> cases = {
      // Examples of the specification and its test suite.
      {"pkg:bitbucket/birKenfeld/pyGments-main@244fd47e07d1014f0aed9c",
       "pkg:bitbucket/birkenfeld/pygments-main@244fd47e07d1014f0aed9c"},
      {"pkg:GitHub/Package-url/purl-Spec@244fd47e07d1004f0aed9c",
       "pkg:github/package-url/purl-spec@244fd47e07d1004f0aed9c"},
      {"pkg:PYPI/Django_package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1"},
      {"pkg:maven/org.apache.commons/io@1.3.4", "pkg:maven/org.apache.commons/io@1.3.4"},
      {"pkg:Rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25",
       "pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&distro=fedora-25"},
      {"pkg:docker/customer/dockerimage@sha256:244fd47e07d1004f0aed9c?repository_url=gcr.io",
       "pkg:docker/customer/dockerimage@sha256:244fd47e07d1004f0aed9c?repository_url=gcr.io"},
      {"pkg:golang/google.golang.org/genproto#/googleapis/api/annotations/",
       "pkg:golang/google.golang.org/genproto#googleapis/api/annotations"},
      {"pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1"},
      {"pkg:generic/b?vcs_url=git%2Bhttps://git.fsfe.org/dxtr/b%40cc55",
       "pkg:generic/b?vcs_url=git%2Bhttps:%2F%2Fgit.fsfe.org%2Fdxtr%2Fb%40cc55"},
      {"pkg:nuget/EnterpriseLibrary.Common@6.0.1304",
       "pkg:nuget/EnterpriseLibrary.Common@6.0.1304"},
      {"pkg://maven//org.apache///commons/io@1", "pkg:maven/org.apache/commons/io@1"},
      // Scopes and versions that writers did not escape.
      {"pkg:npm/@babel/core@7.0.0", "pkg:npm/%40babel/core@7.0.0"},
      {"pkg:npm/@babel/core", "pkg:npm/%40babel/core"},
      {"pkg:deb/debian/x@1+b2", "pkg:deb/debian/x@1%2Bb2"},
      {"pkg:golang/github.com%2FMasterminds/goutils@v1",
       "pkg:golang/github.com/Masterminds/goutils@v1"},
      {"pkg:k8s/k8s.io%2Fkubernetes@1.27.0", "pkg:k8s/k8s.io%2Fkubernetes@1.27.0"},
      {"pkg:apk/Alpine/R@4.3-r0", "pkg:apk/alpine/R@4.3-r0"},
      {"pkg:rpm/AlmaLinux/LibRaw@1", "pkg:rpm/almalinux/LibRaw@1"},
      {"pkg:cargo/a@1?b=c d&a", "pkg:cargo/a@1?b=c%20d"},
      {"pkg:generic/%252e%252e@1", "pkg:generic/%252e%252e@1"},
  };
  for (const TextCase& test : cases) {
    const auto purl = Purl::parse(test.in);
    ASSERT_TRUE(purl) << test.in << ": " << purl.error().text();
    EXPECT_EQ(purl->text(), test.out);
    const auto again = Purl::parse(test.out);
    ASSERT_TRUE(again) << test.out;
    EXPECT_EQ(*again, *purl);
  }
}

TEST(Purl, QualifiersStaySortedAndUnique) {
  Purl purl;
  purl.type = "rpm";
  purl.name = "bash";
  purl.set_qualifier("epoch", "1");
  purl.set_qualifier("arch", "noarch");
  purl.set_qualifier("distro", "fedora-25");
  purl.set_qualifier("arch", "x86_64");
  purl.set_qualifier("epoch", "");
  EXPECT_EQ(purl.text(), "pkg:rpm/bash?arch=x86_64&distro=fedora-25");
}

}  // namespace
}  // namespace vigil
