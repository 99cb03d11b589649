// What this host offers to the programs of bpf/, asked without loading any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "sensor/kernel_program_table.h"

struct btf;

namespace vigil::sensor {

inline constexpr const char* kTracing = "/sys/kernel/tracing";
inline constexpr const char* kKernelTypes = "/sys/kernel/btf/vmlinux";

class KernelFeatures {
 public:
  KernelFeatures();
  bool has_types() const { return types_ != nullptr; }
  // Why this host can't have the program; "" where nothing is known against it.
  std::string against(const ProgramFacts& program) const;

 private:
  struct BtfCloser {
    void operator()(btf* types) const;
  };
  bool has_type(const std::string& name, uint32_t kind) const;

  std::unique_ptr<btf, BtfCloser> types_;
  bool has_bpf_lsm_, has_find_vma_, has_root_cgroup_;
  std::string uncached_;
};

bool has_tracefs();
// Mounts tracefs where it is not and this may; says in words what it did, "" for nothing.
std::string mount_tracefs();

// The root of all cgroups of version 2, closed where it is not mounted: a container's own view of
// it shows a part.
Fd open_root_cgroup();

// Of this process, effective.
bool has_capability(int capability);

}  // namespace vigil::sensor
