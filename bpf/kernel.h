/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The kernel's types, as far as they are read here. Each access is relocated to the running
 * kernel's own layout when the programs are loaded; order and neighbours don't matter. */
#ifndef VIGIL_BPF_KERNEL_H
#define VIGIL_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define KERNEL_S_IFMT 0170000
#define KERNEL_S_IFREG 0100000
#define KERNEL_S_IFSOCK 0140000
#define KERNEL_FMODE_READ 1u
#define KERNEL_FMODE_WRITE 2u
#define KERNEL_FMODE_BACKING (3u << 24) /* The one bit or the other, by version. */
#define KERNEL_PROT_EXEC 4
#define KERNEL_VM_EXEC 4
#define KERNEL_MAP_ANONYMOUS 0x20
#define KERNEL_AT_BASE 7
#define KERNEL_PF_KTHREAD 0x00200000u
#define KERNEL_AF_INET 2
#define KERNEL_AF_INET6 10

#define KERNEL_OVERLAY_MAGIC 0x794c7630
#define KERNEL_PROC_MAGIC 0x9fa0
#define KERNEL_SYSFS_MAGIC 0x62656572
#define KERNEL_CGROUP_MAGIC 0x27e0eb
#define KERNEL_CGROUP2_MAGIC 0x63677270
#define KERNEL_TRACEFS_MAGIC 0x74726163
#define KERNEL_DEBUGFS_MAGIC 0x64626720
#define KERNEL_SECURITYFS_MAGIC 0x73636673

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
  const unsigned char* name;
};
struct hlist_bl_node {
  struct hlist_bl_node** pprev;
};
struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};
struct inode {
  __u16 i_mode;
  unsigned long i_ino;
  struct super_block* i_sb;
};
struct dentry {
  struct hlist_bl_node d_hash;
  struct dentry* d_parent;
  struct qstr d_name;
  struct inode* d_inode;
  void* d_fsdata;
};
struct vfsmount {
  struct dentry* mnt_root;
};
struct mount {
  struct mount* mnt_parent;
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
  struct mnt_namespace* mnt_ns;
};
struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
};
struct file {
  struct path f_path;
  struct inode* f_inode;
  unsigned int f_mode, f_flags;
  void* private_data;
};
struct backing_file {
  struct file file;
  struct path user_path;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
struct fs_struct {
  struct path root;
};
struct rb_node {
  struct rb_node *rb_right, *rb_left;
};
struct vm_area_struct {
  struct mm_struct* vm_mm;
  unsigned long vm_flags;
  struct file* vm_file;
  struct {
    struct rb_node rb;
  } shared;
};
struct mm_struct {
  struct file* exe_file;
  unsigned long arg_start, arg_end;
  unsigned long saved_auxv[2];
};
typedef struct {
  int val;
} kuid_t;
typedef struct {
  __u64 val;
} kernel_cap_t;
struct cred {
  kuid_t euid;
  kernel_cap_t cap_effective;
};
struct ns_common {
  unsigned int inum;
  __u64 ns_id; /* Since 6.18. */
};
struct mnt_namespace {
  struct ns_common ns;
  __u64 seq; /* Until then. */
};
struct net {
  struct ns_common ns;
};
struct nsproxy {
  struct mnt_namespace* mnt_ns;
  struct net* net_ns;
};
struct kernfs_node {
  __u64 id;
};
struct cgroup {
  struct kernfs_node* kn;
};
struct css_set {
  struct cgroup* dfl_cgrp;
};
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;
};
struct task_struct {
  unsigned int flags;
  unsigned in_execve : 1;
  int pid, tgid;
  __u64 start_boottime, self_exec_id;
  struct task_struct *real_parent, *group_leader;
  struct mm_struct* mm;
  const struct cred* cred;
  char comm[16];
  struct fs_struct* fs;
  struct files_struct* files;
  struct nsproxy* nsproxy;
  struct signal_struct* signal;
  struct css_set* cgroups;
};
struct linux_binprm {
  struct file* file;
};

/* overlayfs: which layer a file comes from. */
struct ovl_layer {
  int idx;
};
struct ovl_path {
  struct ovl_layer* layer;
  struct dentry* dentry;
};
struct ovl_entry {
  unsigned int __numlower; /* Since 6.5; hangs from the inode. */
  struct ovl_path __lowerstack[1];
};
struct ovl_entry___before_6_5 { /* Hangs from the dentry. */
  unsigned int numlower;
  struct ovl_path lowerstack[1];
};
struct ovl_inode {
  struct inode vfs_inode;
  struct dentry* __upperdentry;
  struct ovl_entry* oe;
};

/* Sockets. */
struct in6_addr {
  __u8 bytes[16];
};
typedef struct {
  struct net* net;
} possible_net_t;
struct sock_common {
  __u32 skc_daddr, skc_rcv_saddr;
  __u16 skc_dport, skc_num, skc_family;
  unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
  struct sock_common __sk_common;
  __u16 sk_protocol;
  __u8 sk_userlocks : 4;
  void* sk_bpf_storage;
};
struct socket {
  short type;
  struct file* file;
  struct sock* sk;
};

/* The page cache. */
struct rb_root {
  struct rb_node* rb_node;
};
struct rb_root_cached {
  struct rb_root rb_root;
};
struct rw_semaphore {
  struct {
    __s64 counter;
  } count;
};
struct address_space {
  struct inode* host;
  struct rb_root_cached i_mmap;
  struct rw_semaphore i_mmap_rwsem;
};

/* io_uring: since 5.19 the request holds its own result. */
struct io_cqe {
  __s32 res;
};
struct io_kiocb {
  __u8 opcode;
  struct io_cqe cqe;
};

#pragma clang attribute pop

#endif
