#include "sensor/process_table.h"

#include <utility>

#include "base/limits.h"
#include "sensor/proc_reader.h"

namespace vigil::sensor {

void ProcessTable::complete(Event& event) {
  ProcessFacts& process = event.process;
  if (event.kind == EventKind::kExec) {
    process.executable = event.path;
    if (processes_.size() >= limits::kProcessesMax) processes_.clear();
    processes_[process.pid] = {process.started_at, event.path};
    return;
  }
  auto known = processes_.find(process.pid);
  if (known != processes_.end() && known->second.started_at != process.started_at) {
    processes_.erase(known);
    known = processes_.end();
  }
  if (known == processes_.end()) {
    // A new child runs what its parent does.
    const auto parent = processes_.find(process.parent_pid);
    std::string executable = event.kind == EventKind::kFork && parent != processes_.end()
                                 ? parent->second.executable
                                 : executable_of(process.pid);
    if (processes_.size() >= limits::kProcessesMax) processes_.clear();
    known =
        processes_.insert_or_assign(process.pid, Known{process.started_at, std::move(executable)})
            .first;
  }
  process.executable = known->second.executable;
  if (event.kind == EventKind::kExit) processes_.erase(known);
}

}  // namespace vigil::sensor
