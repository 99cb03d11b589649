#include "base/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <new>
#include <thread>

#include "base/sanitizer.h"

namespace vigil {

namespace {

constexpr uid_t kNobody = 65534;
constexpr int kOutOfMemoryCode = 77;  // What the child ends with then.

bool limit(__rlimit_resource resource, uint64_t value) {
  const rlimit bound = {value, value};
  return ::setrlimit(resource, &bound) == 0;
}

bool apply_limits(const ConfineOptions& options) {
  bool is_on = limit(RLIMIT_CORE, 0);
  if (options.cpu_seconds_max > 0) {
    // At the soft limit comes SIGXCPU, which tells why; at the hard one SIGKILL.
    const rlimit bound = {options.cpu_seconds_max, options.cpu_seconds_max + 1};
    is_on &= ::setrlimit(RLIMIT_CPU, &bound) == 0;
  }
  if (options.output_bytes_max > 0) is_on &= limit(RLIMIT_FSIZE, options.output_bytes_max);
  if (options.memory_bytes_max > 0 && !kIsSanitized) {
    is_on &= limit(RLIMIT_DATA, options.memory_bytes_max);
  }
  return is_on;
}

bool become_nobody() {
  if (::geteuid() != 0) return false;
  return ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
         ::setresuid(kNobody, kNobody, kNobody) == 0;
}

// Every kind of access to files by name is handled by the rule set, and no rule allows any.
bool apply_landlock() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return false;
  landlock_ruleset_attr attributes = {};
  attributes.handled_access_fs = (uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1) - 1;
  if (abi >= 2) attributes.handled_access_fs |= uint64_t{1} << 13;  // LANDLOCK_ACCESS_FS_REFER
  if (abi >= 3) attributes.handled_access_fs |= uint64_t{1} << 14;  // LANDLOCK_ACCESS_FS_TRUNCATE
  const long fd =
      ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0);
  if (fd < 0) return false;
  const bool is_on = ::syscall(SYS_landlock_restrict_self, fd, 0) == 0;
  ::close(static_cast<int>(fd));
  return is_on;
}

bool allow(scmp_filter_ctx filter, std::initializer_list<int> calls) {
  for (const int call : calls) {
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
  }
  return true;
}

// A list of what may be called; everything else fails with EPERM. Nothing on it opens a file, makes
// a socket, starts a program or touches another process.
bool fill_filter(scmp_filter_ctx filter) {
  bool is_filled = allow(filter, {SCMP_SYS(read),
                                  SCMP_SYS(readv),
                                  SCMP_SYS(pread64),
                                  SCMP_SYS(preadv),
                                  SCMP_SYS(write),
                                  SCMP_SYS(writev),
                                  SCMP_SYS(pwrite64),
                                  SCMP_SYS(lseek),
                                  SCMP_SYS(close),
                                  SCMP_SYS(fstat),
                                  SCMP_SYS(newfstatat),
                                  SCMP_SYS(fadvise64),
                                  SCMP_SYS(readahead),
                                  SCMP_SYS(recvmsg),
                                  SCMP_SYS(sendmsg),
                                  SCMP_SYS(poll),
                                  SCMP_SYS(munmap),
                                  SCMP_SYS(mremap),
                                  SCMP_SYS(brk),
                                  SCMP_SYS(madvise),
                                  SCMP_SYS(futex),
                                  SCMP_SYS(rseq),
                                  SCMP_SYS(set_robust_list),
                                  SCMP_SYS(sched_getaffinity),
                                  SCMP_SYS(sched_yield),
                                  SCMP_SYS(exit),
                                  SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigaction),
                                  SCMP_SYS(rt_sigprocmask),
                                  SCMP_SYS(rt_sigreturn),
                                  SCMP_SYS(sigaltstack),
                                  SCMP_SYS(getpid),
                                  SCMP_SYS(gettid),
                                  SCMP_SYS(clock_gettime),
                                  SCMP_SYS(clock_nanosleep),
                                  SCMP_SYS(nanosleep),
                                  SCMP_SYS(getrandom),
                                  SCMP_SYS(sysinfo),
                                  SCMP_SYS(getrusage),
                                  SCMP_SYS(getppid),
                                  SCMP_SYS(restart_syscall)});
  const auto add = [&](int call, std::initializer_list<scmp_arg_cmp> conditions) {
    is_filled &=
        seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call,
                               static_cast<unsigned>(conditions.size()), conditions.begin()) == 0;
  };
  add(SCMP_SYS(mmap), {SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  add(SCMP_SYS(mprotect), {SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)});
  add(SCMP_SYS(clone), {SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)});
  add(SCMP_SYS(tgkill), {SCMP_CMP(0, SCMP_CMP_EQ, static_cast<uint64_t>(::getpid()), 0)});
  add(SCMP_SYS(prlimit64), {SCMP_CMP(2, SCMP_CMP_EQ, 0, 0)});
  add(SCMP_SYS(fcntl), {SCMP_CMP(1, SCMP_CMP_EQ, F_GETFL, 0)});
  add(SCMP_SYS(prctl), {SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_VMA, 0)});  // malloc names its arenas.
  // The C library falls back to clone, whose flags can be seen.
  is_filled &= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
  if (kIsSanitized) {
    // The runtime reads /proc/self/maps to print a report.
    is_filled &= allow(filter, {SCMP_SYS(openat), SCMP_SYS(readlink), SCMP_SYS(open)});
    is_filled &= allow(filter, {SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(prctl)});
    // And finds out through a pipe whether memory can be read.
    is_filled &= allow(filter, {SCMP_SYS(pipe), SCMP_SYS(pipe2)});
  }
  return is_filled;
}

bool apply_seccomp() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return false;
  const bool is_on = fill_filter(filter) && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return is_on;
}

constexpr const char* kProtections[] = {"user", "no-new-privileges", "limits", "landlock",
                                        "seccomp"};

// Bits in the order of kProtections.
uint8_t put_on_protections(const ConfineOptions& options) {
  uint8_t on = 0;
  if (become_nobody()) on |= 1;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // A change of user takes it back.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) on |= 2;
  if (apply_limits(options)) on |= 4;
  if (apply_landlock()) on |= 8;
  if (apply_seccomp()) on |= 16;
  return on;
}

// Leaves standard error, the socket as 3 and the output as 4; closes everything else.
void keep_only(int socket, int output) {
  const int high = ::fcntl(output, F_DUPFD, 64);
  ::dup2(socket, 63);
  ::dup2(high, 4);
  ::dup2(63, 3);
  ::close_range(5, ~0u, 0);
  ::close(0);
  ::close(1);
}

// Kills the child when its time is over. The child cannot prevent it: nothing of this is its own.
class Deadline {
 public:
  Status start(pid_t child, uint64_t seconds_max) {
    if (seconds_max == 0) return {};
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!pidfd_.is_open()) return fail_errno("cannot watch the parsing child", errno);
    thread_ = std::jthread([this, seconds_max] { watch(std::chrono::seconds(seconds_max)); });
    return {};
  }
  // Requires: the child has ended.
  bool was_missed() {
    if (thread_.joinable()) thread_.join();
    return is_missed_;
  }

 private:
  void watch(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      // Readable once the child has ended.
      pollfd ended = {pidfd_.get(), POLLIN, 0};
      if (::poll(&ended, 1, static_cast<int>(std::min<int64_t>(left.count(), INT32_MAX))) > 0) {
        return;
      }
    }
    is_missed_ = true;
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  }

  Fd pidfd_;
  std::atomic<bool> is_missed_ = false;
  std::jthread thread_;
};

std::string end_of_child(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    if (number == SIGXCPU) return "the parsing child used up its processor time";
    if (number == SIGXFSZ) return "the parsing child's answer is too large";
    return std::string("the parsing child was killed: ") + ::strsignal(number);
  }
  if (WEXITSTATUS(status) == kOutOfMemoryCode) return "the parsing child ran out of memory";
  return "the parsing child ended with code " + std::to_string(WEXITSTATUS(status));
}

Result<std::vector<std::string>> receive_protections(const Fd& socket) {
  const SocketMessage hello = TRY(receive_message(socket));
  if (hello.bytes.size() != 1) return fail(ErrorCode::kMalformed, "the parsing child is confused");
  std::vector<std::string> on;
  for (size_t i = 0; i < std::size(kProtections); ++i) {
    if ((hello.bytes[0] & (1 << i)) != 0) on.emplace_back(kProtections[i]);
  }
  return on;
}

}  // namespace

Result<ConfinedOutcome> run_confined(const ConfineOptions& options, FunctionRef<int(Fd&, Fd&)> work,
                                     FunctionRef<void(Fd&)> serve) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return fail_errno("cannot make a socket for the parsing child", errno);
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  Fd output = TRY(memory_file(""));
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start the parsing child", errno);
  if (child == 0) {
    keep_only(theirs.release(), output.release());
    Fd socket(3);
    Fd answer(4);
    const char on = static_cast<char>(put_on_protections(options));
    if (::getppid() != parent) ::_exit(1);  // It died before its death would have told us.
    if (!send_message(socket, std::string_view(&on, 1))) ::_exit(1);
    std::set_new_handler([] { ::_exit(kOutOfMemoryCode); });
    ::_exit(work(socket, answer));
  }
  theirs.close();
  Deadline deadline;
  const Status watched = deadline.start(child, options.wall_seconds_max);
  if (!watched) ::kill(child, SIGKILL);
  Result<std::vector<std::string>> protections = receive_protections(ours);
  if (protections) serve(ours);
  ours.close();
  int status = 0;
  rusage usage = {};
  while (::wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) return fail_errno("cannot wait for the parsing child", errno);
  }
  const bool is_overdue = deadline.was_missed();
  TRY(watched);
  if (is_overdue) return fail(ErrorCode::kCancelled, "the parsing child took too long");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::kCancelled, end_of_child(status));
  }
  return ConfinedOutcome{std::move(output), TRY(std::move(protections)),
                         static_cast<uint64_t>(usage.ru_maxrss) << 10};
}

Status send_message(const Fd& socket, std::string_view bytes, const Fd* fd) {
  if (bytes.empty() || bytes.size() > kMessageBytesMax) {
    return fail(ErrorCode::kTooLarge, "message of " + std::to_string(bytes.size()) + " bytes");
  }
  iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (fd != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = fd->get();
    std::memcpy(CMSG_DATA(header), &number, sizeof(number));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno("cannot send a message", errno);
  return {};
}

namespace {

// To sleep and be woken on another processor takes longer than most answers do, in a virtual
// machine ten times as long. So the other side gets a moment in which nobody sleeps: the 1,300
// questions about a small root filesystem take a third of the time. Where it doesn't answer in such
// moments, the processors have other things to do, and ever fewer of them are granted.
ssize_t receive_soon(const Fd& socket, msghdr& message) {
  constexpr std::chrono::microseconds kAwake(100);
  constexpr int kAsleepMax = 256;
  thread_local int asleep_count = 1;  // Messages to sleep for after the next moment in vain.
  thread_local int asleep_left = 0;
  if (asleep_left == 0) {
    const auto end = std::chrono::steady_clock::now() + kAwake;
    do {
      const ssize_t got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
      if (got >= 0) asleep_count = 1;
      if (got >= 0 || (errno != EINTR && errno != EAGAIN)) return got;
    } while (std::chrono::steady_clock::now() < end);
    asleep_left = asleep_count;
    asleep_count = std::min(asleep_count * 2, kAsleepMax);
  }
  --asleep_left;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

Result<SocketMessage> receive_message(const Fd& socket) {
  char buffer[kMessageBytesMax];  // Left as it is: to clear it would cost more than the message.
  iovec part = {buffer, sizeof(buffer)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got = receive_soon(socket, message);
  if (got < 0) return fail_errno("cannot receive a message", errno);
  SocketMessage received;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    // There is room for two because of padding; whatever came is ours to close.
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof(number), sizeof(number));
      received.fd = Fd(number);
    }
  }
  if (got == 0) return fail(ErrorCode::kNotFound, "the other side has closed");
  received.bytes.assign(buffer, static_cast<size_t>(got));
  return received;
}

Result<Fd> memory_file(std::string_view bytes) {
  Fd fd(::memfd_create("vigil", MFD_CLOEXEC));
  if (!fd.is_open()) return fail_errno("cannot make a file in memory", errno);
  TRY(write_all(fd, bytes));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return fail_errno("cannot seek", errno);
  return fd;
}

}  // namespace vigil
