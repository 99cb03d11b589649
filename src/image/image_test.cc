// Images from end to end: every kind of source, and how layers lie on top of one another.
#include "image/image.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "image/fake_image.h"

namespace vigil::image {
namespace {

using decode::FakeTar;

constexpr Claim kClaims[] = {
    {ClaimKind::kPath, "var/lib/dpkg/status", 1 << 20},
    {ClaimKind::kUnderFolder, "var/lib/dpkg/info/", 1 << 20},
    {ClaimKind::kPath, "lib/apk/db/installed", 1 << 20},
    {ClaimKind::kPath, "var/lib/rpm/Packages", 1 << 20},
    {ClaimKind::kPath, "usr/lib/sysimage/rpm/Packages", 1 << 20},
    {ClaimKind::kPath, "etc/os-release", 1 << 20},
};

std::string read(const ImageFs& fs, std::string_view path) {
  const Result<std::string> content = fs.read(path, 1 << 20);
  return content ? *content : "(" + std::string(to_string(content.error().code)) + ")";
}

std::vector<std::string> gap_lines(const Image& image) {
  std::vector<std::string> lines;
  for (const Gap& gap : image.gaps()) {
    lines.push_back(std::string(to_string(gap.kind)) + " " + gap.path + ": " + gap.reason);
  }
  return lines;
}

using Lines = std::vector<std::string>;

// An image of these layers, through an OCI layout in a folder.
OpenedImage layered(const TemporaryFolder& folder, const std::vector<FakeTar>& tars) {
  FakeImage image;
  for (const FakeTar& tar : tars) image.layers.push_back(tar.finished());
  OpenedImage opened = open_image(image.write_layout(folder), kClaims);
  EXPECT_TRUE(opened.image) << opened.error();
  return opened;
}

TEST(Image, IsTheSameFromEverySource) {
  FakeImage image;
  image.layers = {
      FakeTar().file("var/lib/dpkg/status", "old").file("etc/os-release", "ID=debian").finished(),
      FakeTar().file("./var/lib/dpkg/status", "new").file("usr/bin/tool", "#!").finished()};
  const TemporaryFolder folder;
  struct Source {
    std::string path;
    TargetKind kind;
  };
  const Source sources[] = {
      {folder.write("app.tar", image.docker_archive()), TargetKind::kDockerArchive},
      {folder.write("oci.tar", image.oci_archive()), TargetKind::kOciArchive},
      {image.write_layout(folder), TargetKind::kOciDirectory},
  };
  for (const Source& source : sources) {
    const OpenedImage opened = open_image(source.path, kClaims);
    ASSERT_TRUE(opened.image) << opened.error();
    EXPECT_EQ(opened->target().kind, source.kind);
    EXPECT_EQ(opened->target().image_id, FakeImage::digest_of(image.config()));
    EXPECT_EQ(opened->target().architecture, "amd64");
    ASSERT_EQ(opened->layers().size(), 2u);
    EXPECT_EQ(opened->layers()[1].created_by, "step 1");
    EXPECT_EQ(opened->layers()[1].diff_id, FakeImage::digest_of(image.layers[1]));
    EXPECT_EQ(opened->layers()[1].is_verified, source.kind != TargetKind::kDockerArchive);
    EXPECT_EQ(gap_lines(**opened.image), Lines{});
    EXPECT_EQ(read(opened->fs(), "var/lib/dpkg/status"), "new");
    EXPECT_EQ(read(opened->fs(), "usr/bin/tool"), "(not found)");
    EXPECT_EQ(read(*opened->fs_at(0), "var/lib/dpkg/status"), "old");
    EXPECT_EQ(opened->changed_paths(0), (Lines{"etc/os-release", "var/lib/dpkg/status"}));
    EXPECT_EQ(opened->changed_paths(1), Lines{"var/lib/dpkg/status"});
  }
}

TEST(Image, WhiteoutsHideOnlyLowerLayers) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(
      folder, {FakeTar().file("var/lib/dpkg/status", "1").file("etc/os-release", "os"),
               FakeTar().file("var/lib/dpkg/.wh.status", ""),
               FakeTar().file("var/lib/dpkg/status", "3").file("var/lib/dpkg/.wh.status", ""),
               FakeTar().file("var/.wh.lib", "")});
  EXPECT_EQ(read(*image->fs_at(0), "var/lib/dpkg/status"), "1");
  EXPECT_EQ(read(*image->fs_at(1), "var/lib/dpkg/status"), "(not found)");
  EXPECT_EQ(read(*image->fs_at(2), "var/lib/dpkg/status"), "3");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "os");
  EXPECT_EQ(image->changed_paths(1), Lines{"var/lib/dpkg/status"});
  EXPECT_EQ(image->changed_paths(3), Lines{"var/lib/dpkg/status"});
  EXPECT_EQ(gap_lines(**image.image), Lines{});
}

TEST(Image, OpaqueFoldersHideWhatIsBelow) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(
      folder,
      {FakeTar().file("var/lib/dpkg/info/a.list", "a").file("var/lib/dpkg/status", "s"),
       FakeTar().file("var/lib/dpkg/info/b.list", "b").file("var/lib/dpkg/info/.wh..wh..opq", ""),
       FakeTar().file(".wh..wh..opq", "")});
  EXPECT_EQ(image->fs_at(0)->list("var/lib/dpkg/info/"), Lines{"a.list"});
  EXPECT_EQ(image->fs_at(1)->list("var/lib/dpkg/info/"), Lines{"b.list"});
  EXPECT_EQ(read(*image->fs_at(1), "var/lib/dpkg/status"), "s");
  EXPECT_EQ(image->fs().list("var/lib/dpkg/info"), Lines{});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
}

TEST(Image, RefusesWhiteoutsOfNoFile) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar().file("var/lib/dpkg/status", "1"), FakeTar()
                                                                       .file(".wh.", "")
                                                                       .file("var/.wh...", "")
                                                                       .file("var/.wh..", "")
                                                                       .file(".wh..wh.plnk", "")});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "1");
  EXPECT_EQ(gap_lines(**image.image),
            (Lines{"malformed .wh.: a whiteout of no file; it is left out",
                   "malformed var/.wh...: a whiteout of no file; it is left out",
                   "malformed var/.wh..: a whiteout of no file; it is left out"}));
}

TEST(Image, LeavesOutPathsThatLeaveTheRoot) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar()
                           .file("../../etc/os-release", "evil")
                           .file("/var/lib/dpkg/status", "absolute")
                           .file("var/../etc/../lib/apk/db/installed", "cleaned")
                           .hard_link("etc/os-release", "../../etc/passwd")});
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "(not found)");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "absolute");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "cleaned");
  EXPECT_EQ(gap_lines(**image.image),
            (Lines{"malformed ../../etc/os-release: its path leads out of the root; the entry is "
                   "left out",
                   "malformed etc/os-release: a hard link out of the root; it is left out"}));
}

TEST(Image, LastEntryOfAPathWins) {
  FakeTar tar;
  for (int i = 0; i < 1000; ++i) tar.file("etc/os-release", std::to_string(i));
  tar.file("var/lib/dpkg/status", "file").symlink("var/lib/dpkg/status", "elsewhere");
  tar.symlink("lib/apk/db/installed", "x").file("lib/apk/db/installed", "file");
  const TemporaryFolder folder;
  const OpenedImage image = layered(folder, {tar});
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "999");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "file");
}

TEST(Image, IgnoresDevicesThatTakeAFilesPlace) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar().file("var/lib/dpkg/status", "1").file("etc/os-release", "os"),
                       FakeTar().node("var/lib/dpkg/status", '6', "").node("etc/x", '3', "")});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "os");
  EXPECT_EQ(image->changed_paths(1), Lines{"var/lib/dpkg/status"});
}

TEST(Image, FollowsAMergedUsr) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar().symlink("lib", "usr/lib").file("usr/lib/apk/db/installed", "1"),
                       FakeTar().file("usr/lib/apk/db/installed", "2"),
                       FakeTar().file("lib/apk/db/installed", "through the link")});
  EXPECT_EQ(read(*image->fs_at(0), "lib/apk/db/installed"), "1");
  EXPECT_EQ(read(*image->fs_at(1), "lib/apk/db/installed"), "2");
  EXPECT_EQ(read(image->fs(), "usr/lib/apk/db/installed"), "through the link");
  EXPECT_EQ(image->fs().real_path("lib/apk/db/installed"), "usr/lib/apk/db/installed");
  EXPECT_EQ(image->fs().real_path("lib"), "lib");
  EXPECT_EQ(image->changed_paths(1), (Lines{"lib/apk/db/installed", "usr/lib/apk/db/installed"}));
}

TEST(Image, FollowsLinksOfOtherLayersToUsualPlaces) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar().file("usr/lib/sysimage/rpm/Packages", "db"),
                       FakeTar().symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm")});
  EXPECT_EQ(read(image->fs(), "var/lib/rpm/Packages"), "db");
  EXPECT_EQ(read(*image->fs_at(0), "var/lib/rpm/Packages"), "(not found)");
  EXPECT_EQ(image->changed_paths(1),
            (Lines{"usr/lib/sysimage/rpm/Packages", "var/lib/rpm/Packages"}));
}

TEST(Image, FollowsLinksToPlacesNobodyClaimed) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(
      folder, {FakeTar().file("opt/database/rpm/Packages", "db").file("opt/info/a.list", "a"),
               FakeTar()
                   .symlink("var/lib/rpm", "/opt/database/rpm")
                   .symlink("var/lib/dpkg/info", "../../../opt/info")
                   .symlink("etc/os-release", "../opt/../nowhere")});
  EXPECT_EQ(read(image->fs(), "var/lib/rpm/Packages"), "db");
  EXPECT_EQ(image->fs().list("var/lib/dpkg/info/"), Lines{"a.list"});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/info/a.list"), "a");
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "(not found)");
}

TEST(Image, FollowsLinksWithinTheLayerThatMakesThem) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(
      folder, {FakeTar().symlink("x", "/").file("x/var/lib/dpkg/status", "through the root")});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "through the root");
}

TEST(Image, StaysInsideTheRoot) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar()
                           .symlink("var/lib/rpm", "../../../../../../../usr/lib/sysimage/rpm")
                           .file("usr/lib/sysimage/rpm/Packages", "db")});
  EXPECT_EQ(read(image->fs(), "var/lib/rpm/Packages"), "db");
}

TEST(Image, SurvivesLinkLoopsAndChains) {
  FakeTar tar;
  tar.symlink("var/lib/dpkg", "../loop").symlink("var/loop", "lib/dpkg");
  tar.symlink("etc/os-release", "os-release");
  for (int i = 0; i < 60; ++i) {
    tar.symlink("chain" + std::to_string(i), "chain" + std::to_string(i + 1));
  }
  tar.symlink("lib/apk/db/installed", "../../../chain30").file("chain60", "deep");
  tar.symlink("var/lib/rpm/Packages", "../../../chain0");
  const TemporaryFolder folder;
  const OpenedImage image = layered(folder, {tar});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "(not found)");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "deep");
  EXPECT_EQ(read(image->fs(), "var/lib/rpm/Packages"), "(not found)");
}

TEST(Image, FoldersReplaceLinksOfLowerLayers) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(folder, {FakeTar()
                                                 .symlink("lib", "usr/lib")
                                                 .symlink("a/b", "/usr/b")
                                                 .file("usr/lib/apk/db/installed", "1"),
                                             FakeTar().folder("lib/").folder("a/b")});
  EXPECT_EQ(read(*image->fs_at(0), "lib/apk/db/installed"), "1");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "(not found)");
  EXPECT_EQ(image->fs_at(0)->real_path("a/b/c"), "usr/b/c");
  EXPECT_EQ(image->fs().real_path("a/b/c"), "a/b/c");
}

TEST(Image, LinksAndFilesReplaceFolders) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar()
                           .file("var/lib/dpkg/status", "1")
                           .file("usr/lib/sysimage/rpm/Packages", "2")
                           .file("var/lib/rpm/Packages", "3"),
                       FakeTar()
                           .symlink("var/lib/rpm", "../../usr/lib/sysimage/rpm")
                           .file("var/lib/dpkg", "a file")});
  EXPECT_EQ(read(image->fs(), "var/lib/rpm/Packages"), "2");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "(not found)");
  const TemporaryFolder other;
  const OpenedImage same_layer =
      layered(other, {FakeTar().file("var/lib/dpkg/status", "1").file("var/lib/dpkg", "a file")});
  EXPECT_EQ(read(same_layer->fs(), "var/lib/dpkg/status"), "(not found)");
}

TEST(Image, ReadsHardLinksToClaimedFiles) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar()
                           .file("var/lib/dpkg/status", "1")
                           .hard_link("etc/os-release", "var/lib/dpkg/status")
                           .file("var/lib/dpkg/status", "2")
                           .hard_link("usr/copy", "./var/lib/dpkg/status"),
                       FakeTar().hard_link("lib/apk/db/installed", "etc/os-release")});
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "1");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "2");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "1");
  EXPECT_EQ(image->fs().hard_links("usr/copy"), Lines{"var/lib/dpkg/status"});
  EXPECT_EQ(image->fs().hard_links("etc/os-release"), Lines{"lib/apk/db/installed"});
}

TEST(Image, ReadsHardLinksToFilesNobodyClaimed) {
  const TemporaryFolder folder;
  const OpenedImage image =
      layered(folder, {FakeTar()
                           .file("repo/objects/12", "status")
                           .file("repo/objects/34", "os")
                           .hard_link("var/lib/dpkg/status", "repo/objects/12"),
                       FakeTar().hard_link("etc/os-release", "repo/objects/34")});
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "status");
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "os");
  EXPECT_EQ(image->fs().hard_links("var/lib/dpkg/status"), Lines{"repo/objects/12"});
  EXPECT_EQ(gap_lines(**image.image), Lines{});
}

TEST(Image, NamesHardLinksToNothing) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(folder, {FakeTar()
                                                 .hard_link("var/lib/dpkg/status", "later")
                                                 .file("later", "x")
                                                 .hard_link("etc/os-release", "never")});
  EXPECT_EQ(read(image->fs(), "etc/os-release"), "(not found)");
  EXPECT_EQ(gap_lines(**image.image),
            (Lines{"malformed var/lib/dpkg/status: a hard link to a later entry",
                   "malformed etc/os-release: a hard link to a file that does not stand before "
                   "it"}));
}

TEST(Image, ForgetsHardLinksThatWereReplaced) {
  const TemporaryFolder folder;
  const OpenedImage image = layered(
      folder, {FakeTar().file("bin/a", "x").hard_link("bin/b", "bin/a").hard_link("bin/c", "bin/a"),
               FakeTar().file("bin/b", "another"), FakeTar().file("bin/.wh.c", "")});
  EXPECT_EQ(image->fs_at(0)->hard_links("bin/a"), (Lines{"bin/b", "bin/c"}));
  EXPECT_EQ(image->fs_at(1)->hard_links("bin/a"), Lines{"bin/c"});
  EXPECT_EQ(image->fs_at(1)->hard_links("bin/b"), Lines{});
  EXPECT_EQ(image->fs().hard_links("bin/a"), Lines{});
}

TEST(Image, KeepsWhatStandsBeforeTheBreakOfALayer) {
  FakeImage image;
  image.layers = {FakeTar().file("etc/os-release", "os").finished(),
                  FakeTar()
                      .file("var/lib/dpkg/status", "1")
                      .file("usr/big", std::string(5000, 'x'))
                      .finished()
                      .substr(0, 3000)};
  const TemporaryFolder folder;
  const OpenedImage opened = open_image(image.write_layout(folder), kClaims);
  ASSERT_TRUE(opened.image) << opened.error();
  EXPECT_EQ(read(opened->fs(), "etc/os-release"), "os");
  EXPECT_EQ(read(opened->fs(), "var/lib/dpkg/status"), "1");
  EXPECT_EQ(gap_lines(**opened.image), Lines{"malformed " + FakeImage::digest_of(image.layers[1]) +
                                             ": the tar archive is cut short"});
}

TEST(Image, RefusesLayersWithAnotherDigest) {
  FakeImage image;
  image.layers = {FakeTar().file("etc/os-release", "os").finished()};
  const std::string digest = FakeImage::digest_of(image.layers[0]);
  const TemporaryFolder folder;
  image.write_layout(folder);
  std::string damaged = image.layers[0];
  damaged[700] = '!';
  folder.write(FakeImage::blob_path(image.layers[0]), damaged);
  EXPECT_EQ(open_image(folder.path(), kClaims).error(), digest + ": the blob has digest " +
                                                            FakeImage::digest_of(damaged) +
                                                            ", but " + digest + " is claimed");
}

TEST(Image, VerifiesDiffIdsWhereAsked) {
  FakeImage image;
  image.layers = {FakeTar().file("etc/os-release", "os").finished()};
  const std::string wrong = "sha256:" + std::string(64, '0');
  image.diff_ids = {wrong};
  const TemporaryFolder folder;
  const std::string path = folder.write("app.tar", image.docker_archive());
  const OpenedImage unverified = open_image(path, kClaims);
  ASSERT_TRUE(unverified.image) << unverified.error();
  EXPECT_FALSE(unverified->layers()[0].is_verified);
  OpenOptions options;
  options.verify_diff_ids = true;
  EXPECT_EQ(open_image(path, kClaims, options).error(), "0/layer.tar: the tar inside has digest " +
                                                            FakeImage::digest_of(image.layers[0]) +
                                                            ", but " + wrong + " is claimed");
  image.diff_ids.clear();
  const OpenedImage verified =
      open_image(folder.write("good.tar", image.docker_archive()), kClaims, options);
  ASSERT_TRUE(verified.image) << verified.error();
  EXPECT_TRUE(verified->layers()[0].is_verified);
}

TEST(Image, ADockerArchiveKnowsItsImagesByEveryFormOfTheirNames) {
  const TemporaryFolder folder;
  FakeImage image;
  image.layers = {decode::FakeTar().file("etc/os-release", "ID=x").finished()};
  const std::string path = folder.write("app.tar", image.docker_archive());  // Tagged "app:1".
  const auto opens = [&](const char* selector) {
    ImageRef ref;
    ref.selector = selector;
    return open_image(path, kClaims, {}, ref).image.has_value();
  };
  EXPECT_TRUE(opens("app:1"));
  EXPECT_TRUE(opens("1"));
  EXPECT_TRUE(opens("docker.io/library/app:1"));
  EXPECT_FALSE(opens("app"));
  EXPECT_FALSE(opens("docker.io/other/app:1"));
  EXPECT_FALSE(opens("quay.io/app:1"));
}

TEST(Image, CountsWhatItReads) {
  const TemporaryFolder folder;
  FakeImage image;
  image.layers = {decode::FakeTar().file("etc/os-release", "ID=x").finished(),
                  decode::FakeTar().file("a", "1").file("b", "2").finished()};
  const std::string path = folder.write("app.tar", image.docker_archive());
  WorkCounts work;
  OpenOptions options;
  options.work = &work;
  ASSERT_TRUE(open_image(path, kClaims, options, {}).image);
  const uint64_t bytes = image.layers[0].size() + image.layers[1].size();
  EXPECT_EQ(work.layers_total, 2u);
  EXPECT_EQ(work.layers_done, 2u);
  EXPECT_EQ(work.bytes_total, bytes);
  EXPECT_EQ(work.bytes_done, bytes);
  EXPECT_LE(work.bytes_read, bytes);
  EXPECT_EQ(work.files_count, 3u);
}

TEST(Image, ManifestsWithoutAPlatformAreToldApartByTheirNames) {
  const TemporaryFolder folder;
  std::string descriptors;
  for (const std::string name : {"latest", "docker.io/library/app:2"}) {
    FakeImage image;
    image.layers = {decode::FakeTar().file("etc/os-release", name).finished()};
    image.write_layout(folder);
    std::string index = image.index();
    index.replace(index.find("latest"), 6, name);
    const size_t start = index.find('[') + 1;
    descriptors += (descriptors.empty() ? "" : ",") + index.substr(start, index.rfind(']') - start);
  }
  folder.write("index.json", "{\"schemaVersion\":2,\"manifests\":[" + descriptors + "]}");
  const auto found = [&](const char* selector) {
    ImageRef ref;
    ref.selector = selector;
    const OpenedImage opened = open_image(folder.path(), kClaims, {}, ref);
    return opened.image ? read(opened->fs(), "etc/os-release") : opened.error();
  };
  EXPECT_TRUE(found("").starts_with("more than one of its images may be for ")) << found("");
  EXPECT_EQ(found("latest"), "latest");
  for (const char* name : {"2", "app:2", "docker.io/library/app:2"}) {
    EXPECT_EQ(found(name), "docker.io/library/app:2") << name;
  }
  EXPECT_EQ(found("app"), "there is no image app; there are: docker.io/library/app:2, latest");
}

TEST(Image, DoesNotDependOnThreads) {
  FakeImage image;
  for (int i = 0; i < 20; ++i) {
    FakeTar tar;
    tar.file("var/lib/dpkg/status", std::to_string(i));
    tar.file("var/lib/dpkg/info/p" + std::to_string(i) + ".list", "x").file("../out", "");
    image.layers.push_back(tar.finished());
  }
  const TemporaryFolder folder;
  image.write_layout(folder);
  Lines first;
  for (const size_t threads : {1, 2, 8}) {
    OpenOptions options;
    options.threads_count = threads;
    const OpenedImage opened = open_image(folder.path(), kClaims, options);
    ASSERT_TRUE(opened.image) << opened.error();
    Lines lines = gap_lines(**opened.image);
    for (size_t i = 0; i < opened->layers().size(); ++i) {
      for (const std::string& path : opened->changed_paths(i)) {
        lines.push_back(path + read(*opened->fs_at(i), path));
      }
    }
    if (first.empty()) first = lines;
    EXPECT_EQ(lines, first) << threads;
  }
  EXPECT_EQ(first.size(), 60u);
}

TEST(Image, ReadsAPlainRoot) {
  const TemporaryFolder folder;
  folder.write("var/lib/dpkg/status", "1");
  folder.write("var/lib/dpkg/info/a.list", "a");
  folder.write("usr/lib/apk/db/installed", "apk");
  folder.write("usr/bin/tool", "x");
  std::filesystem::create_symlink("usr/lib", folder.path() + "/lib");
  std::filesystem::create_symlink("/usr/bin", folder.path() + "/bin");
  std::filesystem::create_symlink("../../../../../../../../etc/hostname",
                                  folder.path() + "/var/lib/dpkg/info/evil.list");
  std::filesystem::create_hard_link(folder.path() + "/usr/bin/tool",
                                    folder.path() + "/usr/bin/copy");
  ASSERT_EQ(::mkfifo((folder.path() + "/var/lib/dpkg/info/pipe.list").c_str(), 0600), 0);
  const OpenedImage image = open_image(folder.path(), kClaims);
  ASSERT_TRUE(image.image) << image.error();
  EXPECT_EQ(image->target().kind, TargetKind::kDirectory);
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/status"), "1");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/info/pipe.list"), "(malformed)");
  EXPECT_EQ(read(image->fs(), "var/lib/dpkg/info/evil.list"), "(not found)");
  EXPECT_EQ(read(image->fs(), "lib/apk/db/installed"), "apk");
  EXPECT_EQ(read(image->fs(), "usr/bin/tool"), "(not found)");
  EXPECT_EQ(image->fs().list("var/lib/dpkg/info/"), Lines{"a.list"});
  EXPECT_EQ(image->fs().real_path("lib/apk/x"), "usr/lib/apk/x");
  EXPECT_EQ(image->fs().real_path("nowhere/x"), "nowhere/x");
  EXPECT_EQ(image->fs().hard_links("bin/tool"), Lines{"usr/bin/copy"});
}

}  // namespace
}  // namespace vigil::image
