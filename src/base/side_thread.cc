#include "base/side_thread.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace vigil {

namespace {
constexpr size_t kQueuedJobsMax = 8;
}

struct SideThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  uint64_t posted = 0;
  uint64_t done = 0;
  bool is_stopping = false;
  std::jthread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return is_stopping || !jobs.empty(); });
      if (jobs.empty()) return;
      const std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job();
      lock.lock();
      ++done;
      changed.notify_all();
    }
  }
};

SideThread::SideThread() : state_(std::make_unique<State>()) {
  state_->thread = std::jthread([state = state_.get()] { state->run(); });
}

SideThread::~SideThread() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

uint64_t SideThread::post(std::function<void()> job) {
  uint64_t ticket = 0;
  {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->jobs.size() < kQueuedJobsMax; });
    state_->jobs.push_back(std::move(job));
    ticket = ++state_->posted;
  }
  state_->changed.notify_all();
  return ticket;
}

void SideThread::wait(uint64_t ticket) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->done >= ticket; });
}

}  // namespace vigil
