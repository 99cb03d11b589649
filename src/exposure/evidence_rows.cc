#include "exposure/evidence_rows.h"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include "exposure/file_use.h"

namespace vigil::exposure {

namespace {

// How much a use says: the tier, then whether it may be more, and whether the process can be
// reached.
int weight(const Evidence& evidence) {
  return static_cast<int>(tier_of(evidence)) * 16 + (is_jar_of_java(evidence) ? 8 : 0) +
         (evidence.facets & (Facet::kListening | Facet::kExposed | Facet::kAccepted));
}

// Another file under the same name and number: of an overlay, what was changed in place.
bool is_replaced(const FileId& known, const FileId& more) {
  return known.real_inode != 0 && more.real_inode != 0 &&
         (known.real_inode != more.real_inode || known.real_device != more.real_device ||
          known.layer != more.layer);
}

}  // namespace

WorkloadRow take_workload(Query& query) {
  WorkloadRow row;
  Workload& workload = row.record.workload;
  std::string lower_folders;
  query.take(workload.id).take(workload.runtime).take(workload.name).take(workload.image);
  query.take(workload.image_digest).take(workload.cgroup_path).take(workload.cgroup_id);
  query.take(workload.mount_namespace).take(workload.init_pid).take(workload.started_at);
  query.take(workload.ended_at).take(lower_folders).take(workload.upper_folder);
  query.take(row.key).take(row.record.attach).take(row.record.watched_from);
  query.take(row.record.rechecked_at).take(row.record.inventory).take(row.record.inventory_note);
  workload.lower_folders = unpacked(lower_folders);
  return row;
}

Evidence take_evidence(Query& query) {
  Evidence evidence;
  FileId& file = evidence.file;
  ProcessFacts& process = evidence.process;
  query.take(evidence.tier).take(evidence.facets).take(evidence.path).take(evidence.digest);
  query.take(file.device).take(file.inode).take(file.real_device).take(file.real_inode);
  query.take(file.layer).take(evidence.is_deleted).take(process.pid).take(process.parent_pid);
  query.take(process.started_at).take(process.uid).take(process.capabilities).take(process.name);
  query.take(process.executable).take(process.cgroup_id).take(process.mount_namespace);
  query.take(evidence.command_line).take(evidence.first_seen).take(evidence.last_seen);
  query.take(evidence.count);
  return evidence;
}

Evidence merged(Evidence known, const Evidence& more) {
  if (weight(more) > weight(known)) {
    known.tier = more.tier;
    known.process = more.process;
    known.command_line = more.command_line;
  }
  known.facets |= more.facets;
  // Who only reads it does not say what is in it.
  const bool is_other = is_replaced(known.file, more.file) &&
                        tier_of(more) >= std::min(tier_of(known), Tier::kLoaded);
  if (is_other || !more.digest.empty()) known.digest = more.digest;
  if (is_other || known.file.real_inode == 0) known.file = more.file;
  known.is_deleted = known.is_deleted || more.is_deleted;
  known.first_seen = std::min(known.first_seen, more.first_seen);
  known.last_seen = std::max(known.last_seen, more.last_seen);
  known.count += more.count;
  return known;
}

Workload merged(Workload known, const Workload& more) {
  const auto keep = [](auto& value, const auto& newer) {
    if (newer != std::remove_cvref_t<decltype(newer)>{}) value = newer;
  };
  keep(known.runtime, more.runtime);
  keep(known.name, more.name);
  keep(known.image, more.image);
  keep(known.image_digest, more.image_digest);
  keep(known.cgroup_path, more.cgroup_path);
  keep(known.cgroup_id, more.cgroup_id);
  keep(known.mount_namespace, more.mount_namespace);
  keep(known.started_at, more.started_at);
  keep(known.ended_at, more.ended_at);
  keep(known.lower_folders, more.lower_folders);
  keep(known.upper_folder, more.upper_folder);
  known.init_pid = more.init_pid;
  return known;
}

bool is_new_life(const Workload& known, const Workload& more) {
  if (known.started_at == 0 || more.started_at == 0) return false;
  return known.ended_at != 0
             ? more.started_at > known.ended_at
             : more.started_at != known.started_at && more.cgroup_id != known.cgroup_id;
}

}  // namespace vigil::exposure
