// What runs: a container, or the host itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"

namespace vigil {

enum class Runtime : uint8_t {
  kUnknown = 0,  // In a cgroup or mount namespace of its own that no known runtime made.
  kHost = 1,
  kPodman = 2,
  kDocker = 3,
  kContainerd = 4,
  kCrio = 5,
  kRunc = 6,
};
std::string_view to_string(Runtime runtime);  // "unknown", "host", "podman", "docker", …

struct Workload {
  // The runtime's container id (64 hex digits, or runc's name); "host"; where neither is known
  // "cgroup:INODE" or "mount:INODE". Unique on a node at any time.
  std::string id;
  Runtime runtime = Runtime::kUnknown;
  std::string name;          // As the user named it; "" until it is known.
  std::string image;         // Reference it was started from; "" until it is known.
  std::string image_digest;  // "sha256:…", of the image configuration where the runtime tells.
  std::string cgroup_path;   // In the cgroup2 hierarchy (v1: of the memory controller).
  uint64_t cgroup_id = 0;
  uint32_t mount_namespace = 0;
  uint32_t init_pid = 0;  // 0 when it has ended.
  UnixNanoseconds started_at = 0;
  UnixNanoseconds ended_at = 0;            // 0: it runs.
  std::vector<std::string> lower_folders;  // Of its overlay root, topmost first; absolute.
  std::string upper_folder;
  bool operator==(const Workload&) const = default;
};

}  // namespace vigil
