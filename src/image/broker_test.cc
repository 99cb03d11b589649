#include "image/broker.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <string>

#include "base/check.h"
#include "base/limits.h"
#include "base/side_thread.h"
#include "image/fake_image.h"
#include "image/memory_files.h"

namespace vigil::image {
namespace {

using Links = FileAccess::Links;

// Both sides of the wall, in one process.
class Wall {
 public:
  explicit Wall(FileAccess& files) {
    int ends[2];
    CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    parent_ = Fd(ends[0]);
    child_ = Fd(ends[1]);
    server_.post([this, &files] { serve_files(parent_, files); });
    asked_ = connect_files(child_);
  }
  ~Wall() { ::shutdown(child_.get(), SHUT_RDWR); }  // Ends the server.

  FileAccess& files() { return *asked_; }
  const Fd& child() const { return child_; }

 private:
  Fd parent_, child_;
  std::unique_ptr<FileAccess> asked_;
  SideThread server_;  // Last: its end waits for the server.
};

void expect_same(const std::vector<DirectoryEntry>& got, const std::vector<DirectoryEntry>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE(want[i].name);
    EXPECT_EQ(got[i].name, want[i].name);
    EXPECT_EQ(got[i].type, want[i].type);
    EXPECT_EQ(got[i].bytes, want[i].bytes);
    EXPECT_EQ(got[i].device, want[i].device);
    EXPECT_EQ(got[i].inode, want[i].inode);
    EXPECT_EQ(got[i].links, want[i].links);
    EXPECT_EQ(got[i].target, want[i].target);
  }
}

TEST(Broker, AnswersAsTheFolderItself) {
  const TemporaryFolder folder;
  folder.write("etc/os-release", "ID=debian\n");
  folder.write("etc/passwd", "");
  ASSERT_EQ(::symlink("../etc/os-release", (folder.path() + "/etc/link").c_str()), 0);
  ASSERT_EQ(
      ::link((folder.path() + "/etc/passwd").c_str(), (folder.path() + "/etc/second-name").c_str()),
      0);
  const auto local = open_local_files(folder.path());
  ASSERT_TRUE(local);
  Wall wall(**local);

  const auto entries = wall.files().list("etc", Links::kFollow);
  ASSERT_TRUE(entries) << entries.error().text();
  ASSERT_EQ(entries->size(), 4);
  EXPECT_EQ((*entries)[0].target, "../etc/os-release");
  EXPECT_EQ((*entries)[2].links, 2);
  expect_same(*entries, *(*local)->list("etc", Links::kFollow));

  const auto file = wall.files().open("etc/link", Links::kFollow);
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_EQ(*read_all(*file, 100), "ID=debian\n");
  EXPECT_EQ(*wall.files().real_path("etc/link"), "etc/os-release");
}

// One that fits no message comes as a file in memory.
TEST(Broker, ListsAFolderOfAnySize) {
  std::map<std::string, std::string> files;
  const size_t count = 2 * kMessageBytesMax / 32;
  for (size_t i = 0; i < count; ++i) {
    files["folder/a file with a name of some length " + std::to_string(i)] = "x";
  }
  MemoryFiles memory(std::move(files));
  Wall wall(memory);
  const auto entries = wall.files().list("folder", Links::kFollow);
  ASSERT_TRUE(entries) << entries.error().text();
  ASSERT_EQ(entries->size(), count);
  expect_same(*entries, *memory.list("folder", Links::kFollow));
}

TEST(Broker, PassesErrorsOn) {
  const TemporaryFolder folder;
  folder.write("etc/os-release", "ID=debian\n");
  ASSERT_EQ(::symlink("os-release", (folder.path() + "/etc/link").c_str()), 0);
  const auto local = open_local_files(folder.path());
  ASSERT_TRUE(local);
  Wall wall(**local);
  FileAccess& files = wall.files();
  EXPECT_EQ(files.open("etc/missing", Links::kFollow).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files.open("etc", Links::kFollow).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(files.open("etc/link", Links::kRefuse).error().code, ErrorCode::kDenied);
  EXPECT_EQ(files.list("etc/missing", Links::kFollow).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files.open(std::string(limits::kPathBytesMax + 1, 'a'), Links::kFollow).error().code,
            ErrorCode::kTooLarge);
  EXPECT_EQ(files.open(std::string("etc\0x", 5), Links::kFollow).error().code,
            ErrorCode::kMalformed);
}

// What is refused ends nothing: the next request is answered.
TEST(Broker, RefusesWhatMakesNoSense) {
  MemoryFiles memory(std::map<std::string, std::string>{{"a", "text"}});
  Wall wall(memory);
  for (const std::string& request :
       {std::string("\x01"), std::string("\x09\0a", 3), std::string("\x01\0a\0b", 5)}) {
    ASSERT_TRUE(send_message(wall.child(), request));
    const auto answer = receive_message(wall.child());
    ASSERT_TRUE(answer);
    EXPECT_EQ(static_cast<uint8_t>(answer->bytes[0]),
              1 + static_cast<uint8_t>(ErrorCode::kMalformed));
    EXPECT_FALSE(answer->fd.is_open());
  }
  EXPECT_TRUE(wall.files().open("a", Links::kFollow));
}

}  // namespace
}  // namespace vigil::image
