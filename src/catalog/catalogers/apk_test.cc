#include <gtest/gtest.h>

#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"

namespace vigil::catalog {

extern const Cataloger apk_cataloger;

namespace {

constexpr char kPath[] = "lib/apk/db/installed";

CatalogOutput run(const std::string& content, bool files_wanted = true) {
  const FakeFs fs;
  const auto output = apk_cataloger.catalog(
      {.path = kPath, .content = content, .fs = fs, .files_wanted = files_wanted});
  EXPECT_TRUE(output);
  return output.value_or(CatalogOutput());
}

std::vector<std::string> gap_lines(const CatalogOutput& output) {
  std::vector<std::string> lines;
  for (const Gap& gap : output.gaps) lines.push_back(gap.reason);
  return lines;
}

using Lines = std::vector<std::string>;

// Robustness anchor 34.
TEST(ApkCataloger, WhatIsMalformedIsAGap) {
  const CatalogOutput output = run("no field\nx\nV:1\nR:file\n\nP:a\nR:kept\n\n\nP:b\nV:2\n");
  EXPECT_EQ(gap_lines(output), (Lines{"a package without a name", "package a has no version",
                                      "2 lines that are no field"}));
  ASSERT_EQ(output.packages.size(), 2u);
  EXPECT_EQ(output.packages[1].name, "b");
  EXPECT_EQ(output.files, (std::vector<OwnedFile>{{0, "kept", "", {}}}));
}

TEST(ApkCataloger, SurvivesHugeFields) {
  const std::string huge(100 << 20, 'x');
  CatalogOutput output = run("P:a\nV:" + huge + "\nT:" + huge + "\nF:" + huge + "\nR:x");
  ASSERT_EQ(output.packages.size(), 1u);
  EXPECT_EQ(output.packages[0].version, "");
  EXPECT_EQ(output.files, std::vector<OwnedFile>{});
  EXPECT_EQ(gap_lines(output), (Lines{"a version that is too long", "a path that is too long"}));
  output = run(huge);
  EXPECT_EQ(gap_lines(output), Lines{"1 lines that are no field"});
}

TEST(ApkCataloger, ReadsAllThatIsKnownOfAPackage) {
  const std::string text =
      "C:Q1xxx=\nP:libssl3\nV:3.0.15-r1\nA:x86_64\nS:1\nI:2\nT:about\nU:https://x\n"
      "L:Apache-2.0\no:openssl\nm:A Person <a@b>\nt:1667573027\nc:abc\ns:testing\n"
      "F:etc\nF:lib\nM:0:0:755\nR:libssl.so.3\na:0:0:755\nZ:Q11Q7hNe8QpDS531guqCdrXBzoA/o=\n"
      "R:odd\nZ:Q1!\nR:long\nZ:Q2" +
      std::string(43, 'A') + "=\nF:\nR:top\n\nP:musl\nV:1.2.3-r5\no:musl\n";
  Package ssl;
  ssl.kind = PackageKind::kApk;
  ssl.name = "libssl3";
  ssl.version = "3.0.15-r1";
  ssl.arch = "x86_64";
  ssl.source = {"openssl", "3.0.15-r1"};
  ssl.maintainer = "A Person <a@b>";
  ssl.licence = "Apache-2.0";
  ssl.origin = "testing";
  ssl.location.path = kPath;
  Package musl;
  musl.kind = PackageKind::kApk;
  musl.name = "musl";
  musl.version = "1.2.3-r5";
  musl.location.path = kPath;
  CatalogOutput output = run(text);
  EXPECT_EQ(output.packages, (std::vector<Package>{ssl, musl}));
  EXPECT_EQ(output.files,
            (std::vector<OwnedFile>{
                {0, "lib/libssl.so.3", "sha1:d50ee135ef10a434b9df582ea8276b5c1ce803fa", {}},
                {0, "lib/odd", "", {}},
                {0, "lib/long", "sha256:" + std::string(64, '0'), {}},
                {0, "top", "", {}}}));
  EXPECT_EQ(output.gaps, std::vector<Gap>{});
  output = run(text, false);
  EXPECT_EQ(output.packages, (std::vector<Package>{ssl, musl}));
  EXPECT_EQ(output.files, std::vector<OwnedFile>{});
}

}  // namespace
}  // namespace vigil::catalog
