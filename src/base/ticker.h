// Calls a function again and again on a thread of its own, until it is destroyed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace vigil {

class Ticker {
 public:
  Ticker(std::chrono::milliseconds interval, std::function<void()> tick);
  ~Ticker();  // No call is under way any more.
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil
