/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* First sightings of files: what was reported already costs one look-up and no event. */
#ifndef VIGIL_BPF_SIGHT_H
#define VIGIL_BPF_SIGHT_H

#include "emit.h"
#include "path.h"
#include "seen.h"
#include "task.h"

static __always_inline struct file* vigil_file_of(unsigned int fd) {
  struct file** files;
  struct file* file = 0;
  if (VIGIL_HAS_TYPED_TASK) {
    struct fdtable* table = vigil_current()->files->fdt;
    if (fd >= table->max_fds) return 0;
    files = table->fd;
  } else {
    struct fdtable* table = BPF_CORE_READ(vigil_current(), files, fdt);
    if (fd >= BPF_CORE_READ(table, max_fds)) return 0;
    files = BPF_CORE_READ(table, fd);
  }
  bpf_probe_read_kernel(&file, sizeof file, files + fd);
  return file;
}

/* What is opened to be written is no package's any more, and may get another name yet. */
static __always_inline int vigil_is_read_only(struct file* file) {
  return (BPF_CORE_READ(file, f_mode) & (KERNEL_FMODE_READ | KERNEL_FMODE_WRITE)) ==
         KERNEL_FMODE_READ;
}

/* Files of no disk, that change with each process: no package has one. */
static __always_inline int vigil_is_pseudo(unsigned long magic) {
  return magic == KERNEL_PROC_MAGIC || magic == KERNEL_SYSFS_MAGIC ||
         magic == KERNEL_CGROUP_MAGIC || magic == KERNEL_CGROUP2_MAGIC ||
         magic == KERNEL_TRACEFS_MAGIC || magic == KERNEL_DEBUGFS_MAGIC ||
         magic == KERNEL_SECURITYFS_MAGIC;
}

/* What one program only reads is code to another: each program's reads are told. */
static __always_inline __u32 vigil_reader_of(struct task_struct* task) {
  return VIGIL_HAS_TYPED_TASK ? task->mm->exe_file->f_inode->i_ino
                              : BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
}

static __always_inline struct vigil_tag vigil_file_tag(__u64 inode, __u64 device, __u32 kind) {
  struct task_struct* task = vigil_current();
  struct vigil_workload_key workload = vigil_workload_of(task);
  __u32 user = kind == VIGIL_WIRE_OPEN ? vigil_reader_of(task) << 3 | kind : kind;
  return vigil_tag_of(inode, device, user, workload.mounts_id, workload.cgroup_id);
}

static __always_inline int vigil_is_watched(struct inode* inode) {
  return (BPF_CORE_READ(inode, i_mode) & KERNEL_S_IFMT) == KERNEL_S_IFREG &&
         !vigil_is_pseudo(BPF_CORE_READ(inode, i_sb, s_magic)) &&
         !vigil_is_ignored(bpf_get_current_pid_tgid() >> 32);
}

/* True where the file is to be reported now; then it is remembered under the tag. */
static __always_inline int vigil_is_first(struct inode* inode, __u32 kind, struct vigil_tag* tag) {
  __u64 now = bpf_jiffies64();
  *tag = vigil_file_tag(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev), kind);
  if (vigil_is_seen(tag, now) || !vigil_is_watched(inode)) return 0;
  vigil_remember(tag, now);
  return 1;
}

static __always_inline void vigil_report(const struct path* path, __u32 kind,
                                         const struct vigil_tag* tag) {
  struct vigil_scratch* scratch;
  __u32 place = VIGIL_HAPPENING;
  __u64 turn, bytes;
  scratch = bpf_map_lookup_elem(&vigil_scratch_space, &place);
  if (!scratch) return;
  turn = ++scratch->turn;
  vigil_fill_header(&scratch->file.header, vigil_current(), kind);
  vigil_fill_file(VIGIL_HAPPENING, bpf_get_current_task(), (__u64)path->mnt, (__u64)path->dentry);
  bytes = VIGIL_WIRE_FILE_FIXED_BYTES + scratch->file.path_bytes;
  if (bytes > sizeof scratch->file) return;
  if (scratch->turn != turn) {
    vigil_count(VIGIL_WIRE_SCRATCH_TAKEN, scratch->file.header.cgroup_id);
  } else if (vigil_send(&scratch->file, bytes)) {
    return;
  }
  /* It is reported when it is used the next time. */
  vigil_forget(tag);
}

/* True where it is reported, now or before. */
static __always_inline int vigil_sight_path(const struct path* path, __u32 kind) {
  struct inode* inode = BPF_CORE_READ(path->dentry, d_inode);
  struct vigil_tag tag;
  if (!inode) return 0;
  if (vigil_is_first(inode, kind, &tag)) vigil_report(path, kind, &tag);
  return vigil_is_seen(&tag, bpf_jiffies64());
}

/* A file as a mapping or a hook has it: of an overlay perhaps the one beneath. */
static __always_inline int vigil_sight_file(struct file* file, __u32 kind) {
  struct path path;
  vigil_user_path(file, &path);
  return vigil_sight_path(&path, kind);
}

/* A file as a descriptor has it. */
static __always_inline void vigil_sight_opened(struct file* file, __u32 kind) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  struct vigil_tag tag;
  struct path path;
  if (!vigil_is_first(inode, kind, &tag)) return;
  path.mnt = BPF_CORE_READ(file, f_path.mnt);
  path.dentry = BPF_CORE_READ(file, f_path.dentry);
  vigil_report(&path, kind, &tag);
}

#endif
