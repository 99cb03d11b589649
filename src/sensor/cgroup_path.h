// Whose a cgroup is, told by its path. Runtimes put the container's id there: podman, Docker,
// containerd, CRI-O and runc, through cgroupfs or systemd, on cgroup v1, hybrid and v2.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/workload.h"

namespace vigil::sensor {

struct CgroupOwner {
  // kUnknown: 64 hexadecimal digits that any runtime may have written.
  Runtime runtime = Runtime::kUnknown;
  std::string id;
  bool operator==(const CgroupOwner&) const = default;
};

// The innermost container that the path names; nothing for the host's own cgroups, and for those of
// a runtime's helpers (conmon), which are the host's.
std::optional<CgroupOwner> owner_of_cgroup(std::string_view path);

// One line of /proc/PID/cgroup.
struct CgroupLine {
  std::string controllers;  // "" in the cgroup2 hierarchy; "memory", "cpu,cpuacct", "name=systemd".
  std::string path;         // From the root of the hierarchy, with the leading slash.
  bool operator==(const CgroupLine&) const = default;
};
// Lines that are none are left out; at most limits::kCgroupLinesMax.
std::vector<CgroupLine> parse_cgroup_file(std::string_view text);

// The paths, each once, those that tell most first: with an owner before others, cgroup2's before
// memory's before the rest.
std::vector<std::string> ranked_cgroup_paths(const std::vector<CgroupLine>& lines);

}  // namespace vigil::sensor
