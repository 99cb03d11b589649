// Whole images: layers, links, distributions, and real roots.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "catalog/cataloger.h"
#include "image/fake_image.h"

namespace vigil::catalog {
namespace {

using decode::FakeTar;
using image::FakeImage;
using image::OpenedImage;
using image::TemporaryFolder;
using Lines = std::vector<std::string>;

constexpr char kStatus[] = "var/lib/dpkg/status";
constexpr char kInstalled[] = "lib/apk/db/installed";

Inventory catalog_layers(const std::vector<FakeTar>& tars) {
  FakeImage fake;
  for (const FakeTar& tar : tars) fake.layers.push_back(tar.finished());
  const TemporaryFolder folder;
  OpenedImage opened = image::open_image(fake.write_layout(folder), all_claims());
  EXPECT_TRUE(opened.image) << opened.error();
  return opened.image ? catalog_image(*std::move(opened.image)) : Inventory();
}

Inventory catalog_root(const std::string& path) {
  OpenedImage opened = image::open_image(path, all_claims());
  EXPECT_TRUE(opened.image) << opened.error();
  return opened.image ? catalog_image(*std::move(opened.image)) : Inventory();
}

// "NAME VERSION DATABASE LAYER".
Lines package_lines(const Inventory& inventory) {
  Lines lines;
  for (const Package& package : inventory.sbom.packages) {
    lines.push_back(package.name + " " + package.version + " " + package.location.path + " " +
                    std::to_string(package.location.layer));
  }
  return lines;
}

Lines gap_lines(const Inventory& inventory) {
  Lines lines;
  for (const Gap& gap : inventory.sbom.gaps) {
    lines.push_back(std::string(to_string(gap.kind)) + " " + gap.path + ": " + gap.reason);
  }
  return lines;
}

// "PATH OWNER ALIAS…".
Lines file_lines(const Inventory& inventory) {
  Lines lines;
  for (const OwnedFile& file : inventory.files) {
    std::string line = file.path + " " + inventory.sbom.packages.at(file.package).name;
    for (const std::string& alias : file.aliases) line += " " + alias;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string stanza(const std::string& name, const std::string& version) {
  return "Package: " + name + "\nStatus: install ok installed\nVersion: " + version + "\n\n";
}

struct NameVersion {
  std::string name;
  std::string version;
};
// A layer whose dpkg has these packages, which own nothing.
FakeTar dpkg_layer(const std::vector<NameVersion>& packages) {
  FakeTar tar;
  std::string status;
  for (const NameVersion& package : packages) {
    status += stanza(package.name, package.version);
    tar.file("var/lib/dpkg/info/" + package.name + ".list", "/.\n");
  }
  return tar.file(kStatus, status);
}

TEST(Catalog, AnImageWithoutADatabaseIsAGap) {
  const Inventory inventory = catalog_layers({FakeTar().file("app", "#!")});
  EXPECT_EQ(gap_lines(inventory),
            Lines{"unsupported : no package database of a known kind in the image"});
  EXPECT_FALSE(inventory.sbom.distro.is_known());
}

TEST(Catalog, AnEmptyDatabaseIsAGap) {
  EXPECT_EQ(gap_lines(catalog_layers({FakeTar().file(kStatus, "")})),
            Lines{"unsupported : no package in the image's package databases"});
}

TEST(Catalog, ABrokenDatabaseIsAGapAndTheOthersAreRead) {
  const Inventory inventory =
      catalog_layers({dpkg_layer({{"a", "1"}}).file("var/lib/rpm/Packages", "broken")});
  EXPECT_EQ(package_lines(inventory), Lines{"a 1 var/lib/dpkg/status 0"});
  ASSERT_EQ(inventory.sbom.gaps.size(), 1u);
  EXPECT_EQ(inventory.sbom.gaps[0].path, "var/lib/rpm/Packages");
}

TEST(Catalog, AFolderInsteadOfADatabaseIsNoPackage) {
  const TemporaryFolder folder;
  folder.write("var/lib/dpkg/status/x", "");
  folder.write("var/lib/dpkg/status.d/a/x", "");
  folder.write("lib/apk/db/installed", "P:a\nV:1\n");
  const Inventory inventory = catalog_root(folder.path());
  EXPECT_EQ(package_lines(inventory), Lines{"a 1 lib/apk/db/installed -1"});
  EXPECT_EQ(gap_lines(inventory), Lines{"malformed var/lib/dpkg/status: not a regular file"});
}

TEST(Catalog, NamesTheLayerThatIntroducedEachPackage) {
  const Inventory inventory = catalog_layers({
      dpkg_layer({{"base", "1"}, {"back", "1"}, {"old", "1"}}),
      FakeTar().file("usr/bin/app", "#!"),
      dpkg_layer({{"base", "1"}, {"old", "2"}, {"new", "1"}}),
      dpkg_layer({{"base", "1"}, {"old", "2"}, {"new", "1"}, {"back", "1"}}),
      FakeTar().file("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
  });
  EXPECT_EQ(package_lines(inventory),
            (Lines{"back 1 var/lib/dpkg/status 3", "base 1 var/lib/dpkg/status 0",
                   "new 1 var/lib/dpkg/status 2", "old 2 var/lib/dpkg/status 2"}));
  EXPECT_EQ(inventory.sbom.packages[0].purl, "pkg:deb/debian/back@1?distro=debian-12");
  EXPECT_EQ(gap_lines(inventory), Lines{});
}

TEST(Catalog, AnUnreadableStateBetweenLayersChangesNothing) {
  const Inventory inventory = catalog_layers({
      FakeTar().file("var/lib/rpm/Packages", "broken"),
      dpkg_layer({{"a", "1"}}),
      dpkg_layer({{"a", "1"}, {"b", "1"}}).file("var/lib/rpm/.wh.Packages", ""),
  });
  EXPECT_EQ(package_lines(inventory),
            (Lines{"a 1 var/lib/dpkg/status 1", "b 1 var/lib/dpkg/status 2"}));
  EXPECT_EQ(gap_lines(inventory), Lines{});
}

TEST(Catalog, EachFileOfDistrolessIsADatabase) {
  const std::string folder = "var/lib/dpkg/status.d/";
  const std::string a(32, 'a');
  const Inventory inventory = catalog_layers({
      FakeTar().file(folder + "a", stanza("a", "1")).file(folder + "a.md5sums", a + "  lib/a\n"),
      FakeTar().file(folder + "b", stanza("b", "1")).file(folder + "b.md5sums", a + "  lib/b\n"),
      FakeTar()
          .file(folder + ".wh.a", "")
          .file(folder + "c", stanza("a", "1"))
          .file(folder + "c.md5sums", a + "  lib/a\n"),
  });
  // The package moved from one file to another; it has been there all the time.
  EXPECT_EQ(package_lines(inventory), (Lines{"a 1 " + folder + "c 0", "b 1 " + folder + "b 1"}));
  EXPECT_EQ(file_lines(inventory), (Lines{"lib/a a", "lib/b b"}));
  EXPECT_EQ(gap_lines(inventory), Lines{});
}

TEST(Catalog, ADatabaseWithTwoNamesCountsOnce) {
  const std::string database = "P:a\nV:1\n";
  const Lines once = {"a 1 usr/lib/apk/db/installed 0"};
  EXPECT_EQ(package_lines(catalog_layers(
                {FakeTar().file("usr/lib/apk/db/installed", database).symlink("lib", "usr/lib")})),
            once);
  // A link or a copy of the file itself.
  EXPECT_EQ(
      package_lines(catalog_layers({FakeTar()
                                        .file("usr/lib/apk/db/installed", database)
                                        .symlink(kInstalled, "../../../usr/lib/apk/db/installed")}))
          .size(),
      1u);
  EXPECT_EQ(
      package_lines(
          catalog_layers(
              {FakeTar().file("usr/lib/apk/db/installed", database).file(kInstalled, database)}))
          .size(),
      1u);
}

TEST(Catalog, ADatabaseThatMovesTakesItsPackagesAlong) {
  const Inventory inventory = catalog_layers({
      FakeTar().file(kInstalled, "P:a\nV:1\n"),
      FakeTar().file(".wh.lib", "").file("usr/lib/apk/db/installed", "P:a\nV:1\n\nP:b\nV:1\n"),
      FakeTar().symlink("lib", "usr/lib"),
  });
  EXPECT_EQ(package_lines(inventory),
            (Lines{"a 1 usr/lib/apk/db/installed 0", "b 1 usr/lib/apk/db/installed 1"}));
}

TEST(Catalog, FilesHaveEveryNameOfTheirs) {
  const std::string info = "var/lib/dpkg/info/";
  const FakeTar layer = FakeTar()
                            .file(kStatus, stanza("a", "1") + stanza("b", "1"))
                            .file(info + "a.list",
                                  "/.\n/bin\n/bin/tool\n/usr\n/usr/bin\n"
                                  "/usr/bin/name\n/usr/share/doc\n")
                            .file(info + "b.list", "/opt\n/opt/other\n/usr/share/doc\n")
                            .symlink("bin", "usr/bin")
                            .file("usr/bin/tool", "x")
                            .hard_link("usr/bin/name", "usr/bin/tool")
                            .hard_link("opt/other", "usr/bin/tool");
  const Lines expected = {
      "bin/tool a opt/other usr/bin/name usr/bin/tool", "opt/other b usr/bin/name usr/bin/tool",
      "usr/bin/name a opt/other usr/bin/tool", "usr/share/doc a", "usr/share/doc b"};
  EXPECT_EQ(file_lines(catalog_layers({layer})), expected);

  const TemporaryFolder folder;
  folder.write(kStatus, stanza("a", "1") + stanza("b", "1"));
  folder.write(info + "a.list",
               "/.\n/bin\n/bin/tool\n/usr\n/usr/bin\n/usr/bin/name\n/usr/share/doc\n");
  folder.write(info + "b.list", "/opt\n/opt/other\n/usr/share/doc\n");
  folder.write("usr/bin/tool", "x");
  folder.write("opt/x", "");
  std::filesystem::create_symlink("usr/bin", folder.path() + "/bin");
  std::filesystem::create_hard_link(folder.path() + "/usr/bin/tool",
                                    folder.path() + "/usr/bin/name");
  std::filesystem::create_hard_link(folder.path() + "/usr/bin/tool", folder.path() + "/opt/other");
  EXPECT_EQ(file_lines(catalog_root(folder.path())), expected);
}

TEST(Catalog, ClaimsAreThoseOfAllParts) {
  std::set<std::string_view> texts;
  for (const image::Claim& claim : all_claims()) texts.insert(claim.text);
  for (const char* text : {"etc/os-release", "etc/debian_version", "var/lib/dpkg/info/", kStatus,
                           kInstalled, "var/lib/rpm/Packages"}) {
    EXPECT_TRUE(texts.contains(text)) << text;
  }
}

// What a command prints.
std::string output_of(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  std::array<char, 65536> buffer;
  while (const size_t count = ::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), count);
  }
  ::pclose(pipe);
  return text;
}

std::multiset<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::multiset<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

struct AlpineRoot {
  std::string version;
  size_t packages_count;
  size_t files_count;
};

class RealAlpine : public testing::TestWithParam<AlpineRoot> {};

TEST_P(RealAlpine, IsAsApkSees) {
  const std::string archive = std::string(VIGIL_SOURCE_DIR) +
                              "/../shared/images/alpine-minirootfs-" + GetParam().version +
                              "-x86_64.tar.gz";
  if (!std::filesystem::exists(archive)) {
    GTEST_SKIP() << "the real Alpine root is not there: " << archive;
  }
  const TemporaryFolder folder;
  output_of("tar -xzf '" + archive + "' -C '" + folder.path() + "'");
  const Inventory inventory = catalog_root(folder.path());
  EXPECT_EQ(gap_lines(inventory), Lines{});
  EXPECT_EQ(inventory.sbom.distro.id, "alpine");
  EXPECT_EQ(inventory.sbom.distro.version, GetParam().version);

  // The database by another reader: awk, a record for each paragraph.
  const std::string database = folder.path() + "/" + kInstalled;
  const std::string packages = output_of(
      "awk -F: '/^P:/{p=$2} /^V:/{v=$2} /^A:/{a=$2} /^$/{print p, v, a}' '" + database + "'");
  std::multiset<std::string> seen;
  for (const Package& package : inventory.sbom.packages) {
    seen.insert(package.name + " " + package.version + " " + package.arch);
    EXPECT_EQ(package.purl.substr(0, 15), "pkg:apk/alpine/");
  }
  EXPECT_EQ(seen, lines_of(packages));
  EXPECT_EQ(seen.size(), GetParam().packages_count);

  const std::string files = output_of(
      "awk '/^P:/{p=substr($0,3)} /^F:/{f=substr($0,3)} /^R:/{print p, f \"/\" substr($0,3)}' '" +
      database + "'");
  seen.clear();
  for (const OwnedFile& file : inventory.files) {
    seen.insert(inventory.sbom.packages[file.package].name + " " + file.path);
    EXPECT_EQ(file.digest.substr(0, 5), "sha1:") << file.path;
    EXPECT_TRUE(std::filesystem::symlink_status(folder.path() + "/" + file.path).type() !=
                std::filesystem::file_type::not_found)
        << file.path;
  }
  EXPECT_EQ(seen, lines_of(files));
  EXPECT_EQ(seen.size(), GetParam().files_count);
}

INSTANTIATE_TEST_SUITE_P(Releases, RealAlpine,
                         testing::Values(AlpineRoot{"3.8.5", 13, 77},
                                         AlpineRoot{"3.12.12", 14, 105},
                                         AlpineRoot{"3.17.10", 15, 109},
                                         AlpineRoot{"3.20.3", 14, 107}),
                         [](const auto& test) {
                           std::string name = test.param.version;
                           std::erase(name, '.');
                           return name;
                         });

// The machine that the test runs on, against its own dpkg.
class RealDebian : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/var/lib/dpkg/status") ||
        !std::filesystem::exists("/usr/bin/dpkg-query")) {
      GTEST_SKIP() << "this machine has no dpkg to compare with";
    }
  }
};

TEST_F(RealDebian, PackagesAreThoseOfDpkgQuery) {
  const Inventory inventory = catalog_root("/");
  EXPECT_EQ(gap_lines(inventory), Lines{});
  std::multiset<std::string> seen;
  for (const Package& package : inventory.sbom.packages) {
    if (package.location.path != kStatus) continue;
    const bool has_source = !package.source.name.empty();
    seen.insert(package.name + "|" + package.version + "|" + package.arch + "|" +
                (has_source ? package.source.name : package.name) + "|" +
                (has_source ? package.source.version : package.version) + "|" + package.maintainer);
  }
  std::multiset<std::string> expected;
  for (const std::string& line : lines_of(
           output_of("dpkg-query -W -f '${db:Status-Status}|${Package}|${Version}|${Architecture}|"
                     "${source:Package}|${source:Version}|${Maintainer}\\n'"))) {
    const size_t bar = line.find('|');
    const std::string state = line.substr(0, bar);
    if (state != "config-files" && state != "not-installed") expected.insert(line.substr(bar + 1));
  }
  EXPECT_EQ(seen, expected);
  EXPECT_GT(seen.size(), 100u);
}

// Lists name folders too, of which only those with something in them can be told. So what is owned
// is what dpkg lists without folders, and perhaps empty folders.
TEST_F(RealDebian, OwnedFilesAreThoseOfDpkg) {
  const Inventory inventory = catalog_root("/");
  std::map<std::string, std::set<std::string>> owned;
  for (const OwnedFile& file : inventory.files) {
    const Package& package = inventory.sbom.packages[file.package];
    if (package.location.path != kStatus) continue;
    owned[package.name + ":" + package.arch].insert(file.path);
  }
  const auto is_folder = [](const std::string& path) {
    // Through links too: lists of packages say "/lib" where it is a link to usr/lib now.
    return std::filesystem::is_directory("/" + path);
  };
  size_t compared = 0;
  for (const char* name : {"bash", "base-files", "coreutils", "dpkg", "libc6", "libc-bin", "perl",
                           "tzdata", "passwd", "login", "libpam-modules", "zlib1g", "libpq-dev"}) {
    const std::string arch =
        output_of(std::string("dpkg-query -W -f '${Architecture}' ") + name + " 2>/dev/null");
    if (arch.empty()) continue;
    std::set<std::string> expected;
    std::string last;
    for (std::istringstream in(output_of(std::string("dpkg -L ") + name));
         std::getline(in, last);) {
      const std::string diverted = " to: /";
      if (last.starts_with("diverted by") || last.starts_with("locally diverted")) {
        expected.insert(last.substr(last.find(diverted) + diverted.size()));
      } else if (!last.starts_with("package diverts")) {
        expected.insert(last.substr(1));
      }
    }
    std::erase_if(expected, is_folder);
    std::set<std::string> seen = owned[name + std::string(":") + arch];
    std::erase_if(seen, is_folder);
    // A diverted file stands under its new name only.
    for (const std::string& line : lines_of(output_of(std::string("dpkg-divert --list")))) {
      const std::string owner = line.substr(line.rfind(' ') + 1);
      const size_t of = line.find(" of /");
      if (of == std::string::npos || owner == name) continue;
      expected.erase(line.substr(of + 5, line.find(" to /") - of - 5));
    }
    EXPECT_EQ(seen, expected) << name;
    ++compared;
  }
  EXPECT_GT(compared, 3u);
}

}  // namespace
}  // namespace vigil::catalog
