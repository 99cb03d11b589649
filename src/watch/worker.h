// A job in a process of its own, so that the agent never waits: forked from the agent, which has
// one thread, and killed when the agent dies.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::watch {

class Worker {
 public:
  // Runs `job` in the child; what it returns comes out of finish(), an Error's text as an Error.
  // Requires: this process has one thread.
  static Result<Worker> start(FunctionRef<Result<std::string>()> job);
  Worker(Worker&&) = default;
  Worker& operator=(Worker&&) = default;
  ~Worker();  // Kills it where it still runs.

  int poll_fd() const { return pidfd_.get(); }  // Readable once the job is done.
  bool is_done() const;
  // Waits for the end.
  Result<std::string> finish();

 private:
  Worker(Fd pidfd, Fd answer) : pidfd_(std::move(pidfd)), answer_(std::move(answer)) {}

  Fd pidfd_;
  Fd answer_;
};

}  // namespace vigil::watch
