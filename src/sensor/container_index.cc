#include "sensor/container_index.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/limits.h"
#include "sensor/cgroup_path.h"
#include "sensor/containerd_store.h"
#include "sensor/mountinfo.h"

namespace vigil::sensor {

namespace {

constexpr uint64_t kNameAttemptsMax = 10;  // A runtime writes its notes within seconds.
// Folders with one folder for each container, named by its id, and the file in it.
struct StateFolder {
  std::string_view folder;
  std::string_view file;
  Runtime runtime;
  bool has_namespaces = false;  // One level more: containerd's namespaces.
};
constexpr StateFolder kStateFolders[] = {
    {"/run/runc", "state.json", Runtime::kRunc},
    {"/run/crun", "status", Runtime::kRunc},
    {"/run/containerd/runc", "state.json", Runtime::kContainerd, true},
    {"/run/docker/runtime-runc", "state.json", Runtime::kDocker, true},
};

// "" where it can't be read.
std::string file_text(const std::string& path, uint64_t bytes_max) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open()) return "";
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  Result<std::string> text = read_all(fd, bytes_max);
  return text ? *std::move(text) : std::string();
}

// The folder with every link resolved, below the host's root.
std::string real_folder(const std::string& root, const std::string& path) {
  const Fd top(::open((root + "/").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Result<Fd> fd = open_below(top, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
  return fd ? root + link_text("/proc/self/fd/" + std::to_string(fd->get())) : "";
}

// The names in a runtime's own folder. Of more than so many containers the rest keeps its id for a
// name; nothing of it is lost.
std::vector<std::string> folder_names(const std::string& path) {
  std::vector<std::string> names;
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return names;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    if (names.size() == limits::kRuntimeFolderEntriesMax) break;
    names.emplace_back(entry->d_name);
  }
  ::closedir(folder);
  return names;
}

bool has_entries(const std::string& path) {
  std::error_code error;
  return !std::filesystem::is_empty(path, error) && !error;
}

std::string_view last_part(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

// Of 64 hexadecimal digits, which nobody chose; runc and `ctr` take any name.
bool is_drawn_id(std::string_view id) {
  return id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The state of a container with this id in any of the folders; of the first that has it.
std::optional<std::pair<Runtime, std::string>> find_state(const std::string& root,
                                                          std::string_view id) {
  if (!is_plain_name(id)) return std::nullopt;
  for (const StateFolder& state : kStateFolders) {
    std::vector<std::string> folders = {root + std::string(state.folder)};
    if (state.has_namespaces) {
      std::vector<std::string> names = folder_names(folders[0]);
      std::ranges::sort(names);
      for (std::string& name : names) name = folders[0] + "/" + name;
      folders = std::move(names);
    }
    for (const std::string& folder : folders) {
      std::string path = folder + "/" + std::string(id) + "/" + std::string(state.file);
      if (path_exists(path)) return std::pair(state.runtime, std::move(path));
    }
  }
  return std::nullopt;
}

// The folder of a storage, from the path of one of its layers.
std::string storage_folder(const std::vector<std::string>& lower, std::string_view middle) {
  for (const std::string& folder : lower) {
    const size_t at = folder.find(middle);
    if (at != std::string::npos) return folder.substr(0, at);
  }
  return "";
}

}  // namespace

HostFolders find_host_folders() {
  HostFolders host;
  const ProcFolder proc;
  host.mount_namespace = namespace_number(link_text("/proc/self/ns/mnt"));
  // Where the agent is in a container itself, process 1 stands for the host. It can't be looked at
  // everywhere, even by root: then process 2 does, the parent of the kernel's threads. Where the
  // machine began with a root of its own, that is all it sees, and it is empty.
  struct stat status = {};
  for (const uint32_t pid : {1u, 2u}) {
    const uint32_t found = proc.namespace_of(pid, "mnt");
    const std::string root = proc.path(pid, "root");
    if (found == host.mount_namespace) break;
    if (found == 0 || !path_exists(root + "/etc")) continue;
    host.mount_namespace = found;
    host.root = root;
    break;
  }
  each_mount(file_text("/proc/self/mountinfo", limits::kMountinfoBytesMax),
             [&](const Mount& mount) {
               if (mount.type == "cgroup2" && host.cgroup2.empty()) {
                 host.cgroup2 = mount.mount_point;
               }
             });
  if (!host.cgroup2.empty() && ::stat(host.cgroup2.c_str(), &status) == 0) {
    host.root_cgroup_id = status.st_ino;
  }
  if (::stat((host.root + "/").c_str(), &status) == 0) {
    host.root_device = status.st_dev;
    host.root_inode = status.st_ino;
  }
  return host;
}

ContainerIndex::ContainerIndex(HostFolders host) : host_(std::move(host)), proc_(host_.proc) {
  if (!host_.cgroup2.empty()) {
    cgroup2_ = Fd(::open(host_.cgroup2.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  auto entry = std::make_unique<Entry>();
  entry->workload.id = kHostId;
  entry->workload.name = kHostId;
  entry->workload.runtime = Runtime::kHost;
  entry->workload.cgroup_path = "/";
  entry->workload.cgroup_id = host_.root_cgroup_id;
  entry->workload.mount_namespace = host_.mount_namespace;
  entry->workload.init_pid = 1;
  entry->workload.started_at = proc_.started_at(1);
  entries_.emplace(std::string(kHostId), std::move(entry));
}

ContainerIndex::~ContainerIndex() = default;

const Workload* ContainerIndex::known(std::string_view id) const {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second->workload;
}

std::vector<const Workload*> ContainerIndex::all() const {
  std::vector<const Workload*> workloads;
  for (const auto& [id, entry] : entries_) workloads.push_back(&entry->workload);
  return workloads;
}

const Workload& ContainerIndex::find(const ProcessFacts& process) {
  const Key key = {process.cgroup_id, process.mount_namespace};
  const auto at = keys_.find(key);
  if (at != keys_.end() && !has_begun_again(at->second->workload, process)) {
    return at->second->workload;
  }
  const Place place = locate(process);
  // In a moment it is the container's: nothing of this is to be remembered.
  if (place.is_passing) return *known(kHostId);
  std::unique_ptr<Entry>& entry = entries_[place.id];
  if (entry == nullptr) entry = std::make_unique<Entry>();
  const bool is_new = entry->workload.id.empty() || has_begun_again(entry->workload, process);
  if (is_new) describe(*entry, place, process);
  if (keys_.size() >= limits::kContainerKeysMax) keys_.clear();
  keys_.insert_or_assign(key, entry.get());
  return entry->workload;
}

// Whether the process belongs to another start of the same container. An ended one's last events
// come late; one that was started again at once was never seen to end, but its first process is
// gone.
bool ContainerIndex::has_begun_again(const Workload& workload, const ProcessFacts& process) const {
  if (workload.runtime == Runtime::kHost) return false;
  if (workload.ended_at != 0) return process.started_at > workload.ended_at;
  // Version 1 alone has one id for all.
  if (!has_no_cgroup(process) && process.cgroup_id == workload.cgroup_id) return false;
  if (process.started_at <= workload.started_at) return false;
  // Numbers of mount namespaces and processes are used again; a start is counted in hundredths.
  constexpr UnixNanoseconds kSlack = 50'000'000;
  const UnixNanoseconds began = proc_.started_at(workload.init_pid);
  return began < workload.started_at - kSlack || began > workload.started_at + kSlack;
}

// The kernel makes a descriptor of a cgroup from its id (a file handle of kernfs, Linux 5.5).
std::string ContainerIndex::cgroup_path_of(uint64_t cgroup_id) const {
  if (!cgroup2_.is_open() || cgroup_id == 0) return "";
  constexpr int kKernfsHandle = 0xfe;
  alignas(file_handle) char buffer[sizeof(file_handle) + sizeof(cgroup_id)] = {};
  auto* handle = reinterpret_cast<file_handle*>(buffer);
  handle->handle_bytes = sizeof(cgroup_id);
  handle->handle_type = kKernfsHandle;
  std::memcpy(handle->f_handle, &cgroup_id, sizeof(cgroup_id));
  const Fd fd(::open_by_handle_at(cgroup2_.get(), handle, O_PATH | O_CLOEXEC));
  if (!fd.is_open()) return "";
  const std::string path = link_text("/proc/self/fd/" + std::to_string(fd.get()));
  if (!path.starts_with(host_.cgroup2)) return "";
  const std::string inside = path.substr(host_.cgroup2.size());
  return inside.empty() ? "/" : inside;
}

// Whether a container's id is in the path, or a runtime knows one of its parts as a container.
bool ContainerIndex::find_owner(std::string_view path, Place& place) const {
  if (std::optional<CgroupOwner> owner = owner_of_cgroup(path)) {
    place.runtime = owner->runtime;
    place.id = std::move(owner->id);
    if (place.runtime == Runtime::kUnknown) {
      const auto state = find_state(host_.root, place.id);
      if (state) place.runtime = state->first;
    }
    return true;
  }
  // Bare runc: "/ID", "/…/runc-ID.scope", and for containerd "/NAMESPACE/ID".
  std::string_view part = last_part(path);
  if (part.ends_with(".scope")) part.remove_suffix(6);
  for (const std::string_view prefix : {"", "runc-", "crun-"}) {
    if (!part.starts_with(prefix)) continue;
    const std::string_view id = part.substr(prefix.size());
    const auto state = find_state(host_.root, id);
    if (!state) continue;
    place.runtime = state->first;
    place.id = id;
    return true;
  }
  return false;
}

ContainerIndex::Place ContainerIndex::locate(const ProcessFacts& process) const {
  Place place;
  place.id = kHostId;
  // A runtime's process that has put itself into the container's cgroup is still the host's.
  if (process.mount_namespace == host_.mount_namespace) return place;
  place.cgroup_path = cgroup_path_of(process.cgroup_id);
  if (!place.cgroup_path.empty() && find_owner(place.cgroup_path, place)) {
    return settled(std::move(place), process);
  }
  if (!has_own_mounts(process)) return place;
  return locate_foreign(process, place.cgroup_path);
}

bool ContainerIndex::could_be_anybodys(const ProcessFacts& process) const {
  return has_own_mounts(process) && has_no_cgroup(process) &&
         proc_.namespace_of(process.pid, "mnt") != process.mount_namespace;
}

ContainerIndex::Root ContainerIndex::root_of(uint32_t pid) const {
  struct stat status = {};
  if (::stat(proc_.path(pid, "root/").c_str(), &status) != 0) return Root::kGone;
  const bool is_host = status.st_dev == host_.root_device && status.st_ino == host_.root_inode;
  return is_host ? Root::kHost : Root::kOwn;
}

// A runtime's process between its namespaces and its change of root is still the host's.
ContainerIndex::Place ContainerIndex::settled(Place place, const ProcessFacts& process) const {
  const bool is_before_its_root =
      proc_.namespace_of(process.pid, "mnt") == process.mount_namespace &&
      root_of(process.pid) == Root::kHost;
  if (!is_before_its_root) return place;
  return {
      .runtime = Runtime::kHost, .id = std::string(kHostId), .cgroup_path = "", .is_passing = true};
}

// A process with a mount namespace of its own whose cgroup2 path says nothing: cgroup v1 tells, or
// its root does.
ContainerIndex::Place ContainerIndex::locate_foreign(const ProcessFacts& process,
                                                     std::string path) const {
  Place place;
  place.id = kHostId;
  place.cgroup_path = path;
  const bool is_there = proc_.namespace_of(process.pid, "mnt") == process.mount_namespace;
  if (is_there) {
    // A runtime that knows version 1 only leaves no trace in cgroup2's path.
    for (const std::string& own :
         ranked_cgroup_paths(parse_cgroup_file(proc_.text(process.pid, "cgroup")))) {
      if (!find_owner(own, place)) continue;
      place.cgroup_path = own;
      return settled(std::move(place), process);
    }
    // A service with mounts of its own (systemd's PrivateTmp) has the host's root all the same.
    if (root_of(process.pid) != Root::kOwn) return place;
    place.runtime = Runtime::kUnknown;
    place.id = "mount:" + std::to_string(process.mount_namespace);
    return place;
  }
  // It is gone. A mount namespace is one container's for as long as that runs.
  for (const auto& [id, entry] : entries_) {
    const Workload& workload = entry->workload;
    if (workload.runtime == Runtime::kHost || workload.ended_at != 0 ||
        workload.mount_namespace != process.mount_namespace) {
      continue;
    }
    return {.runtime = workload.runtime, .id = id, .cgroup_path = workload.cgroup_path};
  }
  // Its cgroup is gone too, or was one that could be anybody's.
  if (!path.empty() || process.cgroup_id <= 1) return place;
  place.runtime = Runtime::kUnknown;
  place.id = "cgroup:" + std::to_string(process.cgroup_id);
  return place;
}

void ContainerIndex::describe(Entry& entry, const Place& place, const ProcessFacts& process) const {
  entry = Entry();
  Workload& workload = entry.workload;
  workload.id = place.id;
  workload.runtime = place.runtime;
  workload.cgroup_path = place.cgroup_path;
  workload.cgroup_id = process.cgroup_id;
  workload.mount_namespace = process.mount_namespace;
  join_facts(entry);
  if (workload.init_pid == 0) workload.init_pid = process.pid;
  const UnixNanoseconds began = proc_.started_at(workload.init_pid);
  workload.started_at = began != 0 ? began : process.started_at;
  learn_folders(entry, process.pid);
  if (workload.lower_folders.empty() && workload.init_pid != process.pid) {
    learn_folders(entry, workload.init_pid);
  }
  join_facts(entry);  // The storage's folder is known now.
}

// Lower and upper folders as the process's own root mount says; for one that is gone, as the
// storage does; where the root is a plain folder, that folder.
void ContainerIndex::learn_folders(Entry& entry, uint32_t pid) const {
  Workload& workload = entry.workload;
  if (proc_.namespace_of(pid, "mnt") == workload.mount_namespace) {
    const std::optional<Mount> root =
        root_mount(file_text(proc_.path(pid, "mountinfo"), limits::kMountinfoBytesMax));
    if (root && root->type == "overlay") {
      const OverlayFolders folders = overlay_folders(root->options);
      workload.upper_folder = folders.upper.empty() ? "" : on_host(folders.upper);
      workload.lower_folders.clear();
      for (const std::string& folder : folders.lower) {
        const std::string real = real_folder(host_.root, folder);
        if (!real.empty()) workload.lower_folders.push_back(real);
      }
      return;
    }
  }
  if (workload.lower_folders.empty()) workload.lower_folders = stored_folders(entry.facts);
  if (!workload.lower_folders.empty() || entry.facts.root_folder.empty()) return;
  const std::string real = real_folder(host_.root, entry.facts.root_folder);
  struct stat status = {};
  const bool is_host = ::stat(real.c_str(), &status) != 0 ||
                       (status.st_dev == host_.root_device && status.st_ino == host_.root_inode);
  // An overlay's mount point is an empty folder once the overlay is gone.
  if (!is_host && has_entries(real)) workload.lower_folders = {real};
}

// Of an overlay that is gone: containers-storage keeps its lower folders, as links, in a file.
std::vector<std::string> ContainerIndex::stored_folders(const RuntimeFacts& facts) const {
  std::vector<std::string> folders;
  if (!is_plain_name(facts.storage_layer)) return folders;
  const std::string storage = "/var/lib/containers/storage/overlay/";
  const std::string text =
      file_text(on_host(storage + facts.storage_layer + "/lower"), limits::kProcFileBytesMax);
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const std::string real = real_folder(host_.root, storage + std::string(rest.substr(0, end)));
    if (!real.empty()) folders.push_back(real);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return folders;
}

// What the runtimes keep, from the most to the least telling.
RuntimeFacts ContainerIndex::runtime_facts(const Workload& workload) const {
  RuntimeFacts facts;
  const std::string& id = workload.id;
  if (!is_plain_name(id)) return facts;
  std::vector<std::string> layers = workload.lower_folders;
  layers.push_back(workload.upper_folder);
  const auto add = [&](const Result<RuntimeFacts>& more) {
    if (more) add_missing(facts, *more);
  };
  std::string storage = storage_folder(layers, "/overlay/");
  if (storage.empty()) storage = on_host("/var/lib/containers/storage");
  for (const std::string_view name : {"containers.json", "volatile-containers.json"}) {
    const std::string text = file_text(storage + "/overlay-containers/" + std::string(name),
                                       limits::kRuntimeFileBytesMax);
    if (!text.empty()) add(parse_containers_storage(text, id));
  }
  std::string docker = storage_folder(layers, "/overlay2/");
  if (docker.empty()) docker = on_host("/var/lib/docker");
  const std::string config =
      file_text(docker + "/containers/" + id + "/config.v2.json", limits::kRuntimeFileBytesMax);
  if (!config.empty()) add(parse_docker_config(config));
  if (const auto state = find_state(host_.root, id)) {
    add(parse_runc_state(file_text(state->second, limits::kRuntimeFileBytesMax)));
  }
  for (const std::string& name :
       folder_names(on_host("/run/containerd/io.containerd.runtime.v2.task"))) {
    const std::string text = file_text(on_host("/run/containerd/io.containerd.runtime.v2.task/") +
                                           name + "/" + id + "/config.json",
                                       limits::kRuntimeFileBytesMax);
    if (!text.empty()) add(parse_oci_config(text));
  }
  std::string containerd = storage_folder(layers, "/io.containerd.snapshotter.");
  if (containerd.empty()) containerd = on_host("/var/lib/containerd");
  if (workload.runtime == Runtime::kContainerd) add(read_containerd_store(containerd, id));
  if (facts.image.empty() && facts.image_digest.starts_with("sha256:")) {
    const std::string text =
        file_text(storage + "/overlay-images/images.json", limits::kRuntimeFileBytesMax);
    const Result<std::string> name = parse_image_name(text, facts.image_digest.substr(7));
    if (name) facts.image = *name;
  }
  return facts;
}

void ContainerIndex::join_facts(Entry& entry) const {
  add_missing(entry.facts, runtime_facts(entry.workload));
  Workload& workload = entry.workload;
  workload.name = entry.facts.name;
  workload.image = entry.facts.image;
  workload.image_digest = entry.facts.image_digest;
  const bool has_chosen_id =
      workload.runtime == Runtime::kRunc ||
      (workload.runtime == Runtime::kContainerd && !is_drawn_id(workload.id));
  if (has_chosen_id && workload.name.empty()) workload.name = workload.id;
  if (entry.facts.init_pid != 0) workload.init_pid = entry.facts.init_pid;
}

bool ContainerIndex::is_running(const Workload& workload) const {
  if (workload.runtime == Runtime::kHost) return true;
  if (!host_.cgroup2.empty() && !workload.cgroup_path.empty() && workload.cgroup_path != "/" &&
      !workload.id.starts_with("mount:")) {
    const std::string text = file_text(host_.cgroup2 + workload.cgroup_path + "/cgroup.events",
                                       limits::kProcFileBytesMax);
    if (!text.empty()) return text.find("populated 1") != std::string::npos;
  }
  return workload.init_pid != 0 && workload.mount_namespace != 0 &&
         proc_.namespace_of(workload.init_pid, "mnt") == workload.mount_namespace;
}

std::vector<const Workload*> ContainerIndex::refresh(UnixNanoseconds now) {
  std::vector<const Workload*> changed;
  for (auto& [id, entry] : entries_) {
    Workload& workload = entry->workload;
    if (workload.runtime == Runtime::kHost || workload.ended_at != 0) continue;
    const Workload before = workload;
    const bool is_complete =
        !workload.name.empty() && !workload.image.empty() && !workload.lower_folders.empty();
    if (!is_complete && entry->attempts_count < kNameAttemptsMax) {
      ++entry->attempts_count;
      join_facts(*entry);
      if (workload.lower_folders.empty()) {
        learn_folders(*entry, workload.init_pid);
        join_facts(*entry);
      }
    }
    if (!is_running(workload)) {
      workload.ended_at = now;
      workload.init_pid = 0;
    }
    if (workload != before) changed.push_back(&workload);
  }
  // Numbers of mount namespaces are used again: what was a service's may be a container's now.
  std::erase_if(keys_, [&](const auto& key) {
    return key.second->workload.runtime == Runtime::kHost &&
           key.first.mount != host_.mount_namespace;
  });
  return changed;
}

void ContainerIndex::forget(std::string_view id) {
  const auto at = entries_.find(id);
  if (at == entries_.end() || id == kHostId) return;
  std::erase_if(keys_, [&](const auto& key) { return key.second == at->second.get(); });
  entries_.erase(at);
}

std::vector<std::pair<uint32_t, const Workload*>> ContainerIndex::running_processes() const {
  std::unordered_map<uint32_t, const Workload*> by_namespace;
  for (const auto& [id, entry] : entries_) {
    if (entry->workload.ended_at == 0) {
      by_namespace[entry->workload.mount_namespace] = &entry->workload;
    }
  }
  std::vector<std::pair<uint32_t, const Workload*>> found;
  for (const uint32_t pid : proc_.processes()) {
    const auto at = by_namespace.find(proc_.namespace_of(pid, "mnt"));
    if (at != by_namespace.end()) found.emplace_back(pid, at->second);
  }
  return found;
}

Result<Fd> ContainerIndex::open_root(const Workload& workload) const {
  if (workload.runtime == Runtime::kHost) {
    Fd fd(::open((host_.root + "/").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd.is_open()) return fail_errno("the root", errno);
    return fd;
  }
  std::vector<uint32_t> candidates = {workload.init_pid};
  for (int round = 0; round < 2; ++round) {
    for (const uint32_t pid : candidates) {
      if (pid == 0) continue;
      Fd fd(::open(proc_.path(pid, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      // Looked at after it was opened: the number may have gone to another process.
      if (fd.is_open() && proc_.namespace_of(pid, "mnt") == workload.mount_namespace) {
        return fd;
      }
    }
    if (round > 0) break;
    candidates.clear();
    for (const auto& [pid, owner] : running_processes()) {
      if (owner == &workload) candidates.push_back(pid);
    }
  }
  return fail(ErrorCode::kNotFound, "no process of it runs");
}

}  // namespace vigil::sensor
