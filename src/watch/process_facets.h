// Which processes have sockets, and so which facets the code has that they run. Bounded by
// limits::kProcessesMax; past it those that began first go. One thread.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "model/exposure.h"

namespace vigil::watch {

class ProcessFacets {
 public:
  // Keeps what events of kind fork, exec and exit say. A child has its parent's sockets; a program
  // newly started has none until it is seen with one.
  void note(const Event& event);
  // Adds what the process is through a socket; returns what of it was new.
  uint8_t add(const ProcessFacts& process, uint8_t facets);
  uint8_t of(const ProcessFacts& process) const;

 private:
  struct Process {
    UnixNanoseconds started_at = 0;
    uint8_t facets = 0;
  };
  std::unordered_map<uint32_t, Process> processes_;
};

}  // namespace vigil::watch
