/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Facts of a task. */
#ifndef VIGIL_BPF_TASK_H
#define VIGIL_BPF_TASK_H

#include "../maps.h"

/* What the tracepoints of a system call's begin and end are given. */
struct vigil_sys_enter {
  __u64 common;
  __s64 number;
  __u64 arguments[6];
};

struct vigil_sys_exit {
  __u64 common;
  __s64 number;
  __s64 result;
};

static __always_inline struct task_struct* vigil_current(void) {
  return (struct task_struct*)bpf_get_current_task();
}

static __always_inline __u64 vigil_cgroup_id(struct task_struct* task) {
  return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

static __always_inline __u64 vigil_mounts_id(struct task_struct* task) {
  struct mnt_namespace* mounts = BPF_CORE_READ(task, nsproxy, mnt_ns);
  if (bpf_core_field_exists(mounts->seq)) return BPF_CORE_READ(mounts, seq);
  if (bpf_core_field_exists(mounts->ns.ns_id)) return BPF_CORE_READ(mounts, ns.ns_id);
  return BPF_CORE_READ(mounts, ns.inum);
}

static __always_inline int vigil_is_ignored(__u32 pid) {
  return bpf_map_lookup_elem(&vigil_ignored, &pid) != 0;
}

static __always_inline void vigil_fill_header(struct vigil_wire_header* header,
                                              struct task_struct* task, __u32 kind) {
  struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  const struct cred* cred = BPF_CORE_READ(task, cred);
  header->time = bpf_ktime_get_boot_ns();
  header->started_at = BPF_CORE_READ(leader, start_boottime);
  header->cgroup_id = vigil_cgroup_id(task);
  header->capabilities = 0;
  /* Two words before 6.3, one since: the same bytes. */
  bpf_probe_read_kernel(&header->capabilities, sizeof header->capabilities,
                        __builtin_preserve_access_index(&cred->cap_effective));
  header->mounts_id = vigil_mounts_id(task);
  header->pid = BPF_CORE_READ(task, tgid);
  header->parent_pid = BPF_CORE_READ(leader, real_parent, tgid);
  header->uid = BPF_CORE_READ(cred, euid.val);
  header->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
  header->kind = kind;
  header->flags = 0;
  __builtin_memset(header->name, 0, sizeof header->name);
  bpf_probe_read_kernel_str(header->name, sizeof header->name,
                            __builtin_preserve_access_index(&leader->comm));
}

#endif
