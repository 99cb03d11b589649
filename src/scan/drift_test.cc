// On folders made as overlayfs makes them; whiteouts and notes of overlayfs take root.
#include "scan/drift.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "image/fake_image.h"

namespace vigil::scan {
namespace {

// Of "abc", as dpkg records it.
const std::string kMd5 = "md5:900150983cd24fb0d6963f7d28e17f72";
const std::string kSha256OfAbcd =
    "sha256:88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";

class DriftTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "whiteouts of overlayfs are made by root alone";
    std::filesystem::create_directories(path("upper"));
    std::filesystem::create_directories(path("root"));
  }

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  // In the writable layer, and so in the root.
  void put(const std::string& name, const std::string& text, mode_t mode = 0644) {
    for (const std::string place : {"upper/", "root/"}) {
      folder_.write(place + name, text);
      EXPECT_EQ(::chmod(path(place + name).c_str(), mode), 0);
    }
  }
  void white_out(const std::string& name) {
    const std::string place = path("upper/" + name);
    std::filesystem::create_directories(std::filesystem::path(place).parent_path());
    EXPECT_EQ(::mknod(place.c_str(), S_IFCHR, makedev(0, 0)), 0);
  }
  void own(const std::string& name, std::vector<std::string> aliases = {}) {
    owned_.push_back({.package = 7, .path = name, .digest = kMd5, .aliases = std::move(aliases)});
  }

  DriftFound found() {
    std::ranges::sort(owned_, {}, &OwnedFile::path);
    std::string bytes;
    decode::append_ownership(bytes, owned_);
    const auto view = decode::OwnershipView::open(as_bytes(bytes), 8);
    EXPECT_TRUE(view);
    const Fd upper(::open(path("upper").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const Fd root(::open(path("root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return find_drift(upper, root, *view, {"etc/hosts", "data"});
  }

  std::vector<std::string> lines() {
    std::vector<std::string> lines;
    for (const DriftedFile& file : found().files) {
      lines.push_back(std::string(to_string(file.drift)) + " " + file.path + " " +
                      std::to_string(file.package));
    }
    return lines;
  }

  image::TemporaryFolder folder_;
  std::vector<OwnedFile> owned_;
};

using Lines = std::vector<std::string>;

TEST_F(DriftTest, APackagesFileIsChangedWhereItsDigestIsAnother) {
  own("lib/libx.so", {"usr/lib/libx.so"});
  own("usr/bin/tool");
  put("usr/lib/libx.so", "abc");  // Copied up by a chown.
  put("usr/bin/tool", "abcd", 0755);
  const DriftFound drift = found();
  ASSERT_EQ(lines(), Lines{"changed usr/bin/tool 7"});
  EXPECT_EQ(drift.files[0].digest, kSha256OfAbcd);
  EXPECT_EQ(drift.files[0].bytes, 4u);
  EXPECT_GT(drift.files[0].modified_at, 0);
  EXPECT_EQ(drift.gaps, std::vector<Gap>());
  EXPECT_EQ(drift.other_files_count, 0u);
}

TEST_F(DriftTest, CodeOfNobodyIsAddedAndDataIsCounted) {
  put("opt/script", "#!/bin/sh\n", 0755);
  put("opt/library",
      "\x7f"
      "ELF\x02",
      0644);
  put("var/log/access", "a line\n");
  put("etc/hosts", "", 0755);  // A runtime makes it to mount something over it.
  put("data/program", "abc", 0755);
  EXPECT_EQ(::mkfifo(path("upper/pipe").c_str(), 0755), 0);
  EXPECT_EQ(::symlink("/etc/shadow", path("upper/link").c_str()), 0);
  EXPECT_EQ(lines(), (Lines{"added opt/library -1", "added opt/script -1"}));
  EXPECT_EQ(found().other_files_count, 1u);
  EXPECT_EQ(found().counts, (std::array<uint64_t, kDriftKinds>{2, 0, 0}));
}

TEST_F(DriftTest, WhatIsHiddenIsRemovedUnlessItIsThere) {
  own("usr/share/doc/x/copyright");
  own("lib/gone.so", {"usr/lib/gone.so"});
  own("usr/lib/stays.so");
  own("etc/old/conf");
  own("etc/old/kept");
  white_out("usr/share/doc/x");
  white_out("usr/lib/gone.so");
  std::filesystem::create_directories(path("upper/etc/old"));
  EXPECT_EQ(::setxattr(path("upper/etc/old").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  put("etc/old/kept", "abc");
  EXPECT_EQ(lines(), (Lines{"removed etc/old/conf 7", "removed lib/gone.so 7",
                            "removed usr/share/doc/x/copyright 7"}));
}

TEST_F(DriftTest, AFileWhoseContentStayedBelowIsNotRead) {
  own("usr/bin/tool");
  put("usr/bin/tool", std::string(3, '\0'), 0755);
  EXPECT_EQ(::setxattr(path("upper/usr/bin/tool").c_str(), "trusted.overlay.metacopy", "", 0, 0),
            0);
  EXPECT_EQ(lines(), Lines{});
}

TEST_F(DriftTest, ARenamedFolderIsAGap) {
  std::filesystem::create_directories(path("upper/new"));
  EXPECT_EQ(::setxattr(path("upper/new").c_str(), "trusted.overlay.redirect", "/old", 4, 0), 0);
  const DriftFound drift = found();
  ASSERT_EQ(drift.gaps.size(), 1u);
  EXPECT_EQ(drift.gaps[0].path, "new");
  EXPECT_EQ(drift.gaps[0].kind, GapKind::kUnsupported);
}

}  // namespace
}  // namespace vigil::scan
