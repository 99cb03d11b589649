// For tests: runs a function in a child process and lets one of its system calls fail, or lets the
// process die at it. Nothing in the program under test needs a seam for that.
#pragma once

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "base/function_ref.h"

namespace vigil::advisory {

enum class Fault { kFails, kDies };

struct TracedOptions {
  Fault fault = Fault::kFails;
  size_t call = 0;  // Counted from nought.
  int error = ENOSPC;
};

struct TracedRun {
  bool is_reached = false;  // There were so many calls.
  bool is_success = false;  // `work` returned true.
};

inline TracedRun run_traced(FunctionRef<bool()> work, const TracedOptions& options) {
  TracedRun run;
#if defined(__x86_64__)
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(2);
    ::raise(SIGSTOP);
    ::_exit(work() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFSTOPPED(status)) return run;
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  bool is_entry = true;
  bool is_refused = false;  // The call that is under way was taken away from the kernel.
  long signal = 0;
  for (size_t call = 0;;) {
    ::ptrace(PTRACE_SYSCALL, pid, nullptr, signal);
    signal = 0;
    if (::waitpid(pid, &status, 0) < 0 || WIFEXITED(status) || WIFSIGNALED(status)) break;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      signal = WSTOPSIG(status);
      continue;
    }
    user_regs_struct registers = {};
    ::ptrace(PTRACE_GETREGS, pid, nullptr, &registers);
    // To end is no fault that a program could live with.
    const bool is_end = registers.orig_rax == SYS_exit_group;
    if (is_entry && call++ == options.call && !is_end) {
      run.is_reached = true;
      if (options.fault == Fault::kDies) {
        ::kill(pid, SIGKILL);
      } else {
        registers.orig_rax = static_cast<unsigned long long>(-1);
        ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
        is_refused = true;
      }
    } else if (!is_entry && is_refused) {
      registers.rax = static_cast<unsigned long long>(-options.error);
      ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
      is_refused = false;
    }
    is_entry = !is_entry;
  }
  run.is_success = WIFEXITED(status) && WEXITSTATUS(status) == 0;
#else
  static_cast<void>(work);
  static_cast<void>(options);
#endif
  return run;
}

// Whether run_traced works here: it needs x86-64 and a system that allows tracing.
inline bool can_trace() {
  return run_traced([] { return true; }, {.call = 1 << 20}).is_success;
}

}  // namespace vigil::advisory
