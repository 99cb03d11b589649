// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// The life of processes: fork, exec, exit. Each one is reported.
#include "lib/sight.h"

SEC("tp_btf/sched_process_fork")
int vigil_fork(__u64* context) {
  struct task_struct *parent = (void*)context[0], *child = (void*)context[1];
  __u32 pid = child->tgid;
  struct vigil_wire_header header;
  __u8 yes = 1;
  if (child->pid != (int)pid) return 0;  // A thread.
  if (vigil_is_ignored(parent->tgid)) {
    bpf_map_update_elem(&vigil_ignored, &pid, &yes, BPF_ANY);
    return 0;
  }
  vigil_fill_header(&header, child, VIGIL_WIRE_FORK);
  vigil_send(&header, sizeof header);
  return 0;
}

SEC("tp_btf/sched_process_exit")
int vigil_exit(__u64* context) {
  struct task_struct* task = (void*)context[0];
  __u32 pid = task->tgid;
  struct vigil_wire_header header;
  if (task->signal->live.counter != 0) return 0;  // Other threads live on.
  if (vigil_is_ignored(pid)) {
    bpf_map_delete_elem(&vigil_ignored, &pid);
    return 0;
  }
  vigil_fill_header(&header, task, VIGIL_WIRE_EXIT);
  vigil_send(&header, sizeof header);
  return 0;
}

// Arguments lie one behind the other, each with a zero behind it.
static __always_inline void vigil_take_arguments(struct vigil_wire_file* out,
                                                 struct task_struct* task) {
  __u64 begin = task->mm->arg_start;
  __u64 bytes = task->mm->arg_end - begin;
  __u64 offset = out->path_bytes;
  if (bytes == 0) return;
  if (bytes > VIGIL_WIRE_ARGUMENT_BYTES - 1) bytes = VIGIL_WIRE_ARGUMENT_BYTES - 1;
  if (offset > VIGIL_WIRE_PATH_BYTES + VIGIL_WIRE_NAME_BYTES) return;
  if (bpf_probe_read_user(out->text + offset, bytes, (void*)begin) != 0) {
    vigil_count(VIGIL_WIRE_ARGUMENTS_UNREADABLE, out->header.cgroup_id);
    return;
  }
  out->argument_bytes = bytes;
}

SEC("tp_btf/sched_process_exec")
int vigil_exec(__u64* context) {
  struct task_struct* task = (void*)context[0];
  struct linux_binprm* program = (void*)context[2];
  struct vigil_scratch* scratch;
  struct path path;
  __u32 place = VIGIL_HAPPENING;
  __u64 turn, bytes;
  if (vigil_is_ignored(task->tgid)) return 0;
  vigil_user_path(program->file, &path);
  scratch = bpf_map_lookup_elem(&vigil_scratch_space, &place);
  if (!scratch) return 0;
  turn = ++scratch->turn;
  vigil_fill_header(&scratch->file.header, task, VIGIL_WIRE_EXEC);
  vigil_fill_file(VIGIL_HAPPENING, bpf_get_current_task(), (__u64)path.mnt, (__u64)path.dentry);
  vigil_take_arguments(&scratch->file, task);
  bytes = VIGIL_WIRE_FILE_FIXED_BYTES + scratch->file.path_bytes + scratch->file.argument_bytes;
  if (bytes > sizeof scratch->file) return 0;
  if (scratch->turn != turn) {
    vigil_count(VIGIL_WIRE_SCRATCH_TAKEN, scratch->file.header.cgroup_id);
    return 0;
  }
  vigil_send(&scratch->file, bytes);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
