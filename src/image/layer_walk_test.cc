#include "image/layer_walk.h"

#include <gtest/gtest.h>

#include "decode/fake_tar.h"

namespace vigil::image {
namespace {

using decode::FakeTar;

constexpr Claim kClaims[] = {{ClaimKind::kPath, "lib/apk/db/installed", 1 << 20},
                             {ClaimKind::kPath, "etc/os-release", 1 << 20},
                             {ClaimKind::kInFolders, "usr/share/doc/*/copyright", 1 << 10}};

LayerContents walk(const std::string& tar, KeptBudget& budget) {
  decode::MemoryStream stream(as_bytes(tar));
  return walk_layer(stream, "layer", ClaimTable(kClaims), LayerPosition::kBase, budget);
}

TEST(LayerWalk, LeavesOutWhatThereIsNoRoomFor) {
  KeptBudget budget;
  ASSERT_TRUE(budget.take(limits::kKeptBytesMax - 6000));
  const LayerContents layer = walk(FakeTar()
                                       .file("lib/apk/db/installed", std::string(10'000, 'x'))
                                       .file("etc/os-release", "ID=alpine\n")
                                       .finished(),
                                   budget);
  EXPECT_TRUE(budget.is_exceeded());
  ASSERT_EQ(layer.nodes.size(), 2u);
  EXPECT_EQ(layer.nodes[0].kind, NodeKind::kFile);
  EXPECT_EQ(layer.nodes[1].kind, NodeKind::kOther);
  ASSERT_EQ(layer.gaps.size(), 1u);
  EXPECT_EQ(layer.gaps[0].path, "lib/apk/db/installed");
  EXPECT_EQ(layer.gaps[0].limit, "kKeptBytesMax");
}

TEST(LayerWalk, KeepsAFileOfEachFolder) {
  FakeTar tar;
  tar.file("usr/share/doc/a/copyright", "A").file("usr/share/doc/a/changelog", "no");
  tar.file("usr/share/doc/copyright", "no").file("usr/share/doc/a/b/copyright", "no");
  tar.symlink("usr/share/doc/c", "a");
  KeptBudget budget;
  std::vector<std::string> kept;
  for (const LayerNode& node : walk(tar.finished(), budget).nodes) {
    if (node.content != nullptr) kept.push_back(node.path + " " + *node.content);
  }
  EXPECT_EQ(kept, (std::vector<std::string>{"usr/share/doc/a/copyright A"}));
}

TEST(LayerWalk, GivesBackWhatIsReplaced) {
  KeptBudget budget;
  ASSERT_TRUE(budget.take(limits::kKeptBytesMax - 20'000));
  FakeTar tar;
  for (int i = 0; i < 100; ++i) {
    tar.file("lib/apk/db/installed", std::string(10'000, 'x'));
    tar.symlink("etc", "elsewhere").folder("etc");
  }
  EXPECT_TRUE(walk(tar.finished(), budget).gaps.empty());
}

TEST(LayerWalk, AFileReplacesAFolderMoreThanOnce) {
  FakeTar tar;
  tar.symlink("a/b/c", "x").file("a", "");
  tar.folder("a").symlink("a/b/d", "x").file("a", "");
  KeptBudget budget;
  EXPECT_EQ(walk(tar.finished(), budget).nodes.size(), 0u);
}

TEST(LayerWalk, AFileReplacesALinkInAFolderNobodyAskedFor) {
  KeptBudget budget;
  FakeTar tar;
  tar.file("opt/a", "").symlink("opt/link", "/etc").file("opt/link", "").file("opt/b", "");
  tar.symlink("srv/link", "/etc").folder("srv/link");
  EXPECT_EQ(walk(tar.finished(), budget).nodes.size(), 0u);
}

TEST(LayerWalk, CleansPathsWhereverTheyNeedIt) {
  for (size_t length = 1; length < 30; ++length) {
    const std::string part(length, 'a');
    EXPECT_EQ(clean_path(part + "/b./.c//d/e.f/"), part + "/b./.c/d/e.f");
    EXPECT_EQ(clean_path(part + "/b.c/d"), part + "/b.c/d");
    EXPECT_EQ(clean_path(part + "/./" + part), part + "/" + part);
    EXPECT_EQ(clean_path(part + "//" + part), part + "/" + part);
    EXPECT_EQ(clean_path(part + "/../" + part), part);
    EXPECT_EQ(clean_path(part + "/.."), "");
    EXPECT_EQ(clean_path(part + "/../.."), std::nullopt);
  }
}

TEST(ClaimTable, TakesNamesOfSomeEndings) {
  constexpr Claim kEndings[] = {{ClaimKind::kUnderFolder, "lib/info/", 1, ".list"},
                                {ClaimKind::kUnderFolder, "lib/info/", 2, ".md5sums"},
                                {ClaimKind::kUnderFolder, "lib/d/", 3, ".list"},
                                {ClaimKind::kUnderFolder, "lib/d/", 3}};
  const ClaimTable table(kEndings);
  EXPECT_EQ(table.find("lib/info/a.list"), 2u);
  EXPECT_EQ(table.find("usr/lib/info/a.md5sums"), 2u);
  EXPECT_EQ(table.find("lib/info/a.symbols"), std::nullopt);
  EXPECT_FALSE(table.leads_to_claim("lib/info/a.symbols"));
  EXPECT_EQ(table.find("lib/d/a"), 3u);
}

TEST(ClaimTable, ConcernsTheFoldersOfWhatItSaysYesOf) {
  const ClaimTable table(kClaims);
  for (const std::string_view path :
       {"etc/os-release", "etc", "usr/lib/apk", "usr/lib/apk/db/installed", "usr/share/doc",
        "usr/share/doc/a", "usr/share/doc/a/copyright"}) {
    EXPECT_TRUE(table.find(path) || table.leads_to_claim(path)) << path;
    EXPECT_TRUE(table.concerns_folder(folder_of(path))) << path;
  }
  for (const std::string_view folder : {"opt", "usr/bin", "usr/share/doc/a/b", "etc/apk"}) {
    EXPECT_FALSE(table.concerns_folder(folder)) << folder;
  }
}

TEST(LayerWalk, FollowsLinksThatComeBetweenEntriesOfNearFolders) {
  FakeTar tar;
  tar.symlink("away", "etc");  // From here on links are looked for.
  tar.file("lib/x/1", "").file("lib/x/y/2", "").symlink("lib/apk", "/opt").file("lib/x/3", "");
  tar.file("lib/apk/db/installed", "moved").file("lib/apkdb/installed", "");
  tar.symlink("opt/db", "../lib/x").file("lib/apk/db/installed", "twice");
  tar.file("away/os-release", "linked").file("lib/apk", "").file("lib/apk/db/installed", "plain");
  KeptBudget budget;
  std::vector<std::string> nodes;
  for (const LayerNode& node : walk(tar.finished(), budget).nodes) {
    nodes.push_back(node.path + (node.content == nullptr ? "" : " " + *node.content));
  }
  EXPECT_EQ(nodes, (std::vector<std::string>{"away", "etc/os-release linked", "lib/apk",
                                             "lib/apk/db/installed plain", "opt/db"}));
}

TEST(LayerWalk, StopsFollowingLinksAtItsBound) {
  FakeTar tar;
  std::string detour;
  for (int i = 0; i < 14; ++i) detour += std::string(200, 'x') + "/";
  for (int i = 0; i < 14; ++i) detour += "../";
  for (char link = 'a'; link < 'z'; ++link) {
    tar.long_link(detour + static_cast<char>(link + 1)).symlink(std::string(1, link), "");
  }
  // By turns, so that the last answer is of no use.
  for (int i = 0; i < 2000; ++i) tar.file("a/f", "").file("b/f", "");
  KeptBudget budget;
  const LayerContents layer = walk(tar.finished(), budget);
  ASSERT_EQ(layer.gaps.size(), 1u);
  EXPECT_EQ(layer.gaps[0].limit, "kLinkWorkMax");
}

}  // namespace
}  // namespace vigil::image
