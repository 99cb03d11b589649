#include "sensor/mountinfo.h"

#include <gtest/gtest.h>

namespace vigil::sensor {
namespace {

std::vector<Mount> mounts_of(std::string_view text) {
  std::vector<Mount> mounts;
  each_mount(text, [&](const Mount& mount) { mounts.push_back(mount); });
  return mounts;
}

TEST(Mountinfo, LinesThatAreNoneAreLeftOut) {
  EXPECT_EQ(mounts_of("\nx\n1 2 3 / / rw\n1 2 0:3 / nowhere rw - ext4 x rw\n"),
            std::vector<Mount>{});
  EXPECT_EQ(root_mount(""), std::nullopt);
}

TEST(Mountinfo, TheLastMountAtTheRootCounts) {
  const std::string text =
      "1 0 254:0 / / rw - ext4 /dev/vda rw\n"
      "73 48 0:40 / / rw,relatime shared:3 master:1 - overlay overlay rw,lowerdir=/a\n"
      "74 73 0:43 /with\\040blank /proc\\134x rw - proc proc rw\n";
  const std::vector<Mount> mounts = mounts_of(text);
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[2], (Mount{"0:43", "/with blank", "/proc\\x", "proc", "rw"}));
  EXPECT_EQ(root_mount(text), mounts[1]);
}

TEST(Mountinfo, FoldersOfAnOverlay) {
  const std::pair<std::string, OverlayFolders> cases[] = {
      {"rw", {}},
      {"rw,lowerdir=/a:/b,upperdir=/u,workdir=/w,uuid=on", {{"/a", "/b"}, "/u"}},
      {"ro,lowerdir=/a\\:b:/c::/data", {{"/a:b", "/c", "/data"}, ""}},
      {"rw,lowerdir+=/a,lowerdir+=/b\\040c,datadir+=/d,upperdir=/u", {{"/a", "/b c", "/d"}, "/u"}},
      {"rw,lowerdir=/with\\,comma,upperdir=/u", {{"/with,comma"}, "/u"}},
      {"rw,lowerdir=l/A:l/B", {{"l/A", "l/B"}, ""}},
      {"lowerdir", {}},
      {"lowerdir=\\", {{"\\"}, ""}},
  };
  for (const auto& [options, folders] : cases) {
    EXPECT_EQ(overlay_folders(options).lower, folders.lower) << options;
    EXPECT_EQ(overlay_folders(options).upper, folders.upper) << options;
  }
}

}  // namespace
}  // namespace vigil::sensor
