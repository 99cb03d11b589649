// The source that needs no programs in the kernel, on the running kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "acts.h"
#include "base/file.h"
#include "sensor/event_source.h"
#include "sensor/proc_reader.h"

namespace vigil::kernel_test {
namespace {

class ProcSourceTest : public testing::Test {
 protected:
  void open(sensor::SourceOptions options = {}) {
    auto opened = sensor::find_event_source("proc")->open(options);
    ASSERT_TRUE(opened) << opened.error().text();
    source_ = *std::move(opened);
    ASSERT_TRUE(source_->snapshot());
  }

  // Whether that is so, of what is seen within ten seconds.
  bool is_soon(const std::function<bool()>& wanted) {
    const UnixNanoseconds begun = sensor::unix_now();
    while (sensor::unix_now() - begun < 10'000'000'000) {
      if (wanted()) return true;
      pollfd waiting{source_->poll_fd(), POLLIN, 0};
      ::poll(&waiting, 1, 1000);
      const sensor::Batch batch = source_->next_batch().value();
      seen_.insert(seen_.end(), batch.events.begin(), batch.events.end());
      losses_.insert(losses_.end(), batch.losses.begin(), batch.losses.end());
    }
    return false;
  }

  bool comes(const std::function<bool(const Event&)>& wanted) {
    return is_soon([&] { return std::ranges::any_of(seen_, wanted); });
  }

  bool is_blind(std::string_view what) const {
    return std::ranges::any_of(source_->blind_spots(), [&](const std::string& spot) {
      return spot.find(what) != std::string::npos;
    });
  }

  Folder folder_;
  std::unique_ptr<sensor::EventSource> source_;
  std::vector<Event> seen_;
  std::vector<sensor::Loss> losses_;
};

TEST_F(ProcSourceTest, AProcessThatLives) {
  const std::string mapped = folder_.file("mapped"), held = folder_.file("held");
  ASSERT_NO_FATAL_FAILURE(open());
  Child child([&] {
    if (!map_code(mapped) || ::open(held.c_str(), O_RDONLY) < 0) return false;
    ::pause();
    return true;
  });
  const uint32_t pid = child.pid();
  const auto is = [&](EventKind kind, const std::string& path) {
    return [pid, kind, path](const Event& event) {
      return event.kind == kind && event.process.pid == pid && "/" + event.path == path;
    };
  };
  EXPECT_TRUE(comes(is(EventKind::kExec, std::filesystem::canonical("/proc/self/exe").string())));
  EXPECT_TRUE(comes(is(EventKind::kMap, mapped)));
  EXPECT_TRUE(comes(is(EventKind::kOpen, held)));
  child.end();
  EXPECT_TRUE(comes([&](const Event& event) {
    return event.kind == EventKind::kExit && event.process.pid == pid;
  }));
}

// Faster than any sample: what perf's records tell.
TEST_F(ProcSourceTest, AProcessThatLivesForAMoment) {
  if (::geteuid() != 0) GTEST_SKIP() << "perf's records of all processes need root";
  const std::string mapped = folder_.file("mapped");
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(source_->description().contains("perf")) << source_->description();
  Child child(
      [&] { return own_mounts() && map_code(mapped) && ::execlp("true", "true", nullptr) == 0; });
  const uint32_t pid = child.pid();
  ASSERT_TRUE(child.wait());
  ASSERT_TRUE(comes([&](const Event& event) {
    return event.kind == EventKind::kExit && event.process.pid == pid;
  }));
  // /bin/busybox, where that is what "true" is.
  const std::string program = std::filesystem::canonical("/bin/true").filename().string();
  const auto find = [&](EventKind kind, const std::string& name) {
    const auto found = std::ranges::find_if(seen_, [&](const Event& event) {
      return event.kind == kind && event.process.pid == pid && event.path.ends_with(name);
    });
    return found == seen_.end() ? nullptr : &*found;
  };
  const Event* map = find(EventKind::kMap, "mapped");
  const Event* exec = find(EventKind::kExec, program);
  ASSERT_NE(map, nullptr);
  ASSERT_NE(exec, nullptr);
  EXPECT_LE(map->at, exec->at);
  EXPECT_FALSE(map->is_snapshot);
  EXPECT_EQ(map->process.parent_pid, static_cast<uint32_t>(::getpid()));
  EXPECT_EQ(map->file.device, StatOf(mapped).device);
  EXPECT_EQ(map->file.inode, StatOf(mapped).inode);
  EXPECT_EQ(exec->process.executable, exec->path);
  // It has left the mount namespace that it was started in.
  const auto own = sensor::ProcReader(sensor::boot_time()).facts_of(map->process.parent_pid);
  ASSERT_TRUE(own);
  EXPECT_NE(map->process.mount_namespace, own->mount_namespace);
  EXPECT_EQ(exec->process.mount_namespace, map->process.mount_namespace);
}

TEST_F(ProcSourceTest, AProcessorThatComesOnline) {
  if (std::getenv("VIGIL_GUEST") == nullptr) {
    std::printf("no guest: its processors are left alone\n");
    return;
  }
  const auto put_online = [](const char* how) {
    const Fd fd(::open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC));
    return ::write(fd.get(), how, 1) == 1;
  };
  ASSERT_TRUE(put_online("0"));
  ASSERT_NO_FATAL_FAILURE(open());
  ASSERT_TRUE(put_online("1"));
  ASSERT_TRUE(is_soon([&] {
    return std::ranges::find(losses_, "a processor came online", &sensor::Loss::reason) !=
           losses_.end();
  }));
  const std::string mapped = folder_.file("mapped");
  Child child([&] {
    cpu_set_t second;
    CPU_ZERO(&second);
    CPU_SET(1, &second);
    return ::sched_setaffinity(0, sizeof second, &second) == 0 && map_code(mapped);
  });
  const uint32_t pid = child.pid();
  ASSERT_TRUE(child.wait());
  EXPECT_TRUE(comes([&](const Event& event) {
    return event.kind == EventKind::kMap && event.process.pid == pid && "/" + event.path == mapped;
  }));
}

TEST_F(ProcSourceTest, WithoutPerfTheConnectorTellsOfProcesses) {
  if (::geteuid() != 0) GTEST_SKIP() << "the process connector needs root";
  sensor::SourceOptions options;
  options.back_end = "connector";
  ASSERT_NO_FATAL_FAILURE(open(options));
  EXPECT_TRUE(is_blind("lets go of between two samples"));
  if (is_blind("process connector")) GTEST_SKIP() << "this kernel has no process connector";
  Child child([] { return ::execlp("sleep", "sleep", "60", nullptr) == 0; });
  const uint32_t pid = child.pid();
  const auto is = [pid](EventKind kind) {
    return
        [pid, kind](const Event& event) { return event.kind == kind && event.process.pid == pid; };
  };
  EXPECT_TRUE(comes(is(EventKind::kExec)));
  child.end();
  EXPECT_TRUE(comes(is(EventKind::kExit)));
}

TEST_F(ProcSourceTest, AFileThatIsOpenForAMoment) {
  if (::geteuid() != 0) GTEST_SKIP() << "fanotify on whole file systems needs root";
  const std::string path = folder_.file("moment"), other = folder_.file("other");
  ASSERT_NO_FATAL_FAILURE(open());
  if (is_blind("fanotify")) GTEST_SKIP() << "this kernel has no fanotify for it";
  // Watched are file systems that some process has as its root: this must be in one.
  const bool is_watched = StatOf(folder_.path()).device == StatOf("/").device;
  if (!is_watched) GTEST_SKIP() << "the temporary folder is on a file system of its own";
  const auto opens = [&](int times) {
    return [&path, times] {
      for (int time = 0; time < times; time++) {
        if (!read_at(path)) return false;
      }
      return true;
    };
  };
  ASSERT_TRUE(Child(opens(1)).wait());
  const auto is_open = [&](const Event& event) {
    return event.kind == EventKind::kOpen && "/" + event.path == path;
  };
  EXPECT_TRUE(comes(is_open));
  // From now on the kernel leaves it out.
  ASSERT_TRUE(Child(opens(1000)).wait());
  ASSERT_TRUE(Child([&] { return read_at(other); }).wait());
  EXPECT_TRUE(comes([&](const Event& event) { return "/" + event.path == other; }));
  EXPECT_EQ(std::ranges::count_if(seen_, is_open), 1);
}

}  // namespace
}  // namespace vigil::kernel_test
