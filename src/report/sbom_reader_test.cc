#include "report/sbom_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/limits.h"

namespace vigil::report {
namespace {

std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string read_testdata(const std::string& name) {
  return read_whole(std::string(VIGIL_SOURCE_DIR) + "/src/report/testdata/sbom_reader_fuzz/" +
                    name);
}

Package package_of(std::string_view text) {
  const auto purl = Purl::parse(text);
  EXPECT_TRUE(purl) << text;
  return purl ? package_of_purl(*purl) : Package{};
}

TEST(SbomReader, RefusesWhatIsNoSbom) {
  struct Case {
    std::string text;
    ErrorCode code;
  };
  const std::vector<Case> cases = {
      {"", ErrorCode::kMalformed},
      {"{}", ErrorCode::kMalformed},
      {"[1]", ErrorCode::kMalformed},
      {"{\"bomFormat\":\"CycloneDX\"", ErrorCode::kMalformed},
      {"{\"bomFormat\":\"Other\",\"components\":[]}", ErrorCode::kMalformed},
      {"<?xml version=\"1.0\"?><bom/>", ErrorCode::kUnsupported},
      {"SPDXVersion: SPDX-2.2\n", ErrorCode::kUnsupported},
      {"{\"spdxVersion\":\"SPDX-3.0\"}", ErrorCode::kUnsupported},
  };
  for (const Case& test : cases) {
    const auto sbom = read_sbom(test.text);
    ASSERT_FALSE(sbom) << test.text;
    EXPECT_EQ(sbom.error().code, test.code) << test.text;
  }
}

TEST(SbomReader, RefusesNestingPastTheBoundOfJson) {
  std::string text = "{\"bomFormat\":\"CycloneDX\"";
  for (int i = 0; i < 60'000; ++i) text += ",\"components\":[{\"name\":\"a\"";
  const auto sbom = read_sbom(text);
  ASSERT_FALSE(sbom);
  EXPECT_NE(sbom.error().code, ErrorCode::kUnavailable);
}

TEST(SbomReader, ReadsCycloneDx) {
  Package rpm;
  rpm.kind = PackageKind::kRpm;
  rpm.name = "openssl-libs";
  rpm.version = "1:1.0.2k-16.el7";
  rpm.arch = "x86_64";
  rpm.source = {"openssl", "1:1.0.2k-16.el7"};
  rpm.maintainer = "AlmaLinux";
  rpm.licence = "OpenSSL AND MIT";
  rpm.location.layer = 1;
  rpm.purl = "pkg:rpm/alma/openssl-libs@1.0.2k-16.el7?arch=x86_64&epoch=1&distro=alma-8.10";
  rpm.distro = "alma-8.10";
  rpm.bom_ref = "1";
  Package npm;
  npm.kind = PackageKind::kNpm;
  npm.name = "@babel/core";
  npm.version = "7.0.0";
  npm.purl = "pkg:npm/%40babel/core@7.0.0";
  npm.bom_ref = "1";  // Twice in the document, which harms nothing.
  Package own;
  own.name = "own";
  own.version = "1";
  own.location.path = "opt/own";
  own.bom_ref = "3";
  Package broken;
  broken.name = "broken";
  broken.version = "2";
  broken.purl = "pkg:npm/%zz";
  broken.bom_ref = "4";
  Sbom expected;
  expected.target.kind = TargetKind::kSbom;
  expected.target.name = "app:1";
  expected.target.image_id = "sha256:1";
  expected.target.tags = {"app:1"};
  expected.distro.id = "almalinux";
  expected.distro.version = "8.10";
  expected.layers.resize(2);
  expected.layers[0].diff_id = "sha256:a";
  expected.layers[1].diff_id = "sha256:b";
  expected.packages = {rpm, npm, own, broken};
  sort_packages(expected.packages);
  expected.gaps = {{GapKind::kMalformed, "", "1 components with a purl that does not parse", ""}};
  const auto sbom = read_sbom(read_testdata("cyclonedx.json"));
  ASSERT_TRUE(sbom) << sbom.error().text();
  EXPECT_EQ(*sbom, expected);
  for (size_t i = 0; i < expected.packages.size() && i < sbom->packages.size(); ++i) {
    EXPECT_EQ(sbom->packages[i], expected.packages[i]) << expected.packages[i].name;
  }
}

TEST(SbomReader, ReadsSpdx) {
  Package deb;
  deb.kind = PackageKind::kDeb;
  deb.name = "libssl3";
  deb.version = "3.0.15-1~deb12u1+b1";
  deb.arch = "amd64";
  deb.source = {"openssl", "3.0.15-1~deb12u1"};
  deb.maintainer = "Debian";
  deb.licence = "Apache-2.0";
  deb.location.layer = 0;
  deb.purl = "pkg:deb/debian/libssl3@3.0.15-1~deb12u1%2Bb1?arch=amd64&distro=debian-12.9";
  deb.distro = "debian-12.9";
  deb.bom_ref = "SPDXRef-Package-1";
  Package rpm;  // Its epoch stands in versionInfo alone; the source rpm inherits it.
  rpm.kind = PackageKind::kRpm;
  rpm.name = "bash";
  rpm.version = "1:5.1-2";
  rpm.purl = "pkg:rpm/fedora/bash@5.1-2?upstream=bash-5.1-2.src.rpm";
  rpm.bom_ref = "SPDXRef-Package-2";
  Package unknown;
  unknown.name = "no purl";
  unknown.bom_ref = "SPDXRef-Package-3";
  Sbom expected;
  expected.target.kind = TargetKind::kSbom;
  expected.target.name = "app";
  expected.distro = parse_distro("debian:bookworm");
  expected.layers.resize(1);
  expected.layers[0].diff_id = "sha256:a";
  expected.packages = {deb, rpm, unknown};
  sort_packages(expected.packages);
  const auto sbom = read_sbom(read_testdata("spdx.json"));
  ASSERT_TRUE(sbom) << sbom.error().text();
  EXPECT_EQ(*sbom, expected);
}

TEST(SbomReader, ReadsSyft) {
  Package zlib;
  zlib.kind = PackageKind::kApk;
  zlib.name = "zlib";
  zlib.version = "1.3-r2";
  zlib.arch = "x86_64";
  zlib.maintainer = "A <a@b>";
  zlib.licence = "Zlib";
  zlib.location = {"lib/apk/db/installed", 0};
  zlib.purl = "pkg:apk/alpine/zlib@1.3-r2?arch=x86_64&distro=alpine-3.19.1";
  zlib.distro = "alpine-3.19.1";
  zlib.bom_ref = "a";
  Package crypto;
  crypto.kind = PackageKind::kApk;
  crypto.name = "libcrypto3";
  crypto.version = "3.1.4-r5";
  crypto.arch = "x86_64";
  crypto.source = {"openssl", "3.1.4-r5"};
  crypto.licence = "Apache-2.0 AND MIT";
  crypto.bom_ref = "b";
  Package blkid;
  blkid.kind = PackageKind::kRpm;
  blkid.name = "libblkid";
  blkid.version = "2.32-1";
  blkid.source = {"util-linux", "2.32-1"};
  blkid.maintainer = "V";
  blkid.module = "m:1:2:3";
  blkid.bom_ref = "c";
  Sbom expected;
  expected.target.kind = TargetKind::kSbom;
  expected.target.name = "app";
  expected.target.image_id = "sha256:1";
  expected.distro.id = "alpine";
  expected.distro.version = "3.19.1";
  expected.distro.pretty_name = "Alpine Linux v3.19";
  expected.distro.id_like = {"x"};
  expected.layers.resize(1);
  expected.layers[0].diff_id = "sha256:a";
  expected.packages = {zlib, crypto, blkid};
  sort_packages(expected.packages);
  const auto sbom = read_sbom(read_testdata("syft.json"));
  ASSERT_TRUE(sbom) << sbom.error().text();
  EXPECT_EQ(*sbom, expected);
}

TEST(Purls, ALineThatIsNoneIsAGap) {
  const auto sbom =
      read_purls("# list\r\n\r\npkg:deb/debian/bash@1\nbash\npkg:deb/debian/a@1?epoch=x\n");
  ASSERT_TRUE(sbom) << sbom.error().text();
  EXPECT_EQ(sbom->packages.size(), 2u);
  const std::string reason = Purl::parse("bash").error().text();
  EXPECT_EQ(sbom->gaps, (std::vector<Gap>{{GapKind::kMalformed, "line 4", reason, ""},
                                          {GapKind::kMalformed, "line 5",
                                           "the epoch 'x' is no number and was left out", ""}}));
}

TEST(Purls, WhereNoLineIsOneItIsAnError) {
  const auto sbom = read_purls("\nbash\nzlib\n");
  ASSERT_FALSE(sbom);
  EXPECT_EQ(sbom.error().context, std::vector<std::string>{"line 2"});
}

TEST(Purls, ReadsOneALine) {
  const auto sbom = read_purls(read_testdata("purls"));
  ASSERT_TRUE(sbom) << sbom.error().text();
  ASSERT_EQ(sbom->packages.size(), 2u);
  EXPECT_EQ(sbom->target.kind, TargetKind::kPurl);
  EXPECT_EQ(sbom->packages[0].purl,
            "pkg:deb/debian/bash@5.2?distro=debian-12&upstream=bash-source");
  EXPECT_EQ(sbom->packages[0].source, (SourcePackage{"bash-source", "5.2"}));
  EXPECT_EQ(sbom->packages[1].version, "1:5.1-2");
  // One distribution named by all packages that name any is the list's.
  EXPECT_EQ(sbom->distro.text(), "debian 12");
}

TEST(PackageOfPurl, EpochAndUpstream) {
  struct Case {
    std::string purl;
    std::string version;
    SourcePackage source;
  };
  const std::vector<Case> cases = {
      {"pkg:rpm/fedora/bash@5.1-2?epoch=1", "1:5.1-2", {}},
      {"pkg:rpm/fedora/bash@5.1-2?epoch=0", "5.1-2", {}},
      {"pkg:rpm/fedora/bash@0:5.1-2", "5.1-2", {}},
      {"pkg:rpm/fedora/bash@1:5.1-2?epoch=1", "1:5.1-2", {}},
      {"pkg:rpm/fedora/bash@5.1-2?epoch=x", "5.1-2", {}},
      {"pkg:deb/debian/bash@5.1-2?epoch=2", "2:5.1-2", {}},
      {"pkg:npm/bash@5.1?epoch=2", "5.1", {}},
      {"pkg:rpm/fedora/bash-doc@5.1-2?epoch=1&upstream=bash", "1:5.1-2", {"bash", "1:5.1-2"}},
      {"pkg:rpm/fedora/a@5.1-2?epoch=1&upstream=bash@4.0-1", "1:5.1-2", {"bash", "4.0-1"}},
      {"pkg:rpm/fedora/a@5.1-2?epoch=1&upstream=bash-4.0-1.src.rpm",
       "1:5.1-2",
       {"bash", "1:4.0-1"}},
      {"pkg:rpm/fedora/bash@5.1-2?epoch=1&upstream=bash-5.1-2.src.rpm", "1:5.1-2", {}},
      {"pkg:deb/debian/a@1.0%2Bb1?upstream=b%401.0", "1.0+b1", {"b", "1.0"}},
      {"pkg:deb/debian/a@1.0%2Bb1?upstream=a%401.0", "1.0+b1", {"a", "1.0"}},
      {"pkg:apk/alpine/a@1.0-r1?upstream=b", "1.0-r1", {"b", "1.0-r1"}},
      {"pkg:apk/alpine/a@1.0-r1?upstream=a", "1.0-r1", {}},
  };
  for (const Case& test : cases) {
    const Package package = package_of(test.purl);
    EXPECT_EQ(package.version, test.version) << test.purl;
    EXPECT_EQ(package.source, test.source) << test.purl;
  }
}

TEST(PackageOfPurl, NamesAsAdvisoriesWriteThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"pkg:maven/org.apache.commons/commons-text@1.9", "org.apache.commons:commons-text"},
      {"pkg:golang/github.com/Masterminds/goutils@v1.1.0", "github.com/Masterminds/goutils"},
      {"pkg:golang/stdlib@1.20", "stdlib"},
      {"pkg:npm/%40babel/core@7", "@babel/core"},
      {"pkg:npm/lodash@4", "lodash"},
      {"pkg:composer/Symfony/Http-kernel@5", "symfony/http-kernel"},
      {"pkg:githubactions/actions/checkout@v4", "actions/checkout"},
      {"pkg:swift/github.com/vapor/vapor@4", "github.com/vapor/vapor"},
      {"pkg:deb/debian/bash@5", "bash"},
      {"pkg:rpm/redhat/LibRaw@1-1", "LibRaw"},
      {"pkg:oci/library/app@1", "library/app"},
  };
  for (const auto& [purl, name] : cases) EXPECT_EQ(package_of(purl).name, name);
}

TEST(PackageOfPurl, HonoursArchDistroAndModule) {
  const Package package =
      package_of("pkg:rpm/redhat/nodejs@18-1?arch=aarch64&distro=rhel-8.6&rpmmod=nodejs:18:1:2");
  EXPECT_EQ(package.arch, "aarch64");
  EXPECT_EQ(package.distro, "rhel-8.6");
  EXPECT_EQ(package.module, "nodejs:18:1:2");
  EXPECT_EQ(package_of("pkg:apk/wolfi/a@1-r0").distro, "wolfi");
  EXPECT_EQ(package_of("pkg:apk/alpine/a@1-r0").distro, "");
  EXPECT_EQ(package_of("pkg:apk/alpine/a@1-r0?distro=3.12.12").distro, "alpine-3.12.12");
}

TEST(SbomReader, ADocumentWithoutPackagesIsAGap) {
  const std::vector<Gap> gaps = {{GapKind::kUnsupported, "", "no package in the document", ""}};
  EXPECT_EQ(read_purls("# nothing\n")->gaps, gaps);
  EXPECT_EQ(read_sbom(R"({"bomFormat": "CycloneDX", "specVersion": "1.6"})")->gaps, gaps);
}

TEST(SbomReader, ReadsDocumentsOfOtherProgramsWhole) {
  const std::string folder = std::string(VIGIL_SOURCE_DIR) + "/../shared/feeds/goldens/peers/";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "the documents of other programs are not there: " << folder;
  }
  struct Case {
    std::string name;
    std::string distro;
    size_t packages_count;
  };
  const std::vector<Case> cases = {
      {"alma-8.10", "almalinux 8.10", 250},
      {"debian-10.13", "debian 10.13", 250},
      {"debian-11.11", "debian 11.11", 250},
      {"ubuntu-20.04", "ubuntu 20.04", 286},
      {"wolfi", "wolfi 20230201", 403},
      {"lang-bitnami", "", 197},
      {"lang-composer", "", 294},
      {"lang-pypi", "", 398},
  };
  for (const Case& test : cases) {
    const auto sbom = read_sbom(read_whole(folder + test.name + ".cdx.json"));
    ASSERT_TRUE(sbom) << test.name << ": " << sbom.error().text();
    EXPECT_EQ(sbom->distro.text(), test.distro);
    EXPECT_EQ(sbom->gaps, std::vector<Gap>{}) << test.name;
    EXPECT_EQ(sbom->packages.size(), test.packages_count) << test.name;
    for (const Package& package : sbom->packages) {
      EXPECT_NE(package.kind, PackageKind::kUnknown) << package.purl;
      // The canonical text is what these programs wrote, but for the colons they escape.
      const auto purl = Purl::parse(package.purl);
      ASSERT_TRUE(purl) << package.purl;
      std::string written = package.purl;
      for (size_t at = 0; (at = written.find("%3A", at)) != std::string::npos;) {
        written.replace(at, 3, ":");
      }
      EXPECT_EQ(purl->text(), written);
    }
  }
}

}  // namespace
}  // namespace vigil::report
