#include "base/confine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace vigil {
namespace {

constexpr ConfineOptions kOptions = {
    .address_space_bytes_max = 4ull << 30, .cpu_seconds_max = 20, .output_bytes_max = 1 << 20};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

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
  if (kIsSanitized) GTEST_SKIP() << "the sanitizer's shadow memory leaves no such bound";
  const int error = errno_inside([] {
    return ::mmap(nullptr, 8ull << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0) == MAP_FAILED
               ? -1
               : 0;
  });
  EXPECT_EQ(error, ENOMEM);
}

TEST(ConfineTest, NoFileCanBeOpenedByName) {
  EXPECT_NE(errno_inside([] { return ::open("/etc/passwd", O_RDONLY); }), 0);
  EXPECT_NE(errno_inside([] { return ::open("/proc/self/status", O_RDONLY); }), 0);
  EXPECT_NE(errno_inside([] { return ::open("/tmp", O_TMPFILE | O_RDWR, 0600); }), 0);
  EXPECT_NE(errno_inside([] { return ::mkdir("/tmp/vigil-confine-test", 0700); }), 0);
  EXPECT_NE(errno_inside([] { return ::unlink("/tmp/vigil-confine-test"); }), 0);
}

TEST(ConfineTest, NoNetwork) {
  EXPECT_EQ(errno_inside([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }), EPERM);
}

TEST(ConfineTest, NoOtherProcess) {
  const pid_t parent = ::getpid();
  EXPECT_EQ(errno_inside([&] { return ::kill(parent, 0); }), EPERM);
  EXPECT_EQ(errno_inside([] { return ::fork(); }), EPERM);
  EXPECT_EQ(errno_inside([] {
              char name[] = "/bin/true";
              char* const arguments[] = {name, nullptr};
              return ::execve(name, arguments, nullptr);
            }),
            EPERM);
}

TEST(ConfineTest, NoExecutableMemory) {
  EXPECT_EQ(errno_inside([] {
              return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                         ? -1
                         : 0;
            }),
            EPERM);
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
