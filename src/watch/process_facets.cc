#include "watch/process_facets.h"

#include <algorithm>

#include "base/limits.h"

namespace vigil::watch {

void ProcessFacets::note(const Event& event) {
  const ProcessFacts& process = event.process;
  if (event.kind == EventKind::kExit) {
    processes_.erase(process.pid);
    return;
  }
  // Only processes with a socket matter here.
  if (event.kind == EventKind::kExec) processes_.erase(process.pid);
  if (event.kind != EventKind::kFork) return;
  const auto parent = processes_.find(process.parent_pid);
  if (parent == processes_.end()) {
    processes_.erase(process.pid);
    return;
  }
  processes_[process.pid] = {process.started_at, parent->second.facets};
}

uint8_t ProcessFacets::add(const ProcessFacts& process, uint8_t facets) {
  if (processes_.size() >= limits::kProcessesMax && !processes_.contains(process.pid)) {
    processes_.erase(std::ranges::min_element(
        processes_, {}, [](const auto& entry) { return entry.second.started_at; }));
  }
  Process& known = processes_[process.pid];
  // The number may have gone to another process meanwhile.
  if (known.started_at != 0 && process.started_at != 0 && known.started_at != process.started_at) {
    known.facets = 0;
  }
  known.started_at = process.started_at;
  const uint8_t added = facets & static_cast<uint8_t>(~known.facets);
  known.facets |= facets;
  return added;
}

uint8_t ProcessFacets::of(const ProcessFacts& process) const {
  const auto known = processes_.find(process.pid);
  if (known == processes_.end()) return 0;
  // The number may have gone to another process, whose predecessor's end was not seen.
  const UnixNanoseconds started_at = known->second.started_at;
  const bool is_another =
      started_at != 0 && process.started_at != 0 && started_at != process.started_at;
  return is_another ? 0 : known->second.facets;
}

}  // namespace vigil::watch
