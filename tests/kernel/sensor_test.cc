// The kernel's programs on the running kernel: each loads, fires, and says the truth.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/openat2.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "acts.h"
#include "base/file.h"
#include "sensor/event_source.h"
#include "sensor/kernel_features.h"
#include "sensor/kernel_programs.h"
#include "sensor/proc_reader.h"
#include "sensor/recording.h"

namespace vigil::kernel_test {
namespace {

using sensor::Batch;
using sensor::EventSource;
using sensor::Loss;
using sensor::SourceOptions;

std::string shown(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) text += sensor::recording_line(event);
  return text;
}

const std::string& own_program() {
  static const std::string path = std::filesystem::canonical("/proc/self/exe").string();
  return path;
}

bool run(const std::string& program, std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = 0;
  int status = -1;
  return ::posix_spawn(&pid, program.c_str(), nullptr, nullptr, pointers.data(), environ) == 0 &&
         ::waitpid(pid, &status, 0) == pid && status == 0;
}

class SensorTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "loading programs into the kernel needs root";
  }

  // A source of the test's own.
  void open(SourceOptions options) {
    own_ = opened(options);
    source_ = own_.get();
    ASSERT_NE(source_, nullptr);
  }

  // One that tests share: loading takes seconds on an emulated machine.
  void open() {
    if (shared_ == nullptr) shared_ = opened({});
    source_ = shared_.get();
    ASSERT_NE(source_, nullptr);
    ASSERT_FALSE(own_program().empty());
    collect();
    seen_.clear();
    losses_.clear();
  }

  static std::unique_ptr<EventSource> opened(SourceOptions options) {
    if (const char* back_end = std::getenv("VIGIL_BACK_END")) options.back_end = back_end;
    auto source = sensor::find_event_source("bpf")->open(options);
    if (source) {
      static const bool is_said = [&] {
        std::printf("%s\n", (*source)->description().c_str());
        for (const std::string& spot : (*source)->blind_spots())
          std::printf("  %s\n", spot.c_str());
        return true;
      }();
      return is_said ? *std::move(source) : nullptr;
    }
    ADD_FAILURE() << source.error().text();
    return nullptr;
  }

  // What came so far, and more of it.
  void collect() {
    const Batch batch = source_->next_batch().value();
    seen_.insert(seen_.end(), batch.events.begin(), batch.events.end());
    losses_.insert(losses_.end(), batch.losses.begin(), batch.losses.end());
  }

  std::vector<Event> matching(const std::function<bool(const Event&)>& wanted) const {
    std::vector<Event> found;
    std::ranges::copy_if(seen_, std::back_inserter(found), wanted);
    return found;
  }

  std::vector<Event> of_file(EventKind kind, const std::string& path) const {
    return matching(
        [&](const Event& event) { return event.kind == kind && "/" + event.path == path; });
  }

  std::vector<Event> of_process(uint32_t pid) const {
    return matching([&](const Event& event) { return event.process.pid == pid; });
  }

  // Runs it in a child with mounts of its own, and takes what was seen of it.
  void act(const std::function<bool()>& what) {
    Child child([&] { return own_mounts() && what(); });
    child_ = child.pid();
    ASSERT_TRUE(child.wait()) << "the act itself failed";
    collect();
  }

  bool is_blind(std::string_view what) const {
    return std::ranges::any_of(source_->blind_spots(), [&](const std::string& spot) {
      return spot.find(what) != std::string::npos;
    });
  }

  Folder folder_;
  std::unique_ptr<EventSource> own_;
  static inline std::unique_ptr<EventSource> shared_;
  EventSource* source_ = nullptr;
  std::vector<Event> seen_;
  std::vector<Loss> losses_;
  uint32_t child_ = 0;
};

TEST_F(SensorTest, ExecSaysWhoAndHow) {
  ASSERT_NO_FATAL_FAILURE(open());
  Child child([&] {
    if (!own_mounts() || ::setgid(65534) != 0 || ::setuid(65534) != 0) return false;
    ::execl(own_program().c_str(), "the test", "--exit", "a\nb", nullptr);
    return false;
  });
  const uint32_t pid = child.pid();
  ASSERT_TRUE(child.wait());
  collect();
  std::vector<Event> events = of_process(pid);
  const auto exec = std::ranges::find(events, EventKind::kExec, &Event::kind);
  ASSERT_NE(exec, events.end()) << shown(events);
  const StatOf program(own_program());
  EXPECT_EQ("/" + exec->path, own_program());
  EXPECT_EQ(exec->process.executable, exec->path);
  EXPECT_EQ(exec->command_line, "the test --exit a?b");
  EXPECT_EQ(exec->file.device, program.device);
  EXPECT_EQ(exec->file.inode, program.inode);
  EXPECT_EQ(exec->process.uid, 65534u);
  EXPECT_EQ(exec->process.capabilities, 0u);
  EXPECT_EQ(exec->process.parent_pid, static_cast<uint32_t>(::getpid()));
  EXPECT_EQ(exec->process.name,
            std::filesystem::path(own_program()).filename().string().substr(0, 15));
  EXPECT_FALSE(exec->is_deleted || exec->is_truncated || exec->is_snapshot);
  EXPECT_LT(sensor::unix_now() - exec->at, 60'000'000'000);
  EXPECT_GE(exec->at, exec->process.started_at);
  // Its life, in order.
  EXPECT_EQ(events.front().kind, EventKind::kFork);
  EXPECT_EQ(events.back().kind, EventKind::kExit);
  for (const Event& event : events) EXPECT_EQ(event.process.started_at, exec->process.started_at);
  // Libraries, and the loader that the kernel maps by itself: once in its mount namespace, perhaps
  // before it began the program. Until it had that, it used its parent's.
  const auto maps_with = [&](std::string_view name) {
    return std::ranges::count_if(events, [&](const Event& event) {
      return event.kind == EventKind::kMap &&
             event.process.mount_namespace == exec->process.mount_namespace &&
             event.path.find(name) != std::string::npos;
    });
  };
  EXPECT_EQ(maps_with("libc.so.6"), 1) << shown(events);
  if (!is_blind("the dynamic loader")) {
    EXPECT_EQ(maps_with("/ld-linux"), 1) << shown(events);
  }
}

TEST_F(SensorTest, EveryWayToOpen) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string plain = folder_.file("open"), at = folder_.file("openat"),
                    at2 = folder_.file("openat2"), handle = folder_.file("handle"),
                    ring = folder_.file("ring");
  bool is_ring_there = true;
  const bool has_handles = has_file_handles(folder_.path());
  act([&] {
    open_how how{};
    how.flags = O_RDONLY;
    const auto read_from = [](long fd) { return read_a_byte(static_cast<int>(fd)); };
    return read_from(::syscall(SYS_openat, AT_FDCWD, at.c_str(), O_RDONLY)) &&
           read_from(::syscall(SYS_openat2, AT_FDCWD, at2.c_str(), &how, sizeof how)) &&
#ifdef SYS_open
           read_from(::syscall(SYS_open, plain.c_str(), O_RDONLY)) &&
#endif
           (!has_handles || read_by_handle(handle));
  });
  Child ring_user([&] { return own_mounts() && read_through_ring(ring); });
  is_ring_there = ring_user.wait();
  collect();
  for (const std::string& path : {at, at2, plain, handle}) {
    if (path == handle && !has_handles) continue;  // Of a guest whose root is a ramfs.
    const std::vector<Event> events = of_file(EventKind::kOpen, path);
    ASSERT_EQ(events.size(), 1u) << path << "\n" << shown(of_process(child_));
    EXPECT_EQ(events[0].file, (FileId{StatOf(path).device, StatOf(path).inode, StatOf(path).device,
                                      StatOf(path).inode, -1}));
    EXPECT_EQ(events[0].process.pid, child_);
  }
  if (is_ring_there && !is_blind("opened through io_uring are not seen")) {
    EXPECT_EQ(of_file(EventKind::kOpen, ring).size(), 1u);
  } else {
    std::printf("io_uring: not asked for\n");
  }
}

TEST_F(SensorTest, WhatIsNoUseOfAFile) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string written = folder_.file("written"), both = folder_.file("both");
  act([&] {
    return Fd(::open(written.c_str(), O_WRONLY)).is_open() &&
           read_a_byte(Fd(::open(both.c_str(), O_RDWR)).get()) &&
           Fd(::open(folder_.path().c_str(), O_RDONLY)).is_open() &&
           Fd(::open(written.c_str(), O_PATH)).is_open() && read_at("/proc/self/status") &&
           ::open("/nowhere", O_RDONLY) < 0;
  });
  for (const Event& event : of_process(child_)) {
    // Code of the parent's mappings may be used.
    EXPECT_TRUE(event.kind == EventKind::kFork || event.kind == EventKind::kExit ||
                event.kind == EventKind::kMap)
        << sensor::recording_line(event);
    EXPECT_NE("/" + event.path, written);
    EXPECT_NE("/" + event.path, both);
  }
}

TEST_F(SensorTest, EveryWayToMapCode) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string mapped = folder_.file("mapped"), later = folder_.file("protected"),
                    data = folder_.file("data");
  act([&] {
    const Fd fd(::open(data.c_str(), O_RDONLY));
    return map_code(mapped) && map_then_protect(later) &&
           touch(::mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, fd.get(), 0));
  });
  EXPECT_EQ(of_file(EventKind::kMap, mapped).size(), 1u) << shown(of_process(child_));
  EXPECT_EQ(of_file(EventKind::kMap, data).size(), 0u);
  EXPECT_EQ(of_file(EventKind::kOpen, data).size(), 1u) << shown(of_process(child_));
  if (!is_blind("made executable later")) {
    EXPECT_EQ(of_file(EventKind::kMap, later).size(), 1u) << shown(of_process(child_));
  }
}

// As ldconfig does it with each library before a program of the same container loads some.
TEST_F(SensorTest, CodeThatAnotherProcessMappedAsData) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string path = folder_.file("library");
  act([&] {
    const auto as_data = [&] {
      const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      return touch(::mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, fd.get(), 0));
    };
    return Child(as_data).wait() && map_code(path);
  });
  ASSERT_EQ(of_file(EventKind::kMap, path).size(), 1u) << shown(of_process(child_));
  EXPECT_EQ(of_file(EventKind::kMap, path)[0].process.pid, child_);
  EXPECT_EQ(of_file(EventKind::kOpen, path).size(), 1u);
}

// However many mappings of the file there are, the process's own decide, and one that is executable
// makes it code even where another one is touched.
TEST_F(SensorTest, CodeAmongManyMappingsOfAFile) {
  ASSERT_NO_FATAL_FAILURE(open());
  for (const int count : {0, 1, 6, 7, 40}) {
    const std::string name = std::to_string(count);
    const std::string code = folder_.file("code" + name), data = folder_.file("data" + name);
    const auto mapped = [](const std::string& path, int protection, int offset) {
      const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      return ::mmap(nullptr, 1, protection, MAP_PRIVATE, fd.get(), offset * 4096);
    };
    const auto map_all = [&](const std::string& path) {
      for (int index = 1; index <= count; index++)
        if (mapped(path, PROT_READ, index) == MAP_FAILED) return false;
      return true;
    };
    // This process is another workload than the child.
    void* outside = mapped(data, PROT_READ | PROT_EXEC, 0);
    ASSERT_TRUE(touch(outside));
    act([&] {
      return ::munmap(outside, 1) == 0 && mapped(code, PROT_READ | PROT_EXEC, 1) != MAP_FAILED &&
             map_all(code) && touch(mapped(code, PROT_READ, 0)) && map_all(data) &&
             touch(mapped(data, PROT_READ, 0));
    });
    ::munmap(outside, 1);
    const auto of_child = [&](EventKind kind, const std::string& path) {
      return std::ranges::count_if(of_file(kind, path),
                                   [&](const Event& event) { return event.process.pid == child_; });
    };
    EXPECT_EQ(of_child(EventKind::kMap, code), 1) << count << shown(of_process(child_));
    EXPECT_EQ(of_child(EventKind::kMap, data), 0) << count << shown(of_process(child_));
    EXPECT_EQ(of_child(EventKind::kOpen, data), 1) << count << shown(of_process(child_));
  }
}

TEST_F(SensorTest, DeletedAndReplacedFiles) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string deleted = folder_.file("deleted"), replaced = folder_.file("replaced"),
                    kept = folder_.file("kept");
  const std::string newer = folder_.file("newer");
  act([&] {
    const auto map_after = [](const std::string& path, const std::function<bool()>& between) {
      const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      return read_a_byte(fd.get()) && between() &&
             touch(::mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0));
    };
    return map_after(deleted, [&] { return ::unlink(deleted.c_str()) == 0; }) &&
           map_after(replaced, [&] { return ::rename(newer.c_str(), replaced.c_str()) == 0; }) &&
           map_code(kept);
  });
  for (const std::string& path : {deleted, replaced}) {
    ASSERT_EQ(of_file(EventKind::kMap, path).size(), 1u) << path << shown(of_process(child_));
    EXPECT_TRUE(of_file(EventKind::kMap, path)[0].is_deleted) << path;
    EXPECT_FALSE(of_file(EventKind::kOpen, path)[0].is_deleted) << path;
  }
  ASSERT_EQ(of_file(EventKind::kMap, kept).size(), 1u);
  EXPECT_FALSE(of_file(EventKind::kMap, kept)[0].is_deleted);
}

TEST_F(SensorTest, OneEventForAFileAndAWorkload) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string path = folder_.file("often");
  const auto often = [&] {
    for (int time = 0; time < 1000; time++) {
      if (!read_at(path)) return false;
    }
    return true;
  };
  act(often);
  ASSERT_EQ(of_file(EventKind::kOpen, path).size(), 1u);
  act(often);  // Mounts of its own: another workload.
  const std::vector<Event> events = of_file(EventKind::kOpen, path);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NE(events[0].process.pid, events[1].process.pid);
  EXPECT_TRUE(losses_.empty());
}

// To the one it may be code, to the other it is not.
TEST_F(SensorTest, EachProgramThatReadsAFileIsTold) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string path = folder_.file("read");
  act([&] {
    for (int time = 0; time < 2; time++) {
      Child cat([&] {
        const Fd nowhere(::open("/dev/null", O_WRONLY));
        return ::dup2(nowhere.get(), STDOUT_FILENO) == STDOUT_FILENO &&
               ::execlp("cat", "cat", path.c_str(), nullptr) == 0;
      });
      if (!cat.wait() || !read_at(path)) return false;
    }
    return true;
  });
  const std::vector<Event> events = of_file(EventKind::kOpen, path);
  ASSERT_EQ(events.size(), 2u) << shown(events);
  EXPECT_NE(events[0].process.executable, events[1].process.executable);
}

TEST_F(SensorTest, AFileStillInUseIsReportedAgain) {
  SourceOptions options;
  options.repeat_seconds = 1;
  ASSERT_NO_FATAL_FAILURE(open(options));
  const std::string path = folder_.file("again");
  act([&] {
    const UnixNanoseconds begun = sensor::unix_now();
    while (sensor::unix_now() - begun < 1'500'000'000) {
      if (!read_at(path)) return false;
    }
    return true;
  });
  const std::vector<Event> events = of_file(EventKind::kOpen, path);
  ASSERT_GE(events.size(), 2u);
  ASSERT_LE(events.size(), 3u);  // A machine that stood still.
  // By the kernel's ticks, which such a machine catches up later.
  EXPECT_GE(events[1].at - events[0].at, 500'000'000);
}

TEST_F(SensorTest, LayersOfAnOverlay) {
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string upper_file = folder_.file("upper/made"), top_file = folder_.file("top/two"),
                    base_file = folder_.file("base/deep/three");
  for (const char* name : {"work", "merged"}) ::mkdir((folder_.path() + "/" + name).c_str(), 0755);
  const std::string base = folder_.path();
  uint64_t seen_device = 0;
  const auto in_overlay = [&](const std::function<bool()>& what) {
    return [&base, what] {
      return mount_overlay(base + "/top:" + base + "/base", base + "/upper", base + "/work",
                           base + "/merged") &&
             ::chroot((base + "/merged").c_str()) == 0 && ::chdir("/") == 0 && what();
    };
  };
  act(in_overlay([] {
    return map_code("/made") && map_code("/two") && map_code("/deep/three") &&
           Fd(::open("/two", O_WRONLY)).is_open() && ::rename("/made", "/made2") == 0 &&
           map_code("/made2");
  }));
  const auto check = [&](EventKind kind, const std::string& path, int layer,
                         const std::string& real) {
    const std::vector<Event> events = of_file(kind, path);
    ASSERT_EQ(events.size(), 1u) << path << "\n" << shown(of_process(child_));
    const FileId& file = events[0].file;
    EXPECT_EQ(file.layer, layer) << path;
    EXPECT_EQ(file.real_device, StatOf(real).device) << path;
    EXPECT_EQ(file.real_inode, StatOf(real).inode) << path;
    EXPECT_NE(file.device, file.real_device) << path;
    if (seen_device == 0) seen_device = file.device;
    EXPECT_EQ(file.device, seen_device) << "one device for opens and mappings";
  };
  const std::string moved = folder_.path() + "/upper/made2";
  for (const EventKind kind : {EventKind::kOpen, EventKind::kMap}) {
    check(kind, "/made", 0, moved);
    check(kind, "/two", 1, top_file);
    check(kind, "/deep/three", 2, base_file);
  }
  // Copied up by a writer, the file is of the upper layer.
  seen_device = 0;
  seen_.clear();
  act(in_overlay([] { return map_code("/two"); }));
  check(EventKind::kMap, "/two", 0, folder_.path() + "/upper/two");
}

TEST_F(SensorTest, PathsLeadAcrossMountsAndEndAtTheRoot) {
  ASSERT_NO_FATAL_FAILURE(open());
  folder_.file("new/inside/file");
  const std::string outside = folder_.file("outside/file2");
  ::mkdir((folder_.path() + "/new/volume").c_str(), 0755);
  act([&] {
    const std::string root = folder_.path() + "/new";
    if (::syscall(SYS_mount, (folder_.path() + "/outside").c_str(), (root + "/volume").c_str(),
                  nullptr, 4096 /* MS_BIND */, nullptr) != 0) {
      return false;
    }
    return ::chroot(root.c_str()) == 0 && ::chdir("/") == 0 && read_at("/inside/file") &&
           read_at("/volume/file2");
  });
  EXPECT_EQ(of_file(EventKind::kOpen, "/inside/file").size(), 1u) << shown(of_process(child_));
  EXPECT_EQ(of_file(EventKind::kOpen, "/volume/file2").size(), 1u) << shown(of_process(child_));
}

TEST_F(SensorTest, LongPathsAreMarked) {
  ASSERT_NO_FATAL_FAILURE(open());
  std::string ok, longer;
  for (int depth = 0; depth < 30; depth++) ok += "folder/";
  for (int depth = 0; depth < 60; depth++) longer += "folder/";
  const std::string whole = folder_.file(ok + "file"), cut = folder_.file(longer + "file");
  const std::string wide = folder_.file(std::string(255, 'w') + "/" + std::string(255, 'x') + "/" +
                                        std::string(255, 'y'));
  act([&] { return read_at(whole) && read_at(cut) && read_at(wide); });
  ASSERT_EQ(of_file(EventKind::kOpen, whole).size(), 1u);
  EXPECT_FALSE(of_file(EventKind::kOpen, whole)[0].is_truncated);
  ASSERT_EQ(of_file(EventKind::kOpen, wide).size(), 1u);
  const std::vector<Event> truncated = matching(
      [&](const Event& event) { return event.process.pid == child_ && event.is_truncated; });
  ASSERT_EQ(truncated.size(), 1u);
  EXPECT_THAT(truncated[0].path, testing::EndsWith("folder/folder/file"));
  EXPECT_EQ(truncated[0].file.inode, StatOf(cut).inode);
}

TEST_F(SensorTest, SocketsOfBothFamilies) {
  ASSERT_NO_FATAL_FAILURE(open());
  struct Family {
    int number;
    const char* address;
  };
  for (const Family family : {Family{AF_INET, "127.0.0.1"}, Family{AF_INET6, "::1"}}) {
    seen_.clear();
    act([&] {
      sockaddr_storage address{};
      socklen_t bytes = 0;
      if (family.number == AF_INET) {
        auto* plain = reinterpret_cast<sockaddr_in*>(&address);
        plain->sin_family = AF_INET;
        plain->sin_port = htons(4321);
        ::inet_pton(AF_INET, family.address, &plain->sin_addr);
        bytes = sizeof *plain;
      } else {
        auto* plain = reinterpret_cast<sockaddr_in6*>(&address);
        plain->sin6_family = AF_INET6;
        plain->sin6_port = htons(4321);
        ::inet_pton(AF_INET6, family.address, &plain->sin6_addr);
        bytes = sizeof *plain;
      }
      auto* where = reinterpret_cast<sockaddr*>(&address);
      if (!own_network()) return false;
      const Fd server(::socket(family.number, SOCK_STREAM, 0));
      if (::bind(server.get(), where, bytes) != 0 || ::listen(server.get(), 8) != 0) return false;
      for (int time = 0; time < 3; time++) {
        const Fd client(::socket(family.number, SOCK_STREAM, 0));
        if (::connect(client.get(), where, bytes) != 0) return false;
        const Fd accepted(time == 0 ? ::accept(server.get(), nullptr, nullptr)
                                    : ::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
        char byte = 'x';
        if (!accepted.is_open() || ::write(client.get(), &byte, 1) != 1 ||
            ::read(accepted.get(), &byte, 1) != 1) {
          return false;
        }
      }
      return true;
    });
    const auto one = [&](EventKind kind) {
      const std::vector<Event> events = matching(
          [&](const Event& event) { return event.kind == kind && event.process.pid == child_; });
      EXPECT_EQ(events.size(), 1u) << to_string(kind) << "\n" << shown(of_process(child_));
      return events.empty() ? Event{} : events[0];
    };
    const Event listened = one(EventKind::kListen), accepted = one(EventKind::kAccept),
                connected = one(EventKind::kConnect);
    EXPECT_EQ(listened.address, family.address);
    EXPECT_EQ(listened.port, 4321);
    EXPECT_EQ(accepted.peer, family.address);
    EXPECT_EQ(accepted.port, 4321);
    EXPECT_EQ(connected.peer, family.address);
    EXPECT_EQ(connected.port, 4321);
    EXPECT_NE(listened.network_namespace, 0u);
    EXPECT_EQ(listened.network_namespace, accepted.network_namespace);
    EXPECT_NE(listened.network_namespace, StatOf("/proc/self/ns/net").inode);
  }
}

TEST_F(SensorTest, UdpListensWhenBoundToAPort) {
  ASSERT_NO_FATAL_FAILURE(open());
  act([&] {
    const Fd server(::socket(AF_INET, SOCK_DGRAM, 0)), client(::socket(AF_INET, SOCK_DGRAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (!own_network() || ::bind(client.get(), where, sizeof address) != 0) return false;
    address.sin_port = htons(53);
    return ::bind(server.get(), where, sizeof address) == 0;
  });
  const std::vector<Event> events = matching([&](const Event& event) {
    return event.kind == EventKind::kListen && event.process.pid == child_;
  });
  ASSERT_EQ(events.size(), 1u) << shown(of_process(child_));
  EXPECT_EQ(events[0].address, "0.0.0.0");
  EXPECT_EQ(events[0].port, 53);
}

TEST_F(SensorTest, DropsAreCounted) {
  SourceOptions options;
  options.ring_bytes = 16384;
  ASSERT_NO_FATAL_FAILURE(open(options));
  constexpr size_t kFiles = 300;
  for (size_t index = 0; index < kFiles; index++) folder_.file(std::to_string(index));
  act([&] {
    for (size_t index = 0; index < kFiles; index++) {
      if (!read_at(folder_.path() + "/" + std::to_string(index))) return false;
    }
    return true;
  });
  const size_t came = matching([&](const Event& event) {
                        return event.process.pid == child_ && event.kind == EventKind::kOpen;
                      }).size();
  uint64_t lost = 0;
  for (const Loss& loss : losses_) {
    EXPECT_EQ(loss.reason, "ring buffer full");
    lost += loss.count;
  }
  EXPECT_LT(came, kFiles);
  EXPECT_GE(came + lost, kFiles) << "nothing is lost without being counted";
  // What was lost was not remembered as reported: it comes when it is used again.
  seen_.clear();
  collect();
}

TEST_F(SensorTest, IgnoredProcessesAndTheirChildren) {
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const std::string path = folder_.file("ignored");
  Child child([&] {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1 || !own_mounts() || !read_at(path)) return false;
    return Child([&] { return read_at(path) && run(own_program(), {"test", "--exit"}); }).wait();
  });
  SourceOptions options;
  options.ignored_pids = {child.pid()};
  ASSERT_NO_FATAL_FAILURE(open(options));
  const uint32_t pid = child.pid();
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  ASSERT_TRUE(child.wait());
  collect();
  EXPECT_TRUE(of_process(pid).empty()) << shown(of_process(pid));
  EXPECT_TRUE(of_file(EventKind::kOpen, path).empty());
  EXPECT_TRUE(
      matching([&](const Event& event) { return event.process.parent_pid == pid; }).empty());
}

TEST_F(SensorTest, CgroupsAreTold) {
  std::string mounted;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, place, type;
    words >> device >> place >> type;
    if (type == "cgroup2") mounted = place;
  }
  if (mounted.empty()) GTEST_SKIP() << "no cgroup2 hierarchy is mounted";
  const std::string group = mounted + "/vigil-kernel-test-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(group.c_str(), 0755), 0) << group;
  ASSERT_NO_FATAL_FAILURE(open());
  const std::string path = folder_.file("grouped");
  Child child([&] {
    std::ofstream(group + "/cgroup.procs") << ::getpid() << std::flush;
    return read_at(path);
  });
  const bool did = child.wait();
  const uint64_t id = StatOf(group).inode;
  collect();
  ::rmdir(group.c_str());
  ASSERT_TRUE(did);
  ASSERT_EQ(of_file(EventKind::kOpen, path).size(), 1u);
  EXPECT_EQ(of_file(EventKind::kOpen, path)[0].process.cgroup_id, id);
}

TEST_F(SensorTest, SnapshotTellsWhatRan) {
  const std::string mapped = folder_.file("top/code"), held = folder_.file("top/held");
  for (const char* name : {"upper", "work", "merged"}) {
    ::mkdir((folder_.path() + "/" + name).c_str(), 0755);
  }
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  Child child([&] {
    const std::string base = folder_.path();
    if (!own_mounts() || !own_network() ||
        !mount_overlay(base + "/top", base + "/upper", base + "/work", base + "/merged") ||
        ::chroot((base + "/merged").c_str()) != 0 || ::chdir("/") != 0 || !map_code("/code")) {
      return false;
    }
    const Fd file(::open("/held", O_RDONLY));
    const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(4322);
    // One whose port the kernel chose is a client's.
    const Fd client(::socket(AF_INET, SOCK_DGRAM, 0)), server(::socket(AF_INET, SOCK_DGRAM, 0));
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket.get(), where, sizeof address) != 0 || ::listen(socket.get(), 1) != 0) {
      return false;
    }
    address.sin_port = htons(4323);
    if (::bind(server.get(), where, sizeof address) != 0) return false;
    address.sin_port = 0;
    if (::bind(client.get(), where, sizeof address) != 0 || ::write(ready[1], "x", 1) != 1) {
      return false;
    }
    ::pause();
    return true;
  });
  ::close(ready[1]);  // So that a child that fails is no wait for ever.
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_NO_FATAL_FAILURE(open());
  const bool has_layers = !is_blind("without its layers");
  for (const bool is_whole : {true, false}) {
    seen_ = (is_whole ? source_->snapshot() : source_->snapshot_of(child.pid())).value().events;
    if (!is_whole) {
      EXPECT_EQ(of_process(child.pid()).size(), seen_.size());
    }
    seen_ = of_process(child.pid());
    for (const Event& event : seen_) EXPECT_TRUE(event.is_snapshot);
    const std::vector<Event> execs = of_file(EventKind::kExec, own_program()),
                             maps = of_file(EventKind::kMap, "/code"),
                             opens = of_file(EventKind::kOpen, "/held");
    const std::vector<Event> listens =
        matching([](const Event& event) { return event.kind == EventKind::kListen; });
    ASSERT_EQ(maps.size(), 1u) << shown(seen_);
    ASSERT_EQ(opens.size(), 1u) << shown(seen_);
    // /proc does not tell who chose the port.
    ASSERT_EQ(listens.size(), has_layers ? 2u : 3u) << shown(seen_);
    for (const Event& listen : listens) {
      EXPECT_EQ(listen.address, "0.0.0.0");
      if (has_layers) {
        EXPECT_TRUE(listen.port == 4322 || listen.port == 4323) << listen.port;
      }
    }
    if (has_layers) {
      EXPECT_EQ(maps[0].file.layer, 1);
      EXPECT_EQ(maps[0].file.real_inode, StatOf(mapped).inode);
      EXPECT_EQ(opens[0].file.real_inode, StatOf(held).inode);
    }
    EXPECT_EQ(matching([](const Event& event) { return event.kind == EventKind::kExec; }).size(),
              1u)
        << shown(seen_);
  }
}

// What one hook refuses does not take the programs' place from all.
TEST_F(SensorTest, AHookThatAnotherHasIsNotNeeded) {
  const Fd cgroup = sensor::open_root_cgroup();
  ASSERT_TRUE(cgroup.is_open());
  const bpf_insn allow[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  bpf_prog_load_opts wanted{};
  wanted.sz = sizeof wanted;
  wanted.expected_attach_type = BPF_CGROUP_INET4_BIND;
  const Fd other(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "other", "GPL", allow, 2, &wanted));
  ASSERT_TRUE(other.is_open()) << std::strerror(errno);
  // Without BPF_F_ALLOW_MULTI: for itself alone. The kernel takes off what was attached when it has
  // time.
  shared_.reset();
  int attached = -1;
  for (int tries = 0; attached != 0 && tries < 500; ++tries) {
    attached = bpf_prog_attach(other.get(), cgroup.get(), BPF_CGROUP_INET4_BIND, 0);
    if (attached != 0) ::poll(nullptr, 0, 20);
  }
  ASSERT_EQ(attached, 0) << std::strerror(errno);
  {
    SourceOptions options;
    if (const char* back_end = std::getenv("VIGIL_BACK_END")) options.back_end = back_end;
    const auto programs = sensor::KernelPrograms::load(options);
    EXPECT_TRUE(programs) << programs.error().text();
    if (programs) {
      EXPECT_TRUE(programs->description().contains("sockets by system calls"))
          << programs->description();
    }
  }
  EXPECT_EQ(bpf_prog_detach2(other.get(), cgroup.get(), BPF_CGROUP_INET4_BIND), 0);
}

// Programs that grow by more than a tenth are to be looked at. Counts depend on the kernel: each
// has a line "RELEASE PROGRAM COUNT" in the file, and kernels that are not in it are not compared.
TEST_F(SensorTest, VerifierCounts) {
  SourceOptions options;
  if (const char* back_end = std::getenv("VIGIL_BACK_END")) options.back_end = back_end;
  const auto programs = sensor::KernelPrograms::load(options);
  ASSERT_TRUE(programs) << programs.error().text();
  utsname system{};
  ::uname(&system);
  const std::string release =
      std::string(system.release).substr(0, std::string(system.release).find('.', 2));
  std::map<std::string, uint32_t> expected;
  const char* counts_file = std::getenv("VIGIL_VERIFIER_COUNTS");
  std::ifstream file(counts_file != nullptr ? counts_file
                                            : VIGIL_SOURCE_DIR "/tests/kernel/verifier_counts.txt");
  ASSERT_TRUE(file);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kernel, program;
    uint32_t count = 0;
    if (words >> kernel >> program >> count && kernel == release) expected[program] = count;
  }
  for (const auto& [program, count] : programs->verified_instructions()) {
    std::printf("verifier: %s %s %u\n", release.c_str(), program.c_str(), count);
    const auto known = expected.find(program);
    if (expected.empty() || count == 0) continue;
    if (known == expected.end()) {
      ADD_FAILURE() << program << " is not in tests/kernel/verifier_counts.txt";
    } else {
      EXPECT_LE(count, known->second + known->second / 10) << program << " grew";
    }
  }
}

}  // namespace
}  // namespace vigil::kernel_test

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--exit") return 0;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
