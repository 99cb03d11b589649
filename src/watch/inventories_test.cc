#include "watch/inventories.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "scan/inventory_file.h"
#include "watch/evidence.h"
#include "watch/worker.h"

namespace vigil::watch {
namespace {

class InventoriesTest : public testing::Test {
 protected:
  InventoriesTest() {
    char place[] = "/tmp/vigil_inventories_XXXXXX";
    folder_ = ::mkdtemp(place);
    std::filesystem::create_directories(folder_ + "/state/inventory");
  }
  ~InventoriesTest() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& path, const std::string& text) {
    const std::filesystem::path whole = folder_ + "/" + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  // "NAME VERSION" of each package of the inventory that a worker makes.
  Result<std::vector<std::string>> packages(const InventorySource& source) {
    Result<Worker> started = Worker::start([&]() -> Result<std::string> {
      TRY(make_inventory(source, folder_ + "/state"));
      return std::string();
    });
    Worker worker = TRY(std::move(started));
    TRY(worker.finish());
    MappedFile mapped = TRY(MappedFile::open(folder_ + "/state/" + inventory_name(source.key)));
    const scan::InventoryFile file = TRY(scan::InventoryFile::open(std::move(mapped)));
    std::vector<std::string> names;
    for (const Package& package : file.sbom().packages) {
      names.push_back(package.name + " " + package.version);
    }
    return names;
  }

  std::string folder_;
};

constexpr const char* kAlpine = "ID=alpine\nVERSION_ID=3.20.1\n";

TEST_F(InventoriesTest, AFolderThatIsGoneIsAnError) {
  InventorySource source;
  source.key = "gone";
  source.folders = {folder_ + "/gone"};
  EXPECT_FALSE(packages(source));
}

TEST_F(InventoriesTest, AnUpperLayerIsNotPartOfIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "layers are mounted, which needs root";
  put("base/etc/os-release", kAlpine);
  put("base/lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n\n");
  put("top/lib/apk/db/installed", "P:musl\nV:1.2.5-r1\nA:x86_64\n\n");
  InventorySource source;
  source.key = "layers";
  source.folders = {folder_ + "/top", folder_ + "/base"};
  EXPECT_EQ(packages(source).value(), std::vector<std::string>{"musl 1.2.5-r1"});
  source.key = "base";
  source.folders = {folder_ + "/base"};
  EXPECT_EQ(packages(source).value(), std::vector<std::string>{"musl 1.2.5-r0"});
}

TEST_F(InventoriesTest, AnInstalledPackageChangesTheStamp) {
  const Fd root(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string before = packages_stamp(root);
  put("var/lib/dpkg/status", "Package: a\n");
  EXPECT_NE(packages_stamp(root), before);
}

TEST_F(InventoriesTest, WhatADatabaseCannotJudgeIsNotTakenBack) {
  put("base/etc/os-release", "ID=nowhere\nVERSION_ID=1\n");
  put("base/lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n\n");
  InventorySource source;
  source.key = "base";
  source.folders = {folder_ + "/base"};
  ASSERT_TRUE(packages(source));
  put("state/" + findings_name("base"),
      "CVE-2026-0001\tmusl\t1.2.5-r0\tx86_64\nCVE-2026-0002\tgone\t1\tx86_64\n");
  const MatchJob job = {.state_folder = folder_ + "/state", .keys = {"base"}, .database = {}};
  const auto answer = match_inventories(job);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(parse_match_answer(*answer),
            (MatchAnswer{.keys = {"base"},
                         .changes = {{"base", false, "CVE-2026-0002", "gone", "1", "x86_64"}},
                         .problems = {}}));
}

TEST_F(InventoriesTest, AnAnswerIsTakenApart) {
  const MatchAnswer answer = parse_match_answer(
      "+lost\tx\t1\t\n=k1\n+CVE-1\tlibx\t1.2-3\tamd64\n-CVE-2\tliby\t1\t\n=k2\n!k3: damaged\n");
  EXPECT_EQ(answer, (MatchAnswer{.keys = {"k1", "k2"},
                                 .changes = {{"k1", true, "CVE-1", "libx", "1.2-3", "amd64"},
                                             {"k1", false, "CVE-2", "liby", "1", ""}},
                                 .problems = {"k3: damaged"}}));
}

}  // namespace
}  // namespace vigil::watch
