// Which program each process runs: kept from forks, execs and exits, looked up in /proc where a
// process is older than the sensor. Bounded by limits::kProcessesMax. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "model/event.h"

namespace vigil::sensor {

class ProcessTable {
 public:
  // Fills in event.process.executable. Requires: events come in the order they happened.
  void complete(Event& event);

 private:
  struct Known {
    UnixNanoseconds started_at = 0;
    std::string executable;
  };
  std::unordered_map<uint32_t, Known> processes_;
};

}  // namespace vigil::sensor
