#include "watch/evidence.h"

#include "exposure/file_use.h"

namespace vigil::watch {

namespace {

Tier tier_of(EventKind kind) {
  if (kind == EventKind::kExec) return Tier::kExecuted;
  return kind == EventKind::kMap ? Tier::kLoaded : Tier::kOpened;
}

}  // namespace

bool is_runtime_start(const Event& event) {
  if (event.kind == EventKind::kExec) return false;
  std::string_view executable = event.process.executable;
  while (executable.starts_with('/')) executable.remove_prefix(1);
  for (const std::string_view copy : {"memfd:runc_cloned", "memfd:crun_cloned", "memfd:libcrun"}) {
    if (executable.starts_with(copy)) return true;
  }
  // The name alone would let anybody hide.
  const bool is_runc = executable.substr(executable.rfind('/') + 1) == "runc";
  return event.process.name.starts_with("runc:[") && (is_runc || executable.empty());
}

std::optional<Evidence> evidence_of(const Event& event) {
  const bool is_file = event.kind == EventKind::kExec || event.kind == EventKind::kMap ||
                       event.kind == EventKind::kOpen;
  if (!is_file || event.path.empty()) return std::nullopt;
  Evidence evidence = {.tier = tier_of(event.kind),
                       .facets = 0,
                       .path = event.path,
                       .digest = "",
                       .file = event.file,
                       .is_deleted = event.is_deleted,
                       .process = event.process,
                       .command_line = event.command_line,
                       .first_seen = event.at,
                       .last_seen = event.at,
                       .count = 1};
  // Who else reads it, before or after, takes nothing away.
  evidence.tier = exposure::tier_of(evidence);
  return evidence;
}

}  // namespace vigil::watch
