#include "watch/worker.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/confine.h"
#include "base/limits.h"

namespace vigil::watch {

namespace {

[[noreturn]] void run_in_child(FunctionRef<Result<std::string>()> job, const Fd& answer,
                               pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const Result<std::string> result = job();
  // The first byte says which it is.
  const std::string text = result ? "=" + *result : "!" + result.error().text();
  ::_exit(write_all(answer, text) ? 0 : 1);
}

}  // namespace

Result<Worker> Worker::start(FunctionRef<Result<std::string>()> job) {
  Fd answer = TRY(memory_file(""));
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("cannot start a worker", errno);
  if (child == 0) run_in_child(job, answer, parent);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!pidfd.is_open()) {
    const int error = errno;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return fail_errno("cannot watch a worker", error);
  }
  return Worker(std::move(pidfd), std::move(answer));
}

Worker::~Worker() {
  if (!pidfd_.is_open()) return;
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  siginfo_t info = {};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
}

bool Worker::is_done() const {
  pollfd ended = {pidfd_.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) > 0;
}

Result<std::string> Worker::finish() {
  siginfo_t info = {};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) {
    if (errno != EINTR) return fail_errno("cannot wait for a worker", errno);
  }
  pidfd_.close();
  if (info.si_code != CLD_EXITED || info.si_status != 0) {
    return fail(ErrorCode::kUnavailable,
                info.si_code == CLD_EXITED ? "the worker ended early" : "the worker was killed");
  }
  if (::lseek(answer_.get(), 0, SEEK_SET) != 0) return fail_errno("cannot seek", errno);
  std::string text = TRY(read_all(answer_, limits::kWorkerAnswerBytesMax));
  if (text.starts_with('=')) return text.substr(1);
  return fail(ErrorCode::kUnavailable, text.empty() ? "the worker said nothing" : text.substr(1));
}

}  // namespace vigil::watch
