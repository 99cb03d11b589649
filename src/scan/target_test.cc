#include "scan/target.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "image/fake_image.h"

namespace vigil::scan {

void PrintTo(const TypedTarget& target, std::ostream* out) {
  *out << (target.kind ? to_string(*target.kind) : "any") << " place "
       << static_cast<int>(target.place) << " path '" << target.path << "' selector '"
       << target.selector << "' text '" << target.text << "' name '" << target.name << "'";
}

namespace {

using image::TemporaryFolder;

TypedTarget parsed(const std::string& typed) {
  const Result<TypedTarget> target = parse_target(typed);
  EXPECT_TRUE(target) << target.error().text();
  return target ? *target : TypedTarget();
}

std::string error_of(const std::string& typed) {
  const Result<TypedTarget> target = parse_target(typed);
  return target ? "none" : target.error().text();
}

TypedTarget at_path(std::optional<TargetKind> kind, std::string path, std::string selector,
                    std::string name) {
  return {kind, TargetPlace::kPath, std::move(path), std::move(selector), "", std::move(name)};
}

TEST(Target, EachPrefixForcesItsKind) {
  const TemporaryFolder folder;
  const std::string path = folder.write("app.tar", "");
  EXPECT_EQ(parsed("docker-archive:" + path), at_path(TargetKind::kDockerArchive, path, "", path));
  EXPECT_EQ(parsed("oci-archive:" + path), at_path(TargetKind::kOciArchive, path, "", path));
  EXPECT_EQ(parsed("oci-dir:" + folder.path()),
            at_path(TargetKind::kOciDirectory, folder.path(), "", folder.path()));
  EXPECT_EQ(parsed("dir:/"), at_path(TargetKind::kDirectory, "/", "", "/"));
  EXPECT_EQ(parsed("sbom:" + path), at_path(TargetKind::kSbom, path, "", path));
  EXPECT_EQ(parsed("purl:" + path), at_path(TargetKind::kPurl, path, "", path));
  EXPECT_EQ(parsed(path), at_path(std::nullopt, path, "", path));
}

TEST(Target, PurlsAndStandardInput) {
  const std::string purl = "pkg:deb/debian/zlib@1:1.2?distro=debian-12";
  const TypedTarget typed = {TargetKind::kPurl, TargetPlace::kTyped, "", "", purl, purl};
  EXPECT_EQ(parsed(purl), typed);
  EXPECT_EQ(parsed("purl:" + purl), typed);
  const TypedTarget input = {std::nullopt, TargetPlace::kStandardInput, "", "", "", "-"};
  EXPECT_EQ(parsed("-"), input);
  TypedTarget forced = input;
  forced.kind = TargetKind::kSbom;
  EXPECT_EQ(parsed("sbom:-"), forced);
  forced.kind = TargetKind::kPurl;
  EXPECT_EQ(parsed("purl:-"), forced);
}

TEST(Target, WhatFollowsAPathChoosesTheImage) {
  const TemporaryFolder folder;
  const std::string path = folder.path();
  const std::string digest = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(parsed("oci-dir:" + path + ":v1"),
            at_path(TargetKind::kOciDirectory, path, "v1", path + ":v1"));
  EXPECT_EQ(parsed("oci-dir:" + path + ":app:v1"),
            at_path(TargetKind::kOciDirectory, path, "app:v1", path + ":app:v1"));
  EXPECT_EQ(parsed(path + "@" + digest), at_path(std::nullopt, path, digest, path + "@" + digest));
}

TEST(Target, AProcessIsItsRoot) {
  const std::string pid = std::to_string(::getpid());
  TypedTarget root = at_path(TargetKind::kDirectory, "/proc/" + pid + "/root", "", "pid:" + pid);
  root.pid = static_cast<uint32_t>(::getpid());
  EXPECT_EQ(parsed("pid:" + pid), root);
}

TEST(Target, APathThatIsThereWinsOverItsColons) {
  const TemporaryFolder folder;
  folder.write("app", "");
  const std::string path = folder.write("app:v1", "");
  EXPECT_EQ(parsed(path), at_path(std::nullopt, path, "", path));
  EXPECT_EQ(parsed("oci-archive:" + path), at_path(TargetKind::kOciArchive, path, "", path));
  EXPECT_EQ(error_of("sbom:" + folder.path() + "/app:v2"),
            "there is no file or folder " + folder.path() + "/app:v2");
}

TEST(Target, MistakesSayWhatToType) {
  EXPECT_EQ(error_of("alpine:3.19"),
            "there is no file or folder alpine:3.19; if it is an image: registries and daemons are "
            "not asked yet, save it first: docker save -o app.tar alpine:3.19, then: vigil scan "
            "app.tar");
  EXPECT_EQ(error_of("/nowhere/app.tar"), "there is no file or folder /nowhere/app.tar");
  EXPECT_EQ(error_of("purl:zlib"),
            "there is no file or folder zlib, and a package URL begins with pkg:");
  EXPECT_EQ(error_of("podman:app"),
            "podman: is not supported yet; save it first: podman save -o app.tar app, then: vigil "
            "scan app.tar");
  EXPECT_EQ(error_of("pid:x"), "pid: wants the number of a process, as the host counts");
  EXPECT_EQ(error_of("pid:999999999"), "there is no process 999999999");
  EXPECT_EQ(error_of("docker-archive:/"), "/ is a folder, and docker-archive: wants a file");
  EXPECT_EQ(error_of("dir:/etc/passwd"), "/etc/passwd is a file, and dir: wants a folder");
  EXPECT_EQ(error_of("dir:"), "nothing follows dir:");
  EXPECT_EQ(error_of(""), "the target is empty");
}

}  // namespace
}  // namespace vigil::scan
