// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Files opened and mapped executable, seen at the end of the system calls that do it. What a
// process opens through io_uring is seen at the completion of the request.
#include "lib/sight.h"

static __always_inline void vigil_opened(__s64 fd) {
  struct file* file;
  if (fd < 0) return;
  file = vigil_file_of(fd);
  if (file && vigil_is_read_only(file)) vigil_sight_opened(file, VIGIL_WIRE_OPEN);
}

#define VIGIL_OPEN_CALL(call)                        \
  SEC("tp/syscalls/sys_exit_" #call)                 \
  int vigil_##call(struct vigil_sys_exit* context) { \
    vigil_opened(context->result);                   \
    return 0;                                        \
  }

VIGIL_OPEN_CALL(open)
VIGIL_OPEN_CALL(openat)
VIGIL_OPEN_CALL(openat2)
VIGIL_OPEN_CALL(open_by_handle_at)

#define IO_URING_OPENAT 18
#define IO_URING_OPENAT2 28

// Signatures changed; the request is the second argument since 5.19, and holds its result.
SEC("tp_btf/io_uring_complete")
int vigil_uring(__u64* context) {
  struct io_kiocb* request = (void*)context[1];
  __u8 operation = BPF_CORE_READ(request, opcode);
  if (operation == IO_URING_OPENAT || operation == IO_URING_OPENAT2) {
    vigil_opened(BPF_CORE_READ(request, cqe.res));
  }
  return 0;
}

// mmap(address, length, protection, flags, fd, offset)
SEC("tp/syscalls/sys_enter_mmap")
int vigil_mmap_enter(struct vigil_sys_enter* context) {
  __u64 thread, fd;
  if (!(context->arguments[2] & KERNEL_PROT_EXEC) ||
      (context->arguments[3] & KERNEL_MAP_ANONYMOUS)) {
    return 0;
  }
  thread = bpf_get_current_pid_tgid();
  fd = context->arguments[4];
  bpf_map_update_elem(&vigil_calls, &thread, &fd, BPF_ANY);
  return 0;
}

SEC("tp/syscalls/sys_exit_mmap")
int vigil_mmap(struct vigil_sys_exit* context) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u64* found = bpf_map_lookup_elem(&vigil_calls, &thread);
  struct file* file;
  __s64 result;
  __u32 fd;
  if (!found) return 0;
  fd = *found;
  bpf_map_delete_elem(&vigil_calls, &thread);
  result = context->result;
  if (result < 0 && result > -4096) return 0;
  file = vigil_file_of(fd);
  if (file) vigil_sight_opened(file, VIGIL_WIRE_MAP);
  return 0;
}

static long vigil_mapped_area(struct task_struct* task, struct vm_area_struct* area, void* path) {
  struct file* file = BPF_CORE_READ(area, vm_file);
  (void)task;
  if (file) vigil_user_path(file, path);
  return 0;
}

// The file that is mapped at an address of the current process.
static __always_inline void vigil_sight_address(__u64 address) {
  struct path path = {};
  bpf_find_vma(bpf_get_current_task_btf(), address, vigil_mapped_area, &path, 0);
  if (path.dentry) vigil_sight_path(&path, VIGIL_WIRE_MAP);
}

// mprotect(address, length, protection)
SEC("tp/syscalls/sys_enter_mprotect")
int vigil_mprotect_enter(struct vigil_sys_enter* context) {
  __u64 thread, address;
  if (!(context->arguments[2] & KERNEL_PROT_EXEC)) return 0;
  thread = bpf_get_current_pid_tgid();
  address = context->arguments[0];
  bpf_map_update_elem(&vigil_calls, &thread, &address, BPF_ANY);
  return 0;
}

SEC("tp/syscalls/sys_exit_mprotect")
int vigil_mprotect(struct vigil_sys_exit* context) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u64* found = bpf_map_lookup_elem(&vigil_calls, &thread);
  __u64 address;
  if (!found) return 0;
  address = *found;
  bpf_map_delete_elem(&vigil_calls, &thread);
  if (context->result == 0) vigil_sight_address(address);
  return 0;
}

// The kernel maps the loader by itself: AT_BASE says where. Its first part is not the executable
// one.
SEC("tp_btf/sched_process_exec")
int vigil_loader(__u64* context) {
  struct task_struct* task = (void*)context[0];
  struct mm_struct* mm = BPF_CORE_READ(task, mm);
  void* vector = __builtin_preserve_access_index(&mm->saved_auxv);
  for (int i = 0; i < 24; i++) {
    __u64 entry[2] = {};
    bpf_probe_read_kernel(entry, sizeof entry, vector + i * sizeof entry);
    if (entry[0] == 0) break;
    if (entry[0] != KERNEL_AT_BASE) continue;
    if (entry[1] != 0) vigil_sight_address(entry[1]);
    break;
  }
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
