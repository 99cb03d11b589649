// Whose a process is: from its cgroup, its mount namespace and its root to a Workload, without a
// call to any runtime. What runtimes keep on disk is joined when the workload is first seen, and
// again later where it was late. Everything read is hostile. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "model/workload.h"
#include "sensor/proc_folder.h"
#include "sensor/runtime_state.h"

namespace vigil::sensor {

constexpr std::string_view kHostId = "host";

// Where things are on this host. `root` is put before the paths of runtimes.
struct HostFolders {
  std::string root;  // "" or "/proc/N/root": the host's, seen from the agent's own container.
  std::string proc = "/proc";
  std::string cgroup2;  // Mount point; "" where there is none.
  uint64_t root_cgroup_id = 0;
  uint32_t mount_namespace = 0;
  uint64_t root_device = 0;  // Of the root folder.
  uint64_t root_inode = 0;
};
HostFolders find_host_folders();

class ContainerIndex {
 public:
  explicit ContainerIndex(HostFolders host);
  ~ContainerIndex();

  const HostFolders& host() const { return host_; }

  // The workload that the process belongs to, made at its first sight. A runtime's own processes in
  // a container's cgroup, before they become the container's, are the host's. Valid until it is
  // forgotten.
  const Workload& find(const ProcessFacts& process);
  const Workload* known(std::string_view id) const;  // Null where there is none.
  // Whether a process that was taken for the host's could have been any container's: it had mounts
  // of its own and no cgroup, and has ended.
  bool could_be_anybodys(const ProcessFacts& process) const;

  // What changed: workloads that ended, names that came late. Call it each second or so.
  std::vector<const Workload*> refresh(UnixNanoseconds now);
  // Removes an ended workload.
  void forget(std::string_view id);
  std::vector<const Workload*> all() const;

  // The root that its processes see, as a descriptor for openat2; kNotFound where none runs.
  Result<Fd> open_root(const Workload& workload) const;
  // Every process of a workload that is known.
  std::vector<std::pair<uint32_t, const Workload*>> running_processes() const;

 private:
  struct Key {
    uint64_t cgroup = 0;
    uint32_t mount = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.cgroup * 0x9e3779b97f4a7c15 + key.mount; }
  };
  struct Place {
    Runtime runtime = Runtime::kHost;
    std::string id;
    std::string cgroup_path;
    bool is_passing = false;  // Not for long: a container's first process before its root.
  };
  struct Entry {
    Workload workload;
    RuntimeFacts facts;
    uint64_t attempts_count = 0;  // To learn a name.
  };

  bool has_begun_again(const Workload& workload, const ProcessFacts& process) const;
  bool has_own_mounts(const ProcessFacts& process) const {
    return process.mount_namespace != 0 && process.mount_namespace != host_.mount_namespace;
  }
  bool has_no_cgroup(const ProcessFacts& process) const {
    return process.cgroup_id <= 1 || process.cgroup_id == host_.root_cgroup_id;
  }
  Place locate(const ProcessFacts& process) const;
  Place locate_foreign(const ProcessFacts& process, std::string path) const;
  enum class Root : uint8_t { kHost, kOwn, kGone };
  Root root_of(uint32_t pid) const;
  Place settled(Place place, const ProcessFacts& process) const;
  bool find_owner(std::string_view path, Place& place) const;
  std::string cgroup_path_of(uint64_t cgroup_id) const;
  void describe(Entry& entry, const Place& place, const ProcessFacts& process) const;
  RuntimeFacts runtime_facts(const Workload& workload) const;
  void join_facts(Entry& entry) const;
  void learn_folders(Entry& entry, uint32_t pid) const;
  std::vector<std::string> stored_folders(const RuntimeFacts& facts) const;
  bool is_running(const Workload& workload) const;
  std::string on_host(std::string_view path) const { return host_.root + std::string(path); }

  HostFolders host_;
  ProcFolder proc_;
  Fd cgroup2_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
  std::unordered_map<Key, Entry*, KeyHash> keys_;
};

}  // namespace vigil::sensor
