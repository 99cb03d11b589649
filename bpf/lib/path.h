/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which file. */
#ifndef VIGIL_BPF_PATH_H
#define VIGIL_BPF_PATH_H

#include "emit.h"

/* The record of this processor that is being put together. */
static __always_inline struct vigil_wire_file* vigil_record(__u32 place) {
  struct vigil_scratch* scratch = bpf_map_lookup_elem(&vigil_scratch_space, &place);
  return scratch ? &scratch->file : 0;
}

/* An ovl_path, the same in every kernel. Its own type may be unknown to this one. */
struct vigil_layer_path {
  void* layer;
  struct dentry* dentry;
};

/* Everything of the record but its header and arguments (path.bpf.c). Addresses of a task_struct, a
 * vfsmount and a dentry. */
int vigil_fill_file(__u32 place, __u64 task, __u64 mount, __u64 dentry);

/* The path as the process named it. A mapping of an overlay's file is of the file beneath, which
 * since 6.5 remembers the one above; whether it really does shows in where that one lies. */
static __always_inline void vigil_user_path(struct file* file, struct path* path) {
  if (bpf_core_type_exists(struct backing_file) &&
      (BPF_CORE_READ(file, f_mode) & KERNEL_FMODE_BACKING)) {
    struct backing_file* backing = (void*)file - bpf_core_field_offset(struct backing_file, file);
    path->mnt = BPF_CORE_READ(backing, user_path.mnt);
    path->dentry = BPF_CORE_READ(backing, user_path.dentry);
    if (BPF_CORE_READ(path->dentry, d_inode, i_sb, s_magic) == KERNEL_OVERLAY_MAGIC) return;
  }
  path->mnt = BPF_CORE_READ(file, f_path.mnt);
  path->dentry = BPF_CORE_READ(file, f_path.dentry);
}

#endif
