#include "scan/live_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "image/layer_folders.h"
#include "scan/drift.h"
#include "scan/parsing_child.h"
#include "sensor/container_index.h"
#include "sensor/mountinfo.h"
#include "sensor/proc_folder.h"
#include "sensor/proc_reader.h"

namespace vigil::scan {

namespace {

// Which package it is, whatever its version.
using PackageName = std::tuple<PackageKind, std::string_view, std::string_view>;

PackageName name_of(const Package& package) {
  return {package.kind, package.name, package.arch};
}

// Memory that is mapped like a file and never had a name to lose.
bool is_nameless(std::string_view path) {
  return std::ranges::any_of(std::initializer_list<std::string_view>{"memfd:", "dev/zero", "SYSV",
                                                                     "[aio]", "anon_hugepage"},
                             [&](std::string_view start) { return path.starts_with(start); });
}

class Comparison {
 public:
  explicit Comparison(const LiveRootQuestion& question)
      : question_(question), reader_(sensor::boot_time()), index_(sensor::find_host_folders()) {}

  LiveRootAnswer take() {
    const std::vector<Event> events = reader_.events_of(question_.pid);
    if (events.empty()) {
      add_gap("", "its process has ended: what changed since its start cannot be told");
      return std::move(answer_);
    }
    const Workload& workload = index_.find(events.front().process);
    index_.refresh(sensor::unix_now());
    answer_.root.workload = workload;
    answer_.root.not_compared = why_not_compared(workload);
    if (answer_.root.not_compared.empty()) {
      read_mounts();
      read_image(workload);
      compare_packages();
      compare_files(workload);
    }
    find_deleted(workload);
    if (image_) answer_.image = image_->sbom();
    return std::move(answer_);
  }

 private:
  void add_gap(std::string path, std::string reason) {
    answer_.gaps.push_back({GapKind::kUnreadable, std::move(path), std::move(reason), ""});
  }

  static std::string why_not_compared(const Workload& workload) {
    if (workload.runtime == Runtime::kHost) return "it is the machine itself, which has no image";
    if (workload.lower_folders.size() > 1 || !workload.upper_folder.empty()) return "";
    return "its root is no overlay over an image's layers, so what changed since its start cannot "
           "be told";
  }

  std::string in_process(std::string_view name) const { return proc_.path(question_.pid, name); }

  void read_mounts() {
    const auto text = read_file(in_process("mountinfo"), limits::kMountinfoBytesMax);
    mounts_ = text.value_or("");
  }

  // Whether the kernel told all layers, and all are there.
  bool knows_all_layers(const Workload& workload) {
    const std::optional<sensor::Mount> mount = sensor::root_mount(mounts_);
    if (!mount || mount->type != "overlay") return true;  // As its storage tells.
    const size_t layers_count = sensor::overlay_folders(mount->options).lower.size();
    if (mount->options.starts_with("rw,") && workload.upper_folder.empty()) {
      add_gap("", "the kernel does not tell all folders of its root: they are more than a page");
      return false;
    }
    if (layers_count <= workload.lower_folders.size()) return true;
    add_gap("", std::to_string(layers_count - workload.lower_folders.size()) + " of the " +
                    std::to_string(layers_count) +
                    " layers of its image cannot be reached from here: packages are not compared");
    return false;
  }

  void read_image(const Workload& workload) {
    if (!knows_all_layers(workload)) return;
    Result<InventoryFile> image = read_layers(workload.lower_folders);
    if (image) {
      image_ = *std::move(image);
      Result<decode::OwnershipView> owned = image_->ownership();
      if (owned) image_owned_ = *std::move(owned);
    } else {
      add_gap("", "the packages of its image are not known, so none is told as installed since: " +
                      image.error().text());
    }
  }

  Result<InventoryFile> read_layers(const std::vector<std::string>& folders) const {
    const auto files = TRY(image::open_layer_folders(folders));
    ReadOptions reading;
    reading.target.kind = TargetKind::kDirectory;
    reading.target.path = reading.target.name = "/";
    reading.threads_count = question_.threads_count;
    ParsedTarget parsed = TRY(parse_in_child(reading, *files, nullptr));
    return std::move(parsed.inventory);
  }

  void compare_packages() {
    if (!image_) return;
    // Versions by name; several of one name there may be (kernels of rpm).
    std::map<PackageName, std::vector<std::string_view>> before;
    std::map<PackageName, std::vector<std::string_view>> now;
    for (const Package& one : image_->sbom().packages) before[name_of(one)].push_back(one.version);
    for (const Package& one : question_.sbom.packages) now[name_of(one)].push_back(one.version);
    const auto has = [](const auto& versions, const Package& package) {
      const auto at = versions.find(name_of(package));
      return at != versions.end() &&
             std::ranges::find(at->second, package.version) != at->second.end();
    };
    for (size_t i = 0; i < question_.sbom.packages.size(); ++i) {
      const Package& package = question_.sbom.packages[i];
      if (has(before, package)) continue;
      const auto at = before.find(name_of(package));
      answer_.root.packages.push_back(
          {static_cast<uint32_t>(i), at == before.end() ? "" : std::string(at->second.back())});
    }
    for (const Package& package : image_->sbom().packages) {
      if (now.contains(name_of(package))) continue;
      answer_.root.packages_removed.push_back({package.name, package.version, package.arch});
    }
  }

  void compare_files(const Workload& workload) {
    if (workload.upper_folder.empty()) return;
    const Fd upper(::open(workload.upper_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!upper.is_open()) {
      const Error error = fail_errno(workload.upper_folder, errno).error();
      add_gap("", "its writable layer cannot be read, so drift is not told: " + error.text());
      return;
    }
    const Result<Fd> root = index_.open_root(workload);
    if (!root) {
      add_gap("", "its root cannot be entered, so drift is not told: " + root.error().text());
      return;
    }
    std::set<std::string> covered;
    sensor::each_mount(
        mounts_, [&](const sensor::Mount& mount) { covered.insert(mount.mount_point.substr(1)); });
    DriftFound found = find_drift(upper, *root, question_.owned, covered);
    answer_.root.drift = std::move(found.files);
    answer_.root.drift_counts = found.counts;
    answer_.root.other_files_count = found.other_files_count;
    std::ranges::move(found.gaps, std::back_inserter(answer_.gaps));
  }

  // ---- What runs and is on disk no more ----

  void find_deleted(const Workload& workload) {
    struct stat root = {};
    if (::stat(in_process("root/").c_str(), &root) != 0) {
      add_gap("",
              "its processes cannot be looked at, so code that was deleted and still runs is "
              "not told");
      return;
    }
    std::map<std::string, DeletedCode> found;
    // Without root's rights anybody's process may be one of them; root sees all of a container's.
    const bool counts_all = workload.runtime == Runtime::kHost || ::geteuid() != 0;
    size_t unreadable_count = 0;
    const auto is_denied = [] { return errno == EACCES || errno == EPERM; };
    for (const uint32_t pid : sensor::running_processes()) {
      struct stat mounts = {};
      struct stat its_root = {};
      if (::stat(proc_.path(pid, "ns/mnt").c_str(), &mounts) != 0) {
        if (is_denied() && counts_all) ++unreadable_count;  // Else it has ended.
        continue;
      }
      if (mounts.st_ino != workload.mount_namespace) continue;
      if (::stat(proc_.path(pid, "root/").c_str(), &its_root) != 0) {
        if (is_denied()) ++unreadable_count;
        continue;
      }
      // One in a chroot has other files.
      if (its_root.st_dev != root.st_dev || its_root.st_ino != root.st_ino) continue;
      const Fd maps(::open(proc_.path(pid, "maps").c_str(), O_RDONLY | O_CLOEXEC));
      if (!maps.is_open() && is_denied()) ++unreadable_count;
      add_deleted(pid, found);
    }
    if (unreadable_count > 0) {
      add_gap("", "what " + std::to_string(unreadable_count) +
                      (unreadable_count == 1 ? " process has" : " processes have") +
                      " mapped cannot be read, so there may be more deleted code that still runs");
    }
    for (auto& [path, deleted] : found) {
      name_owner(deleted);
      answer_.root.deleted.push_back(std::move(deleted));
    }
  }

  void add_deleted(uint32_t pid, std::map<std::string, DeletedCode>& found) {
    for (const Event& event : reader_.events_of(pid)) {
      if (event.kind != EventKind::kMap || !event.is_deleted || is_nameless(event.path)) continue;
      if (found.size() >= limits::kDeletedCodeMax && !found.contains(event.path)) {
        if (!std::exchange(is_past_limit_, true)) {
          answer_.gaps.push_back({GapKind::kLimit, "",
                                  "more deleted files are still mapped than are told",
                                  "kDeletedCodeMax"});
        }
        continue;
      }
      DeletedCode& deleted = found[event.path];
      deleted.path = event.path;
      if (deleted.processes.size() == limits::kDeletedProcessesMax) continue;
      const bool is_known = !deleted.processes.empty() && deleted.processes.back().pid == pid;
      if (is_known) continue;
      deleted.processes.push_back({pid, event.process.name, sensor::command_line(pid)});
    }
  }

  static const Package* owner_of(const Sbom& sbom, const decode::OwnershipView& owned,
                                 std::string_view path) {
    for (const size_t index : owned.find(path)) {
      const Result<OwnedFile> file = owned.file(index);
      if (file && file->package < sbom.packages.size()) return &sbom.packages[file->package];
    }
    return nullptr;
  }

  // The package that has the path now, and the version of it that the image began with.
  void name_owner(DeletedCode& deleted) const {
    const Package* now = owner_of(question_.sbom, question_.owned, deleted.path);
    const Package* before =
        image_owned_ ? owner_of(image_->sbom(), *image_owned_, deleted.path) : nullptr;
    if (now == nullptr && before != nullptr) {
      // Its new version may have the file under another name.
      const auto same = std::ranges::find(question_.sbom.packages, name_of(*before), name_of);
      if (same != question_.sbom.packages.end()) now = &*same;
      deleted.package = before->name;
    }
    if (now != nullptr) {
      deleted.package = now->name;
      deleted.version = now->version;
    }
    if (before != nullptr && before->name == deleted.package) {
      deleted.image_version = before->version;
    }
  }

  const LiveRootQuestion& question_;
  sensor::ProcFolder proc_;
  sensor::ProcReader reader_;
  sensor::ContainerIndex index_;
  std::string mounts_;  // Its mountinfo.
  std::optional<InventoryFile> image_;
  std::optional<decode::OwnershipView> image_owned_;  // Into image_.
  LiveRootAnswer answer_;
  bool is_past_limit_ = false;
};

}  // namespace

LiveRootAnswer compare_with_image(const LiveRootQuestion& question) {
  return Comparison(question).take();
}

}  // namespace vigil::scan
