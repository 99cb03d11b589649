// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// What runs already, when the sensor comes: every process with its program, executable mappings,
// regular files and listening sockets. Records are written behind their length of 32 bits.
#include "lib/sight.h"
#include "lib/socket.h"

struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
} __attribute__((preserve_access_index));
struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
} __attribute__((preserve_access_index));
struct bpf_iter__task_vma {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct vm_area_struct* vma;
} __attribute__((preserve_access_index));
struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  struct file* file;
} __attribute__((preserve_access_index));

#define TCP_LISTEN 10
#define SOCK_BINDPORT_LOCK 8

// As a number: typed addresses may not be handed to path.bpf.c.
static __always_inline void* vigil_plain(const void* known) {
  void* address = 0;
  bpf_probe_read_kernel(&address, sizeof address, &known);
  return address;
}

static __always_inline int vigil_is_reported(struct task_struct* task) {
  __u32 pid = BPF_CORE_READ(task, tgid);
  return BPF_CORE_READ(task, pid) == (int)pid && BPF_CORE_READ(task, mm) &&
         BPF_CORE_READ(task, nsproxy) && !vigil_is_ignored(pid);
}

// The size is 64 bits wide so that its bound is not lost: 6.1 forgets it when a register is cut.
static __always_inline void vigil_write(struct seq_file* out, void* record, __u64 bytes) {
  __u32 length = bytes;
  bpf_seq_write(out, &length, sizeof length);
  bpf_seq_write(out, record, bytes);
}

static __always_inline void vigil_write_file(struct seq_file* out, struct task_struct* task,
                                             struct file* file, __u32 kind) {
  struct vigil_wire_file* record = vigil_record(VIGIL_ITERATING);
  struct path path;
  struct inode* inode;
  __u64 bytes;
  if (!record) return;
  vigil_user_path(file, &path);
  inode = BPF_CORE_READ(path.dentry, d_inode);
  if (!inode || (BPF_CORE_READ(inode, i_mode) & KERNEL_S_IFMT) != KERNEL_S_IFREG ||
      vigil_is_pseudo(BPF_CORE_READ(inode, i_sb, s_magic))) {
    return;
  }
  vigil_fill_header(&record->header, task, kind);
  record->header.flags = VIGIL_WIRE_SNAPSHOT;
  vigil_fill_file(VIGIL_ITERATING, (__u64)vigil_plain(task), (__u64)path.mnt, (__u64)path.dentry);
  bytes = VIGIL_WIRE_FILE_FIXED_BYTES + record->path_bytes;
  asm volatile("" : "+r"(bytes));
  if (bytes <= sizeof *record) vigil_write(out, record, bytes);
}

SEC("iter/task")
int vigil_each_task(struct bpf_iter__task* context) {
  struct task_struct* task = context->task;
  struct file* program;
  if (!task || !vigil_is_reported(task)) return 0;
  program = BPF_CORE_READ(task, mm, exe_file);
  if (program) vigil_write_file(context->meta->seq, task, program, VIGIL_WIRE_EXEC);
  return 0;
}

SEC("iter/task_vma")
int vigil_each_mapping(struct bpf_iter__task_vma* context) {
  struct task_struct* task = context->task;
  struct vm_area_struct* area = vigil_plain(context->vma);
  struct file* file;
  if (!task || !area || !(BPF_CORE_READ(area, vm_flags) & KERNEL_VM_EXEC)) return 0;
  file = BPF_CORE_READ(area, vm_file);
  if (!file || !vigil_is_reported(task)) return 0;
  vigil_write_file(context->meta->seq, task, file, VIGIL_WIRE_MAP);
  return 0;
}

// UDP: bound to a port that was asked for, and to no peer.
static __always_inline int vigil_is_listening(struct sock* socket) {
  if (BPF_CORE_READ(socket, sk_protocol) == IPPROTO_UDP) {
    return (BPF_CORE_READ_BITFIELD_PROBED(socket, sk_userlocks) & SOCK_BINDPORT_LOCK) &&
           BPF_CORE_READ(socket, __sk_common.skc_num) != 0 &&
           BPF_CORE_READ(socket, __sk_common.skc_dport) == 0;
  }
  return BPF_CORE_READ(socket, __sk_common.skc_state) == TCP_LISTEN;
}

SEC("iter/task_file")
int vigil_each_file(struct bpf_iter__task_file* context) {
  struct task_struct* task = context->task;
  struct file* file = vigil_plain(context->file);
  struct vigil_wire_socket record = {};
  struct sock* socket;
  if (!task || !file || !vigil_is_reported(task)) return 0;
  if (vigil_is_read_only(file)) {
    vigil_write_file(context->meta->seq, task, file, VIGIL_WIRE_OPEN);
    return 0;
  }
  socket = vigil_socket_of(file);
  if (!socket || !vigil_is_listening(socket) || !vigil_fill_socket(&record, socket)) return 0;
  vigil_fill_header(&record.header, task, VIGIL_WIRE_LISTEN);
  record.header.flags = VIGIL_WIRE_SNAPSHOT;
  vigil_write(context->meta->seq, &record, sizeof record);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
