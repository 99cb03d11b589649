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

/* What runs at each system call, fork and page of every process is most of what the sensor costs:
 * there typed pointers are followed by loads, where others take a call for each step. 5.10 has no
 * typed pointer to the current task, and all of these functions take the other way. */
#define VIGIL_HAS_TYPED_TASK \
  bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)

/* Typed, where there are such. */
static __always_inline struct task_struct* vigil_current(void) {
  return VIGIL_HAS_TYPED_TASK ? bpf_get_current_task_btf()
                              : (struct task_struct*)bpf_get_current_task();
}

/* The cgroup tells containers apart; on hosts without cgroup2 all have the same, and the mount
 * namespace does. Of a typed task, where there are such. */
static __always_inline struct vigil_workload_key vigil_workload_of(struct task_struct* task) {
  struct vigil_workload_key key;
  if (VIGIL_HAS_TYPED_TASK) {
    struct mnt_namespace* mounts = task->nsproxy->mnt_ns;
    key.cgroup_id = task->cgroups->dfl_cgrp->kn->id;
    if (bpf_core_field_exists(mounts->seq)) {
      key.mounts_id = mounts->seq;
    } else if (bpf_core_field_exists(mounts->ns.ns_id)) {
      key.mounts_id = mounts->ns.ns_id;
    } else {
      key.mounts_id = mounts->ns.inum;
    }
  } else {
    struct mnt_namespace* mounts = BPF_CORE_READ(task, nsproxy, mnt_ns);
    key.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
    key.mounts_id = BPF_CORE_READ(mounts, seq);
  }
  return key;
}

static __always_inline int vigil_is_ignored(__u32 pid) {
  return bpf_map_lookup_elem(&vigil_ignored, &pid) != 0;
}

/* Of a typed task, where there are such. Behind a name's end may be what is left of a longer one.
 */
static __always_inline void vigil_fill_header(struct vigil_wire_header* header,
                                              struct task_struct* task, __u32 kind) {
  struct vigil_workload_key workload = vigil_workload_of(task);
  header->time = bpf_ktime_get_boot_ns();
  header->cgroup_id = workload.cgroup_id;
  header->mounts_id = workload.mounts_id;
  header->kind = kind;
  header->flags = 0;
  /* Capabilities are two words before 6.3, and one since: the same bytes. */
  if (VIGIL_HAS_TYPED_TASK) {
    struct task_struct* leader = task->group_leader;
    const struct cred* cred = task->cred;
    header->started_at = leader->start_boottime;
    header->capabilities = *(const __u64*)&cred->cap_effective;
    header->pid = task->tgid;
    header->parent_pid = leader->real_parent->tgid;
    header->uid = cred->euid.val;
    header->mount_namespace = task->nsproxy->mnt_ns->ns.inum;
    __builtin_memcpy(header->name, leader->comm, sizeof header->name);
  } else {
    struct task_struct* leader = BPF_CORE_READ(task, group_leader);
    const struct cred* cred = BPF_CORE_READ(task, cred);
    header->started_at = BPF_CORE_READ(leader, start_boottime);
    bpf_probe_read_kernel(&header->capabilities, sizeof header->capabilities,
                          __builtin_preserve_access_index(&cred->cap_effective));
    header->pid = BPF_CORE_READ(task, tgid);
    header->parent_pid = BPF_CORE_READ(leader, real_parent, tgid);
    header->uid = BPF_CORE_READ(cred, euid.val);
    header->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
    BPF_CORE_READ_INTO(&header->name, leader, comm);
  }
}

#endif
