// Named phase timers and counters: what --stats prints. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigil {

class PhaseLog {
 public:
  struct Entry {
    std::string name;
    double milliseconds = 0;
  };

  void add(std::string_view name, double milliseconds);
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

// Times its scope.
class Phase {
 public:
  Phase(PhaseLog& log, std::string_view name)
      : log_(log), name_(name), start_(std::chrono::steady_clock::now()) {}
  ~Phase() {
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - start_;
    log_.add(name_, spent.count());
  }
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

 private:
  PhaseLog& log_;
  std::string name_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace vigil
