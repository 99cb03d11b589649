// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Files opened and mapped executable, seen by the hooks of the kernel's security modules: whatever
// the way in (io_uring, 32-bit programs, the kernel itself). Nothing is ever refused.
#include "lib/sight.h"

#define KERNEL_O_FOR_EXEC 0x20u

// overlayfs reads the file beneath through a mount of its own, in no namespace.
static __always_inline int vigil_is_internal(struct file* file) {
  struct vfsmount* mount = BPF_CORE_READ(file, f_path.mnt);
  struct mount* whole = (void*)mount - bpf_core_field_offset(struct mount, mnt);
  __u64 mounts = (__u64)BPF_CORE_READ(whole, mnt_ns);
  return mounts == 0 || mounts >= (__u64)-4095;
}

SEC("lsm/file_open")
int vigil_lsm_open(__u64* context) {
  struct file* file = (void*)context[0];
  // What is opened to be executed is reported as that.
  if (vigil_is_read_only(file) && !(BPF_CORE_READ(file, f_flags) & KERNEL_O_FOR_EXEC) &&
      !vigil_is_internal(file)) {
    vigil_sight_file(file, VIGIL_WIRE_OPEN);
  }
  return 0;
}

// mmap_file(file, requested protection, protection, flags)
SEC("lsm/mmap_file")
int vigil_lsm_map(__u64* context) {
  struct file* file = (void*)context[0];
  if (file && (context[2] & KERNEL_PROT_EXEC)) {
    vigil_sight_file(file, VIGIL_WIRE_MAP);
  }
  return 0;
}

// file_mprotect(area, requested protection, protection)
SEC("lsm/file_mprotect")
int vigil_lsm_protect(__u64* context) {
  struct vm_area_struct* area = (void*)context[0];
  struct file* file;
  if (!(context[2] & KERNEL_PROT_EXEC)) return 0;
  file = BPF_CORE_READ(area, vm_file);
  if (file) vigil_sight_file(file, VIGIL_WIRE_MAP);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
