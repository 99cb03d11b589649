#include "catalog/package_purl.h"

#include <gtest/gtest.h>

namespace vigil::catalog {
namespace {

Distro make_distro(std::string id, std::string version) {
  Distro distro;
  distro.id = std::move(id);
  distro.version = std::move(version);
  return distro;
}

TEST(PackagePurl, SaysWhatIsKnown) {
  Package package;
  package.kind = PackageKind::kDeb;
  package.name = "a b";
  EXPECT_EQ(package_purl(package, Distro()), "pkg:deb/a%20b");
  package.version = "1";
  EXPECT_EQ(package_purl(package, make_distro("debian", "")),
            "pkg:deb/debian/a%20b@1?distro=debian");
}

TEST(PackagePurl, DebianKeepsTheEpochInTheVersion) {
  Package package;
  package.kind = PackageKind::kDeb;
  package.name = "libstdc++6";
  package.version = "1:12.2.0-14";
  package.arch = "amd64";
  const Distro distro = make_distro("debian", "12");
  EXPECT_EQ(package_purl(package, distro),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12");
  package.source = {"gcc-12", "1:12.2.0-14"};
  EXPECT_EQ(
      package_purl(package, distro),
      "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12");
  package.source = {"gcc-defaults", "1.203"};
  EXPECT_EQ(package_purl(package, distro),
            "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12"
            "&upstream=gcc-defaults%401.203");
}

TEST(PackagePurl, AlpineNamesTheOrigin) {
  Package package;
  package.kind = PackageKind::kApk;
  package.name = "libssl3";
  package.version = "3.0.15-r1";
  package.arch = "x86_64";
  package.source = {"openssl", "3.0.15-r1"};
  EXPECT_EQ(package_purl(package, make_distro("alpine", "3.17.10")),
            "pkg:apk/alpine/libssl3@3.0.15-r1?arch=x86_64&distro=alpine-3.17.10&upstream=openssl");
}

TEST(PackagePurl, RpmHasItsEpochApart) {
  Package package;
  package.kind = PackageKind::kRpm;
  package.name = "openssl-libs";
  package.version = "1:3.0.7-27.el9";
  package.arch = "x86_64";
  package.module = "mod:1:2:3";
  package.source = {"openssl", "1:3.0.7-27.el9"};
  EXPECT_EQ(package_purl(package, make_distro("redhat", "9.4")),
            "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=redhat-9.4&epoch=1"
            "&rpmmod=mod:1:2:3&upstream=openssl-3.0.7-27.el9.src.rpm");
}

}  // namespace
}  // namespace vigil::catalog
