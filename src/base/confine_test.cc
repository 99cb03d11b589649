#include "base/confine.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/sanitizer.h"

namespace vigil {
namespace {

constexpr ConfineOptions kOptions = {
    .memory_bytes_max = 256ull << 20, .cpu_seconds_max = 20, .output_bytes_max = 1 << 20};

// What the child's attempt gave: 0 where it worked, else errno.
template <typename Attempt>
int errno_inside(Attempt attempt) {
  const Result<ConfinedOutcome> outcome = run_confined(
      kOptions,
      [&](Fd&, Fd& output) {
        errno = 0;
        const int result = attempt() < 0 ? errno : 0;
        return write_all(output, std::to_string(result)) ? 0 : 1;
      },
      [](Fd&) {});
  if (!outcome) {
    ADD_FAILURE() << outcome.error().text();
    return -1;
  }
  char buffer[16] = {};
  EXPECT_GT(::pread(outcome->output.get(), buffer, sizeof(buffer) - 1, 0), 0);
  return std::atoi(buffer);
}

TEST(ConfineTest, ChildThatFailsIsAnError) {
  const auto outcome = run_confined(kOptions, [](Fd&, Fd&) { return 7; }, [](Fd&) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "the parsing child ended with code 7");
}

TEST(ConfineTest, ChildThatIsKilledIsAnError) {
  const auto outcome = run_confined(
      kOptions,
      [](Fd&, Fd&) {
        ::signal(SIGABRT, SIG_DFL);
        std::abort();
        return 0;
      },
      [](Fd&) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
}

TEST(ConfineTest, AnswerPastTheBoundIsAnError) {
  const auto outcome = run_confined(
      kOptions,
      [](Fd&, Fd& output) { return write_all(output, std::string(2 << 20, 'x')) ? 0 : 1; },
      [](Fd&) {});
  EXPECT_FALSE(outcome);
}

TEST(ConfineTest, MemoryPastTheBoundIsRefused) {
  const int error = errno_inside([] {
    return ::mmap(nullptr, 8ull << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0) == MAP_FAILED
               ? -1
               : 0;
  });
  // Shadow memory leaves no such bound.
  EXPECT_EQ(error, kIsSanitized ? 0 : ENOMEM);
}

TEST(ConfineTest, ChildWithoutMemoryIsAnError) {
  const auto outcome = run_confined(
      kOptions,
      [](Fd&, Fd&) {
        std::vector<std::string> kept;
        for (;;) kept.emplace_back(kIsSanitized ? 1ull << 46 : 1ull << 20, 'x');
        return 0;
      },
      [](Fd&) {});
  ASSERT_FALSE(outcome);
  // A sanitizer ends the child with a report and a code of its own.
  EXPECT_THAT(outcome.error().message,
              testing::StartsWith(kIsSanitized ? "the parsing child ended with code "
                                               : "the parsing child ran out of memory"));
}

// Calls made by number, so that no C library stands between; each would work for a process that is
// not confined, or fail otherwise than by EPERM.
struct Attempt {
  const char* name;
  long (*call)();
  bool is_left_to_sanitizers = false;
};

constexpr Attempt kForbidden[] = {
    // Files by name.
    {"open to read", [] { return ::syscall(SYS_open, "/etc/passwd", O_RDONLY); }, true},
    {"open of /proc", [] { return ::syscall(SYS_open, "/proc/self/status", O_RDONLY); }, true},
    {"openat", [] { return ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }, true},
    {"openat2",
     [] {
       const open_how how = {};
       return ::syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
     }},
    {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0); }},
    {"creat", [] { return ::syscall(SYS_creat, "/tmp/vigil-confine-test", 0600); }},
    {"O_TMPFILE", [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600); },
     true},
    {"memfd_create", [] { return ::syscall(SYS_memfd_create, "file", 0); }},
    {"mkdir", [] { return ::syscall(SYS_mkdir, "/tmp/vigil-confine-test", 0700); }},
    {"mknod", [] { return ::syscall(SYS_mknod, "/tmp/vigil-confine-test", S_IFIFO | 0600, 0); }},
    {"symlink", [] { return ::syscall(SYS_symlink, "/", "/tmp/vigil-confine-test"); }},
    {"link", [] { return ::syscall(SYS_link, "/etc/passwd", "/tmp/vigil-confine-test"); }},
    {"unlink", [] { return ::syscall(SYS_unlink, "/tmp/vigil-confine-test"); }},
    {"rename", [] { return ::syscall(SYS_rename, "/tmp/vigil-confine-test", "/tmp/x"); }},
    {"truncate", [] { return ::syscall(SYS_truncate, "/tmp/vigil-confine-test", 0); }},
    {"chmod", [] { return ::syscall(SYS_chmod, "/tmp", 0777); }},
    {"chdir", [] { return ::syscall(SYS_chdir, "/tmp"); }},
    {"chroot", [] { return ::syscall(SYS_chroot, "/tmp"); }},
    {"mount", [] { return ::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr); }},
    {"getdents64", [] { return ::syscall(SYS_getdents64, 3, nullptr, 0); }},
    {"readlink", [] { return ::syscall(SYS_readlink, "/proc/self/exe", nullptr, 0); }, true},
    {"inotify_init1", [] { return ::syscall(SYS_inotify_init1, 0); }},
    // The network.
    {"socket inet", [] { return ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"socket inet6", [] { return ::syscall(SYS_socket, AF_INET6, SOCK_DGRAM, 0); }},
    {"socket unix", [] { return ::syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
    {"socket netlink", [] { return ::syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }},
    {"socketpair", [] { return ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); }},
    {"connect", [] { return ::syscall(SYS_connect, 3, nullptr, 0); }},
    {"bind", [] { return ::syscall(SYS_bind, 3, nullptr, 0); }},
    {"listen", [] { return ::syscall(SYS_listen, 3, 1); }},
    {"accept", [] { return ::syscall(SYS_accept, 3, nullptr, nullptr); }},
    {"sendto", [] { return ::syscall(SYS_sendto, 3, "x", 1, 0, nullptr, 0); }},
    // Other processes, and becoming one.
    {"fork", [] { return ::syscall(SYS_fork); }},
    {"vfork", [] { return static_cast<long>(::vfork()); }},
    {"clone of a process", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr); }},
    {"execve", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
    {"execveat", [] { return ::syscall(SYS_execveat, 4, "", nullptr, nullptr, AT_EMPTY_PATH); }},
    {"kill of the parent", [] { return ::syscall(SYS_kill, ::getppid(), 0); }},
    {"kill of all", [] { return ::syscall(SYS_kill, -1, 0); }},
    {"tgkill of init", [] { return ::syscall(SYS_tgkill, 1, 1, 0); }},
    {"tkill of init", [] { return ::syscall(SYS_tkill, 1, 0); }},
    {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, ::getppid(), 0); }},
    {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_ATTACH, ::getppid(), nullptr, nullptr); },
     true},
    {"process_vm_readv",
     [] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); }},
    {"prlimit of one's own",
     [] {
       const rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
       return ::syscall(SYS_prlimit64, 0, RLIMIT_CPU, &none, nullptr);
     }},
    {"setitimer", [] { return ::syscall(SYS_setitimer, ITIMER_REAL, nullptr, nullptr); }},
    // The kernel.
    {"setuid", [] { return ::syscall(SYS_setuid, 0); }},
    {"unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
    {"ioctl", [] { return ::syscall(SYS_ioctl, 2, TIOCSTI, "x"); }},
    {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
    {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
    {"perf_event_open", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
    {"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0); }},
    {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
    {"prctl", [] { return ::syscall(SYS_prctl, PR_SET_PDEATHSIG, 0); }, true},
    {"shmget", [] { return ::syscall(SYS_shmget, IPC_PRIVATE, 4096, 0600); }},
    // Memory that holds code.
    {"mmap to execute",
     [] {
       return ::syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
     }},
    {"mprotect to execute",
     [] {
       void* page =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return ::syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
     }},
    {"personality", [] { return ::syscall(SYS_personality, READ_IMPLIES_EXEC); }},
    {"modify_ldt", [] { return ::syscall(SYS_modify_ldt, 0, nullptr, 0); }},
};

TEST(ConfineTest, NothingButComputingIsAllowed) {
  const auto outcome = run_confined(
      kOptions,
      [](Fd&, Fd& output) {
        for (const Attempt& attempt : kForbidden) {
          if (kIsSanitized && attempt.is_left_to_sanitizers) continue;
          errno = 0;
          const long result = attempt.call();
          if (result == -1 && errno == EPERM) continue;
          const std::string line = std::string(attempt.name) + ": " +
                                   (result == -1 ? ::strerror(errno) : "worked") + "\n";
          if (!write_all(output, line)) return 1;
        }
        return 0;
      },
      [](Fd&) {});
  ASSERT_TRUE(outcome) << outcome.error().text();
  const Result<MappedFile> seen = MappedFile::from_fd(outcome->output);
  ASSERT_TRUE(seen);
  EXPECT_EQ(as_text(seen->bytes()), "");
}

TEST(ConfineTest, NoFileCanBeOpenedByNameEvenWithASanitizer) {
  EXPECT_NE(errno_inside([] { return ::open("/etc/passwd", O_RDONLY); }), 0);
  EXPECT_NE(errno_inside([] { return ::open("/tmp", O_TMPFILE | O_RDWR, 0600); }), 0);
}

TEST(ConfineTest, ChildThatComputesForEverIsEnded) {
  ConfineOptions options = kOptions;
  options.cpu_seconds_max = 1;
  const auto outcome = run_confined(
      options,
      [](Fd&, Fd&) {
        for (volatile int spin = 0;;) static_cast<void>(spin);
        return 0;
      },
      [](Fd&) {});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "the parsing child used up its processor time");
}

TEST(ConfineTest, ChildThatSleepsOrStopsForEverIsEnded) {
  ConfineOptions options = kOptions;
  options.wall_seconds_max = 1;
  const auto sleeps = [](Fd&, Fd&) {
    for (;;) ::pause();
    return 0;
  };
  const auto stops = [](Fd&, Fd&) {
    ::raise(SIGSTOP);
    return 0;
  };
  for (const auto& work : {FunctionRef<int(Fd&, Fd&)>(sleeps), FunctionRef<int(Fd&, Fd&)>(stops)}) {
    const auto outcome =
        run_confined(options, work, [](Fd& socket) { EXPECT_FALSE(receive_message(socket)); });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message, "the parsing child took too long");
  }
}

TEST(ConfineTest, ChildDiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  // The grandchild becomes ours when its parent dies, so that its end is seen.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    const auto ignored = run_confined(
        kOptions,
        [](Fd& socket, Fd&) {
          if (!send_message(socket, std::to_string(::getpid()))) return 1;
          for (;;) ::pause();
          return 0;
        },
        [&](Fd& socket) {
          const Result<SocketMessage> pid = receive_message(socket);
          if (!pid || !write_all(write_end, pid->bytes)) ::_exit(1);
          ::kill(::getpid(), SIGKILL);
        });
    ::_exit(ignored ? 0 : 1);
  }
  write_end.close();
  const Result<std::string> pid = read_all(read_end, 100);
  ASSERT_TRUE(pid);
  int status = 0;
  EXPECT_EQ(::waitpid(middle, &status, 0), middle);
  EXPECT_EQ(::waitpid(std::atoi(pid->c_str()), &status, 0), std::atoi(pid->c_str()));
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

TEST(ConfineTest, DescriptorsThatNobodyAskedForAreClosed) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Fd here(ends[0]);
  const Fd there(ends[1]);
  const int two[2] = {0, 0};
  char byte = 'x';
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(two))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(two));
  std::memcpy(CMSG_DATA(header), two, sizeof(two));
  ASSERT_EQ(::sendmsg(there.get(), &message, 0), 1);
  const Fd before(::dup(0));
  ASSERT_TRUE(receive_message(here));
  const Fd after(::dup(0));
  EXPECT_EQ(after.get(), before.get() + 1);
}

TEST(ConfineTest, OnlyTheDescriptorsGiven) {
  const Fd passwd(::open("/etc/passwd", O_RDONLY));
  const Fd open_in_parent(::fcntl(passwd.get(), F_DUPFD_CLOEXEC, 10));
  const int number = open_in_parent.get();
  ASSERT_GE(number, 10);
  char byte = 0;
  EXPECT_EQ(errno_inside([&] { return static_cast<int>(::read(number, &byte, 1)); }), EBADF);
}

TEST(ConfineTest, ThreadsWorkAndMessagesCarryDescriptors) {
  const auto outcome = run_confined(
      kOptions,
      [](Fd& socket, Fd& output) {
        if (!send_message(socket, "give me a file")) return 1;
        Result<SocketMessage> answer = receive_message(socket);
        if (!answer || !answer->fd.is_open()) return 2;
        std::string content;
        std::jthread([&] { content = read_all(answer->fd, 100).value_or("nothing"); }).join();
        return write_all(output, content) ? 0 : 3;
      },
      [](Fd& socket) {
        for (;;) {
          const Result<SocketMessage> request = receive_message(socket);
          if (!request) return;
          EXPECT_EQ(request->bytes, "give me a file");
          const Result<Fd> file = memory_file("the file");
          EXPECT_TRUE(send_message(socket, "here", &*file));
        }
      });
  ASSERT_TRUE(outcome) << outcome.error().text();
  char buffer[16] = {};
  EXPECT_EQ(::pread(outcome->output.get(), buffer, sizeof(buffer), 0), 8);
  EXPECT_STREQ(buffer, "the file");
}

TEST(ConfineTest, SaysWhichProtectionsAreOn) {
  const auto outcome = run_confined(kOptions, [](Fd&, Fd&) { return 0; }, [](Fd&) {});
  ASSERT_TRUE(outcome) << outcome.error().text();
  const auto is_on = [&](const char* name) {
    return std::ranges::find(outcome->protections, name) != outcome->protections.end();
  };
  EXPECT_TRUE(is_on("no-new-privileges"));
  EXPECT_TRUE(is_on("limits"));
  EXPECT_TRUE(is_on("seccomp"));
  EXPECT_EQ(is_on("user"), ::geteuid() == 0);
}

}  // namespace
}  // namespace vigil
