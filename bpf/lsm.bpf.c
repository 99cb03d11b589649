// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Files opened and mapped executable, seen by the hooks of the kernel's security modules: whatever
// the way in (io_uring, 32-bit programs, the kernel itself); or where the kernel calls those hooks.
// Nothing is ever refused.
#include "lib/sight.h"

#define KERNEL_O_FOR_EXEC 0x20u

// overlayfs reads the file beneath through a mount of its own, in no namespace.
static __always_inline int vigil_is_internal(struct file* file) {
  struct vfsmount* mount = BPF_CORE_READ(file, f_path.mnt);
  struct mount* whole = (void*)mount - bpf_core_field_offset(struct mount, mnt);
  __u64 mounts = (__u64)BPF_CORE_READ(whole, mnt_ns);
  return mounts == 0 || mounts >= (__u64)-4095;
}

static __always_inline void vigil_hook_open(struct file* file) {
  // What is opened to be executed is reported as that.
  if (vigil_is_read_only(file) && !(BPF_CORE_READ(file, f_flags) & KERNEL_O_FOR_EXEC) &&
      !vigil_is_internal(file)) {
    vigil_sight_file(file, VIGIL_WIRE_OPEN);
  }
}

static __always_inline void vigil_hook_protect(struct vm_area_struct* area, __u64 protection) {
  struct file* file;
  if (!(protection & KERNEL_PROT_EXEC)) return;
  file = BPF_CORE_READ(area, vm_file);
  if (file) vigil_sight_file(file, VIGIL_WIRE_MAP);
}

SEC("lsm/file_open")
int vigil_lsm_open(__u64* context) {
  vigil_hook_open((void*)context[0]);
  return 0;
}

// mmap_file(file, requested protection, protection, flags)
SEC("lsm/mmap_file")
int vigil_lsm_map(__u64* context) {
  struct file* file = (void*)context[0];
  if (file && (context[2] & KERNEL_PROT_EXEC)) vigil_sight_file(file, VIGIL_WIRE_MAP);
  return 0;
}

// file_mprotect(area, requested protection, protection)
SEC("lsm/file_mprotect")
int vigil_lsm_protect(__u64* context) {
  vigil_hook_protect((void*)context[0], context[2]);
  return 0;
}

// The functions that call these hooks, for kernels whose active security modules lack bpf. The last
// argument is the result.
SEC("fexit/security_file_open")
int vigil_function_open(__u64* context) {
  if ((int)context[1] == 0) vigil_hook_open((void*)context[0]);
  return 0;
}

// security_mmap_file(file, protection, flags)
SEC("fexit/security_mmap_file")
int vigil_function_map(__u64* context) {
  struct file* file = (void*)context[0];
  __u64 protection = context[1];
  if ((int)context[3] == 0 && file && (protection & KERNEL_PROT_EXEC)) {
    vigil_sight_file(file, VIGIL_WIRE_MAP);
  }
  return 0;
}

// security_file_mprotect(area, requested protection, protection)
SEC("fexit/security_file_mprotect")
int vigil_function_protect(__u64* context) {
  if ((int)context[3] == 0) vigil_hook_protect((void*)context[0], context[2]);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
