// A second thread that runs jobs one after the other, in the order they came: how hashing overlaps
// with inflating. The queue is bounded; post() waits while it is full. One thread posts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace vigil {

class SideThread {
 public:
  SideThread();
  ~SideThread();  // Runs what is still queued.
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  // Returns the job's ticket: 1, 2, 3, … What the job touches must live until wait(ticket) returns.
  uint64_t post(std::function<void()> job);
  void wait(uint64_t ticket);  // Until that job and all before it have run. Ticket 0 never waits.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil
