// The rows of the evidence store as what they stand for, and how what is new joins what is known.
#pragma once

#include <cstdint>
#include <string_view>

#include "exposure/evidence_store.h"
#include "exposure/sqlite.h"

namespace vigil::exposure {

struct WorkloadRow {
  int64_t key = 0;
  WorkloadRecord record;
};

inline constexpr std::string_view kSelectWorkload =
    "SELECT id, runtime, name, image, image_digest, cgroup_path, cgroup_id, mount_namespace, "
    "init_pid, started_at, ended_at, lower_folders, upper_folder, key, attach, watched_from, "
    "rechecked_at, inventory, inventory_note FROM workload";

// Its row.
WorkloadRow take_workload(Query& query);

inline constexpr std::string_view kSelectEvidence =
    "SELECT tier, facets, path, digest, device, inode, real_device, real_inode, layer, is_deleted, "
    "pid, parent_pid, started_at, uid, capabilities, name, executable, cgroup_id, "
    "mount_namespace, command_line, first_seen, last_seen, count FROM file JOIN process ON "
    "process.workload = file.workload AND process.key = file.process WHERE file.workload = ?";

// Its row.
Evidence take_evidence(Query& query);

// The stronger use of one file with its process; first_seen, counts and facets of both.
Evidence merged(Evidence known, const Evidence& more);

// What is known stays where the new value is not.
Workload merged(Workload known, const Workload& more);

// An id that is used again, for another container.
bool is_new_life(const Workload& known, const Workload& more);

}  // namespace vigil::exposure
