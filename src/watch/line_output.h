// Lines for whoever reads the agent's standard output: never waited for. What nobody takes is kept
// up to limits::kOutputBytesMax; past it lines are dropped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigil::watch {

class LineOutput {
 public:
  explicit LineOutput(int fd) : fd_(fd) {}  // -1: nobody wants them.

  void write(std::string_view line);  // Without its line end.
  void flush();                       // Writes what can be written without waiting.
  uint64_t dropped_count() const { return dropped_count_; }

 private:
  int fd_;
  std::string pending_;
  uint64_t dropped_count_ = 0;
};

}  // namespace vigil::watch
