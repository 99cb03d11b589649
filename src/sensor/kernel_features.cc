#include "sensor/kernel_features.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "base/limits.h"
#include "sensor/mountinfo.h"

namespace vigil::sensor {

namespace {

// Reads of some file systems do not go through the page cache; "" where no package lies in one.
std::string uncached_mount() {
  struct statfs root{};
  if (::statfs("/proc/1/root/", &root) != 0) ::statfs("/", &root);
  if (root.f_type == TMPFS_MAGIC) return "/ is a tmpfs";
  auto text = read_file("/proc/1/mountinfo", limits::kMountinfoBytesMax);
  if (!text) text = read_file("/proc/self/mountinfo", limits::kMountinfoBytesMax);
  std::string found;
  each_mount(text ? *text : "", [&](const Mount& mount) {
    if (mount.type == "zfs" || mount.type == "9p") {
      found = mount.mount_point + " is of " + mount.type;
    }
  });
  return found;
}

// The list of active security modules; where securityfs is not mounted, loading one tells.
bool has_bpf_lsm() {
  const auto active = read_file("/sys/kernel/security/lsm", limits::kProcFileBytesMax);
  return !active || active->find("bpf") != std::string::npos;
}

}  // namespace

KernelFeatures::KernelFeatures()
    : types_(btf__load_vmlinux_btf()),
      has_bpf_lsm_(has_bpf_lsm()),
      has_find_vma_(libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_find_vma, nullptr) ==
                    1),
      has_root_cgroup_(open_root_cgroup().is_open()),
      uncached_(uncached_mount()) {}

void KernelFeatures::BtfCloser::operator()(btf* types) const {
  btf__free(types);
}

std::string KernelFeatures::against(const ProgramFacts& program) const {
  const std::string_view attaches = program.attaches;
  const std::string name(attaches.substr(attaches.rfind('/') + 1));
  if (types_ == nullptr) return std::string("no kernel types in ") + kKernelTypes;
  if (attaches.starts_with("tp_btf/")) {
    if (!has_type("btf_trace_" + name, BTF_KIND_TYPEDEF))
      return "this kernel has no such tracepoint";
  } else if (attaches.starts_with("iter/")) {
    if (!has_type("bpf_iter__" + name, BTF_KIND_STRUCT)) return "this kernel has no such iterator";
  } else if (attaches.starts_with("fexit/")) {
    if (!has_type(name, BTF_KIND_FUNC)) return "this kernel has no such function";
  } else if (attaches.starts_with("cgroup/")) {
    if (!has_root_cgroup_) return "the root of cgroup2 is not mounted where it is looked for";
  } else if (attaches.starts_with("lsm/")) {
    if (!has_bpf_lsm_) return "bpf is not among this kernel's active security modules";
  } else if (!has_tracefs()) {
    return std::string("tracefs is not mounted at ") + kTracing;
  } else if (!path_exists(std::string(kTracing) + "/events/syscalls/" + name) &&
             !path_exists("/sys/kernel/debug/tracing/events/syscalls/" + name)) {
    return "this kernel has no such tracepoint";
  }
  if (program.needs_find_vma && !has_find_vma_) return "this kernel has no bpf_find_vma";
  if (program.way == Way::kPageCache && !uncached_.empty()) {
    return uncached_ + ", which is read past the page cache";
  }
  return "";
}

bool KernelFeatures::has_type(const std::string& name, uint32_t kind) const {
  return btf__find_by_name_kind(types_.get(), name.c_str(), kind) >= 0;
}

bool has_tracefs() {
  return path_exists(std::string(kTracing) + "/events") ||
         path_exists("/sys/kernel/debug/tracing/events");
}

std::string mount_tracefs() {
  if (has_tracefs()) return "";
  if (::mount("nodev", kTracing, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return "";
  }
  return std::string("tracefs was not mounted and is now, at ") + kTracing;
}

constexpr uint64_t kRootCgroupId = 1;
Fd open_root_cgroup() {
  for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    Fd folder(::open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct statfs system{};
    struct stat status{};
    if (folder.is_open() && ::fstatfs(folder.get(), &system) == 0 &&
        system.f_type == CGROUP2_SUPER_MAGIC && ::fstat(folder.get(), &status) == 0 &&
        status.st_ino == kRootCgroupId) {
      return folder;
    }
  }
  return {};
}

bool has_capability(int capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

}  // namespace vigil::sensor
