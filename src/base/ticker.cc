#include "base/ticker.h"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace vigil {

struct Ticker::State {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread thread;  // Last: it is stopped and joined first.
};

Ticker::Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
    : state_(std::make_unique<State>()) {
  State* const state = state_.get();
  state->thread = std::jthread([state, interval, tick = std::move(tick)](std::stop_token stop) {
    std::unique_lock lock(state->mutex);
    while (!state->wake.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) {
      tick();
    }
  });
}

Ticker::~Ticker() = default;

}  // namespace vigil
