#include <gtest/gtest.h>

#include <algorithm>

#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"

namespace vigil::catalog {

extern const Cataloger dpkg_cataloger;
extern const Cataloger dpkg_status_d_cataloger;

namespace {

constexpr char kStatus[] = "var/lib/dpkg/status";

Result<CatalogOutput> run(const Cataloger& cataloger, const FakeFs& fs, const std::string& path) {
  const std::string content = fs.read(path, UINT64_MAX).value_or("");
  return cataloger.catalog({.path = path, .content = content, .fs = fs, .files_wanted = true});
}

// Runs over a status file alone, without the lists of files.
CatalogOutput run_status(const std::string& status) {
  FakeFs fs;
  const auto output =
      dpkg_cataloger.catalog({.path = kStatus, .content = status, .fs = fs, .files_wanted = false});
  EXPECT_TRUE(output);
  return output.value_or(CatalogOutput());
}

std::vector<std::string> gap_lines(const CatalogOutput& output) {
  std::vector<std::string> lines;
  for (const Gap& gap : output.gaps) lines.push_back(gap.path + ": " + gap.reason);
  return lines;
}

std::vector<std::string> file_lines(const CatalogOutput& output) {
  std::vector<std::string> lines;
  for (const OwnedFile& file : output.files) {
    lines.push_back(output.packages.at(file.package).name + " " + file.path + " " + file.digest);
  }
  return lines;
}

std::vector<std::string> names(const CatalogOutput& output) {
  std::vector<std::string> lines;
  for (const Package& package : output.packages) {
    lines.push_back(package.name + " " + package.version);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(DpkgCataloger, WhatIsNoDatabaseIsAGap) {
  EXPECT_EQ(gap_lines(run_status("not a database\n\nVersion: 1\n\nPackage: a\n")),
            (Lines{"var/lib/dpkg/status: a stanza without a package name",
                   "var/lib/dpkg/status: a stanza without a package name",
                   "var/lib/dpkg/status: package a has no version",
                   "var/lib/dpkg/status: 1 lines that are no field"}));
}

TEST(DpkgCataloger, GapsAreBounded) {
  std::string status;
  for (int i = 0; i < 1000; ++i) status += "Version: 1\n\n";
  const CatalogOutput output = run_status(status);
  ASSERT_EQ(output.gaps.size(), 101u);
  EXPECT_EQ(output.gaps.back().reason, "900 further gaps of this database");
}

// Robustness anchor 31: a field of 100 MB, without a line feed.
TEST(DpkgCataloger, SurvivesHugeFields) {
  const std::string huge(100 << 20, 'x');
  CatalogOutput output = run_status("Package: a\nVersion: 1\nDescription: " + huge);
  EXPECT_EQ(names(output), Lines{"a 1"});
  EXPECT_EQ(output.gaps, std::vector<Gap>{});
  output = run_status("Package: a\nVersion: " + huge + "\nMaintainer: " + huge);
  EXPECT_EQ(names(output), Lines{"a "});
  EXPECT_EQ(
      output.gaps,
      (std::vector<Gap>{
          {GapKind::kLimit, kStatus, "package a: field Version is too long", "kVersionBytesMax"},
          {GapKind::kLimit, kStatus, "package a: field Maintainer is too long", "kNameBytesMax"}}));
  output = run_status("Package: " + huge + "\nVersion: 1\n\n" + huge);
  EXPECT_EQ(names(output), Lines{});
  EXPECT_EQ(output.gaps.size(), 3u);
}

TEST(DpkgCataloger, TheLastOfTwoStanzasCounts) {
  const CatalogOutput output = run_status(
      "Package: a\nArchitecture: amd64\nVersion: 1\n\n"
      "Package: a\nArchitecture: i386\nVersion: 1\n\n"
      "Package: a\nArchitecture: amd64\nVersion: 2\n");
  EXPECT_EQ(names(output), (Lines{"a 2", "a 1"}));
  EXPECT_EQ(gap_lines(output),
            Lines{"var/lib/dpkg/status: package a:amd64 stands there more than once"});
}

TEST(DpkgCataloger, AJournalOfAnInterruptedRunIsAGap) {
  FakeFs fs;
  fs.files[kStatus] = "";
  fs.files["var/lib/dpkg/updates/tmp.i"] = "";
  EXPECT_EQ(gap_lines(*run(dpkg_cataloger, fs, kStatus)), Lines{});
  fs.files["var/lib/dpkg/updates/0001"] = "Package: a\n";
  EXPECT_EQ(gap_lines(*run(dpkg_cataloger, fs, kStatus)),
            Lines{"var/lib/dpkg/updates/0001: changes that an interrupted dpkg left in its "
                  "journal are not read"});
}

TEST(DpkgCataloger, ReadsAllThatIsKnownOfAPackage) {
  Package bash;
  bash.kind = PackageKind::kDeb;
  bash.name = "bash";
  bash.version = "1:5.2.15-2+b7";
  bash.arch = "amd64";
  bash.source = {"bash-src", "5.2.15-2"};
  bash.maintainer = "Matthias Klose <doko@debian.org>";
  bash.location.path = kStatus;
  const CatalogOutput output = run_status(
      "Package: bash\nEssential: yes\nStatus: install ok installed\nPriority: required\n"
      "maintainer: Matthias Klose <doko@debian.org>\nArchitecture: amd64\nMulti-Arch: foreign\n"
      "Source: bash-src (5.2.15-2)\nVersion: 1:5.2.15-2+b7\n"
      "Description: GNU Bourne Again SHell\n Bash is\n .\n a shell\n");
  EXPECT_EQ(output.packages, std::vector<Package>{bash});
  EXPECT_EQ(output.gaps, std::vector<Gap>{});
}

TEST(DpkgCataloger, ReadsSources) {
  const auto source = [](const std::string& field) {
    const CatalogOutput output = run_status("Package: a\nVersion: 1:2-3\nSource: " + field);
    return output.packages.at(0).source;
  };
  EXPECT_EQ(source(""), (SourcePackage{"", ""}));
  EXPECT_EQ(source("a"), (SourcePackage{"", ""}));
  EXPECT_EQ(source("a (1:2-3)"), (SourcePackage{"", ""}));
  EXPECT_EQ(source("a (2-3)"), (SourcePackage{"a", "2-3"}));
  EXPECT_EQ(source("b"), (SourcePackage{"b", "1:2-3"}));
  EXPECT_EQ(source("b (1.2"), (SourcePackage{"b", "1.2"}));
}

TEST(DpkgCataloger, KnowsWhichStatesHaveFiles) {
  std::string status;
  for (const std::string state :
       {"not-installed", "config-files", "half-installed", "unpacked", "half-configured",
        "triggers-awaited", "triggers-pending", "installed"}) {
    status += "Package: " + state + "\nStatus: deinstall reinstreq " + state + "\nVersion: 1\n\n";
  }
  EXPECT_EQ(names(run_status(status)),
            (Lines{"half-installed 1", "unpacked 1", "half-configured 1", "triggers-awaited 1",
                   "triggers-pending 1", "installed 1"}));
}

TEST(DpkgCataloger, ReadsOwnedFiles) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  FakeFs fs;
  fs.files[kStatus] = "Package: tool\nVersion: 1\nArchitecture: amd64\nConffiles:\n /etc/tool " +
                      b + "\n /etc/old " + a +
                      " obsolete\n /etc/new newconffile\n\n"
                      "Package: lib\nVersion: 1\nArchitecture: amd64\nMulti-Arch: same\n\n"
                      "Package: gone\nVersion: 1\nStatus: deinstall ok config-files\n\n"
                      "Package: lost\nVersion: 1\n";
  fs.files["var/lib/dpkg/info/tool.list"] =
      "/.\n/etc\n/etc/tool\n/etc/old\n/etc/new\n/usr\n/usr/bin\n/usr/bin/a tool\n/usr/bin/link\n"
      "/var\n/var/empty\n/usr/share\n";
  fs.files["var/lib/dpkg/info/tool.md5sums"] = a + "  usr/bin/a tool\nnot a digest  x\n";
  fs.files["var/lib/dpkg/info/lib:amd64.list"] = "/.\n/usr\n/usr/lib\n/usr/lib/lib.so\n";
  fs.files["var/lib/dpkg/info/lib:amd64.md5sums"] = b + "  usr/lib/lib.so\n";
  fs.files["var/lib/dpkg/info/lib.list"] = "/usr/share/wrong\n";
  fs.files["var/lib/dpkg/info/gone.list"] = "/etc/gone\n";
  const auto output = run(dpkg_cataloger, fs, kStatus);
  ASSERT_TRUE(output);
  EXPECT_EQ(file_lines(*output),
            (Lines{"tool etc/tool md5:" + b, "tool etc/old md5:" + a, "tool etc/new ",
                   "tool usr/bin/a tool md5:" + a, "tool usr/bin/link ",
                   // Nothing tells that these two are folders.
                   "tool var/empty ", "tool usr/share ", "lib usr/lib/lib.so md5:" + b}));
  EXPECT_EQ(gap_lines(*output),
            Lines{"var/lib/dpkg/info: no list of files for 1 packages, the first is lost"});
}

TEST(DpkgCataloger, HonoursDiversions) {
  const std::string a(32, 'a');
  FakeFs fs;
  fs.files[kStatus] = "Package: dash\nVersion: 1\n\nPackage: bash\nVersion: 1\n";
  fs.files["var/lib/dpkg/info/dash.list"] = "/bin/sh\n/bin/ls\n";
  fs.files["var/lib/dpkg/info/bash.list"] = "/bin/sh\n";
  fs.files["var/lib/dpkg/info/bash.md5sums"] = a + "  bin/sh\n";
  fs.files["var/lib/dpkg/diversions"] =
      "/bin/sh\n/bin/sh.distrib\ndash\n/bin/ls\n/bin/ls.mine\n:\n/cut off\n";
  const auto output = run(dpkg_cataloger, fs, kStatus);
  ASSERT_TRUE(output);
  EXPECT_EQ(file_lines(*output),
            (Lines{"dash bin/sh ", "dash bin/ls.mine ", "bash bin/sh.distrib md5:" + a}));
}

TEST(DpkgStatusD, ReadsOnePackageAFile) {
  const std::string a(32, 'a');
  const std::string path = "var/lib/dpkg/status.d/bGliYzY=";
  FakeFs fs;
  fs.files[path] = "Package: libc6\nVersion: 2.36-9\nArchitecture: amd64\nSource: glibc\n";
  fs.files[path + ".md5sums"] = a + "  ./lib/libc.so.6\n" + a + "  etc/ld.so.conf\n";
  Package libc;
  libc.kind = PackageKind::kDeb;
  libc.name = "libc6";
  libc.version = "2.36-9";
  libc.arch = "amd64";
  libc.source = {"glibc", "2.36-9"};
  libc.location.path = path;
  auto output = run(dpkg_status_d_cataloger, fs, path);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->packages, std::vector<Package>{libc});
  EXPECT_EQ(file_lines(*output),
            (Lines{"libc6 etc/ld.so.conf md5:" + a, "libc6 lib/libc.so.6 md5:" + a}));
  EXPECT_EQ(gap_lines(*output), Lines{});
  output = run(dpkg_status_d_cataloger, fs, path + ".md5sums");
  ASSERT_TRUE(output);
  EXPECT_EQ(names(*output), Lines{});
  EXPECT_EQ(gap_lines(*output), Lines{});
}

TEST(DpkgStatusD, WhatIsMissingOrTooMuchIsAGap) {
  FakeFs fs;
  fs.files["var/lib/dpkg/status.d/a"] = "Package: a\nVersion: 1\n";
  EXPECT_EQ(gap_lines(*run(dpkg_status_d_cataloger, fs, "var/lib/dpkg/status.d/a")),
            Lines{"var/lib/dpkg/status.d/a.md5sums: no list of the package's files"});
  fs.files["var/lib/dpkg/status.d/b"] = "Package: b\nVersion: 1\n\nPackage: c\nVersion: 1\n";
  const auto output = run(dpkg_status_d_cataloger, fs, "var/lib/dpkg/status.d/b");
  EXPECT_EQ(names(*output), (Lines{"b 1", "c 1"}));
  EXPECT_EQ(gap_lines(*output),
            Lines{"var/lib/dpkg/status.d/b: more than one package in a file of one"});
}

}  // namespace
}  // namespace vigil::catalog
