#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace vigil {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vigil_file_XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string at(const std::string& name) const { return folder_ + "/" + name; }
  static size_t files_count(const std::string& folder) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }
  // After a failed write the old content stands there, and nothing else does.
  static void expect_untouched(const std::string& path) {
    EXPECT_EQ(read_file(path, 100).value_or("gone"), "old");
    EXPECT_EQ(files_count(std::filesystem::path(path).parent_path().string()), 1u);
  }

  std::string folder_;
};

TEST_F(FileTest, AWritePastTheLimitOfFileSizesChangesNothing) {
  ASSERT_TRUE(write_atomically(at("file"), "old"));
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {1000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status written = write_atomically(at("file"), std::string(1 << 20, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().text().find(at("file")), std::string::npos) << written.error().text();
  expect_untouched(at("file"));
}

TEST_F(FileTest, ACopyIsTheWholeFileWhereverItWasReadUpTo) {
  const std::string text(3 << 20, 'x');
  ASSERT_TRUE(write_atomically(at("from"), text));
  ASSERT_TRUE(write_atomically(at("to"), ""));
  const Fd from(::open(at("from").c_str(), O_RDONLY));
  const Fd to(::open(at("to").c_str(), O_WRONLY));
  ASSERT_EQ(::lseek(from.get(), 100, SEEK_SET), 100);
  ASSERT_TRUE(copy_file(from, to));
  EXPECT_EQ(read_file(at("to"), 4 << 20).value_or("gone"), text);
  const Fd closed_to_writing(::open(at("to").c_str(), O_RDONLY));
  EXPECT_FALSE(copy_file(from, closed_to_writing));
}

TEST_F(FileTest, AFullDiskChangesNothing) {
  if (::mount("vigil", folder_.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "no small file system can be mounted here: " << std::strerror(errno);
  }
  EXPECT_TRUE(write_atomically(at("file"), "old"));
  const Status written = write_atomically(at("file"), std::string(1 << 20, 'x'));
  EXPECT_FALSE(written);
  EXPECT_NE(written.error().text().find("No space left"), std::string::npos)
      << written.error().text();
  expect_untouched(at("file"));
  // A disk that is full of other files has no room for a name either, sometimes.
  EXPECT_TRUE(write_atomically(at("file"), "new"));
  EXPECT_EQ(::umount(folder_.c_str()), 0);
}

TEST_F(FileTest, ARenameThatFailsLeavesNothingBehind) {
  ASSERT_TRUE(make_folders(at("folder/inner")));
  EXPECT_FALSE(write_atomically(at("folder"), "text"));
  EXPECT_EQ(files_count(folder_), 1u);
}

TEST_F(FileTest, SaysWhichFileCannotBeWritten) {
  const Status written = write_atomically(at("nowhere/file"), "text");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().text().find("nowhere/file"), std::string::npos);
}

TEST_F(FileTest, WritesWithTheModeAskedForAndReplaces) {
  ASSERT_TRUE(write_atomically(at("file"), "old"));
  ASSERT_TRUE(write_atomically(at("file"), "new", 0600));
  struct stat status = {};
  ASSERT_EQ(::stat(at("file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(read_file(at("file"), 100).value_or("gone"), "new");
}

TEST_F(FileTest, ReadsOnlyRegularFilesAndOnlySoMuch) {
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(at("fifo"), 100).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(read_file("/dev/zero", 100).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(read_file(folder_, 100).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(read_file(at("none"), 100).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_atomically(at("file"), "hello"));
  EXPECT_EQ(read_file(at("file"), 4).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(read_file(at("file"), 5).value_or(""), "hello");
}

TEST(NormalPath, NeverLeadsOut) {
  EXPECT_EQ(normal_path("../../etc/./passwd"), "etc/passwd");
  EXPECT_EQ(normal_path("/a//b/../../../c/"), "c");
  EXPECT_EQ(normal_path("a/b/.."), "a");
  EXPECT_EQ(normal_path(".."), "");
  EXPECT_EQ(normal_path(""), "");
}

}  // namespace
}  // namespace vigil
