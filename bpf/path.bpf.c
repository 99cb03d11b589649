// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Which file: its path inside the root of the process, and its place in an overlay. These are
// functions of their own so that the verifier reads them once, not once for each way to reach them;
// 5.10 lets such functions take numbers only, hence the addresses.
#include "lib/path.h"

// Writes the components of the path into the record's text, last one first. bpf_d_path would do it,
// but may not be called from these programs.
int vigil_walk_path(__u32 place, __u64 task_address, __u64 mount_address, __u64 dentry_address) {
  struct task_struct* task = (void*)task_address;
  struct dentry* dentry = (void*)dentry_address;
  struct mount* mount = (void*)mount_address - bpf_core_field_offset(struct mount, mnt);
  struct vigil_wire_file* out = vigil_record(place);
  struct dentry* root = BPF_CORE_READ(task, fs, root.dentry);
  struct vfsmount* root_mount = BPF_CORE_READ(task, fs, root.mnt);
  // Kept in memory: else the verifier follows each sum of lengths by itself, a thousandfold.
  volatile __u16* path_bytes;
  int step;

  if (!out) return 0;
  path_bytes = &out->path_bytes;
  *path_bytes = 0;
  for (step = 0; step < VIGIL_WIRE_PATH_STEPS; step++) {
    struct dentry* parent;
    const unsigned char* name;
    __u64 offset;
    long copied;
    if (dentry == root &&
        (void*)mount + bpf_core_field_offset(struct mount, mnt) == (void*)root_mount) {
      break;
    }
    parent = BPF_CORE_READ(dentry, d_parent);
    if (dentry == parent || dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
      struct mount* above = BPF_CORE_READ(mount, mnt_parent);
      if (above == mount || !above) break; /* The root of all. */
      dentry = BPF_CORE_READ(mount, mnt_mountpoint);
      mount = above;
      continue;
    }
    offset = *path_bytes;
    if (offset >= VIGIL_WIRE_PATH_BYTES) {
      out->header.flags |= VIGIL_WIRE_TRUNCATED;
      break;
    }
    name = BPF_CORE_READ(dentry, d_name.name);
    copied = bpf_probe_read_kernel_str(out->text + (offset & (VIGIL_WIRE_PATH_BYTES - 1)),
                                       VIGIL_WIRE_NAME_BYTES, name);
    if (copied <= 1 || copied > VIGIL_WIRE_NAME_BYTES) {
      vigil_count(VIGIL_WIRE_PATH_UNREADABLE, out->header.cgroup_id);
      out->header.flags |= VIGIL_WIRE_TRUNCATED;
      break;
    }
    *path_bytes = offset + copied;
    dentry = parent;
  }
  if (step == VIGIL_WIRE_PATH_STEPS) out->header.flags |= VIGIL_WIRE_TRUNCATED;
  return 0;
}

// A pseudo file's dentry is its own parent and was never in a folder.
static __always_inline int vigil_is_deleted(struct dentry* dentry) {
  return BPF_CORE_READ(dentry, d_hash.pprev) == 0 && BPF_CORE_READ(dentry, d_parent) != dentry;
}

static __always_inline void vigil_take_real(struct vigil_wire_file* out, struct dentry* real) {
  struct inode* inode = BPF_CORE_READ(real, d_inode);
  if (!inode) return;
  out->real_inode = BPF_CORE_READ(inode, i_ino);
  out->real_device = BPF_CORE_READ(inode, i_sb, s_dev);
}

// overlayfs of before 6.5: the layers hang from the dentry. Its types are read where the kernel
// describes them; 5.10 doesn't for modules, and then the places are those of every kernel from 5.8
// to 6.4.
static __always_inline void vigil_old_overlay(struct vigil_wire_file* out, struct dentry* dentry,
                                              struct dentry* upper) {
  struct vigil_layer_path lower = {};
  struct ovl_layer* layer;
  void* entry = BPF_CORE_READ(dentry, d_fsdata);
  int idx = -1;
  if (upper) {
    out->layer = 0;
    vigil_take_real(out, upper);
    return;
  }
  if (bpf_core_type_exists(struct ovl_entry___before_6_5)) {
    struct ovl_entry___before_6_5* known = entry;
    if (BPF_CORE_READ(known, numlower) == 0) return;
    bpf_probe_read_kernel(&lower, sizeof lower,
                          __builtin_preserve_access_index(&known->lowerstack[0]));
    layer = lower.layer;
    idx = BPF_CORE_READ(layer, idx);
  } else {
    __u32 lower_count = 0;
    bpf_probe_read_kernel(&lower_count, sizeof lower_count, entry + 16);
    if (lower_count == 0) return;
    bpf_probe_read_kernel(&lower, sizeof lower, entry + 24);
    bpf_probe_read_kernel(&idx, sizeof idx, lower.layer + 24);
  }
  out->layer = idx;
  vigil_take_real(out, lower.dentry);
}

static __always_inline void vigil_overlay(struct vigil_wire_file* out, struct dentry* dentry,
                                          struct inode* inode) {
  struct dentry* upper = 0;
  if (!bpf_core_type_exists(struct ovl_inode)) {
    if (!vigil_overlay_is_old) return;
    bpf_probe_read_kernel(&upper, sizeof upper, (void*)inode + bpf_core_type_size(struct inode));
    vigil_old_overlay(out, dentry, upper);
    return;
  }
  struct ovl_inode* overlay = (void*)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
  upper = BPF_CORE_READ(overlay, __upperdentry);
  if (!bpf_core_field_exists(overlay->oe)) {
    vigil_old_overlay(out, dentry, upper);
    return;
  }
  if (upper) {
    out->layer = 0;
    vigil_take_real(out, upper);
    return;
  }
  struct ovl_entry* entry = BPF_CORE_READ(overlay, oe);
  struct vigil_layer_path lower = {};
  struct ovl_layer* layer;
  if (!entry || BPF_CORE_READ(entry, __numlower) == 0) return;
  bpf_probe_read_kernel(&lower, sizeof lower,
                        __builtin_preserve_access_index(&entry->__lowerstack[0]));
  layer = lower.layer;
  out->layer = BPF_CORE_READ(layer, idx);
  vigil_take_real(out, lower.dentry);
}

int vigil_fill_file(__u32 place, __u64 task, __u64 mount_address, __u64 dentry_address) {
  struct dentry* dentry = (void*)dentry_address;
  struct inode* inode = BPF_CORE_READ(dentry, d_inode);
  struct super_block* super = BPF_CORE_READ(inode, i_sb);
  struct vigil_wire_file* out = vigil_record(place);
  if (!out) return 0;
  out->inode = out->real_inode = BPF_CORE_READ(inode, i_ino);
  out->device = out->real_device = BPF_CORE_READ(super, s_dev);
  out->layer = -1;
  out->argument_bytes = 0;
  if (BPF_CORE_READ(super, s_magic) == KERNEL_OVERLAY_MAGIC) vigil_overlay(out, dentry, inode);
  if (vigil_is_deleted(dentry)) out->header.flags |= VIGIL_WIRE_DELETED;
  vigil_walk_path(place, task, mount_address, dentry_address);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
