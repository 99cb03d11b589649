// What the source that samples does to the process it is in.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"
#include "sensor/event_source.h"

namespace vigil::sensor {
namespace {

bool in_child(const std::function<bool()>& what) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(what() ? 0 : 1);
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

bool is_locked(const std::string& path) {
  return in_child([&] {
    const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    return ::fcntl(file.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  });
}

// The store of evidence is an SQLite database, which such locks keep whole.
TEST(ProcSource, ThatAFileIsOpenedTakesNoLockFromUs) {
  if (::geteuid() != 0) GTEST_SKIP() << "fanotify on whole file systems needs root";
  // Beside the program: a temporary folder may be a file system of its own, that is not watched.
  const std::string path = std::filesystem::read_symlink("/proc/self/exe").string() + ".lock";
  ASSERT_TRUE(write_atomically(path, "text"));
  const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(file.get(), F_SETLK, &lock), 0);
  ASSERT_TRUE(is_locked(path));

  const auto source = find_event_source("proc")->open({});
  ASSERT_TRUE(source) << source.error().text();
  if (!(*source)->description().contains("fanotify")) GTEST_SKIP() << "no fanotify here";
  ASSERT_TRUE(in_child([&] { return Fd(::open(path.c_str(), O_RDONLY)).is_open(); }));
  const auto is_seen = [&](const Event& event) { return "/" + event.path == path; };
  pollfd ready = {(*source)->poll_fd(), POLLIN, 0};
  bool has_come = false;
  for (int tries = 0; tries < 100 && !has_come && ::poll(&ready, 1, 10'000) == 1; ++tries) {
    has_come = std::ranges::any_of((*source)->next_batch().value().events, is_seen);
  }
  EXPECT_TRUE(has_come);
  EXPECT_TRUE(is_locked(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vigil::sensor
