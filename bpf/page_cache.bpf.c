// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Files read and mapped, seen where their pages are taken from the page cache: no system call is
// slowed for it, and whatever the way in (io_uring, 32-bit programs, the kernel itself), a file
// whose content was used is seen. The page cache knows files only as the file system at the bottom
// does: which file the process calls it is found among its descriptors or mappings, at the first
// sighting.
#include "lib/sight.h"

#define DESCRIPTORS_MAX 65536
// A file that no program of the workload is known to have mapped as code is looked for in each
// program of each process, and again after so many ticks: it may be code then.
#define DATA_TICKS 100
#define VIGIL_CODE 0x80000000u  // Beside the kinds of events, as what a file is remembered by.

// The kernel reads by itself what is to be executed, and touches some of it before it says so.
static __always_inline int vigil_is_the_kernel(struct task_struct* task) {
  return (task->flags & KERNEL_PF_KTHREAD) != 0 || BPF_CORE_READ_BITFIELD(task, in_execve);
}

// True where the pages of `wanted` are what a read of `inode` gives. Of an overlay the upper file,
// or the lowest: one whose owner was changed may have its content beneath still.
static __always_inline int vigil_has_pages_of(struct inode* inode, struct inode* wanted) {
  struct ovl_inode* overlay;
  struct ovl_entry* entry;
  struct vigil_layer_path lower = {};
  struct dentry* lowest;
  __u32 count;
  if (inode == wanted) return 1;
  if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != KERNEL_OVERLAY_MAGIC) return 0;
  overlay = (void*)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);
  if (BPF_CORE_READ(overlay, __upperdentry, d_inode) == wanted) return 1;
  entry = BPF_CORE_READ(overlay, oe);
  count = BPF_CORE_READ(entry, __numlower);
  if (!entry || count == 0) return 0;
  bpf_probe_read_kernel(&lower, sizeof lower,
                        (void*)entry + bpf_core_field_offset(struct ovl_entry, __lowerstack) +
                            (__u64)(count - 1) * sizeof lower);
  lowest = lower.dentry;
  return BPF_CORE_READ(lowest, d_inode) == wanted;
}

struct vigil_search {
  struct inode* wanted;
  struct file** files;
  struct file* found;
  __u64 is_written;
};

static long vigil_each_descriptor(__u32 index, struct vigil_search* search) {
  struct file* file = 0;
  bpf_probe_read_kernel(&file, sizeof file, search->files + index);
  if (!file || !vigil_has_pages_of(BPF_CORE_READ(file, f_inode), search->wanted)) return 0;
  if (!vigil_is_read_only(file)) {
    search->is_written = 1;
    return 0;
  }
  search->found = file;
  return 1;
}

SEC("tp_btf/mm_filemap_get_pages")
int vigil_page_read(__u64* context) {
  struct address_space* pages = (void*)context[0];
  struct inode* inode = pages->host;
  struct vigil_tag tag = vigil_file_tag(inode->i_ino, inode->i_sb->s_dev, VIGIL_WIRE_OPEN);
  struct vigil_search search = {.wanted = inode};
  struct task_struct* task = vigil_current();
  __u64 now = bpf_jiffies64();
  struct fdtable* table;
  struct file* file;
  struct path path;
  __u32 count;
  if (vigil_is_seen(&tag, now) || vigil_is_the_kernel(task) || !vigil_is_watched(inode)) return 0;
  table = BPF_CORE_READ(task, files, fdt);
  search.files = BPF_CORE_READ(table, fd);
  count = BPF_CORE_READ(table, max_fds);
  if (count > DESCRIPTORS_MAX) count = DESCRIPTORS_MAX;
  bpf_loop(count, vigil_each_descriptor, &search, 0);
  // Neither: what overlayfs copies up.
  file = search.found;
  if (file || search.is_written) vigil_remember(&tag, now);
  if (file) {
    path.mnt = BPF_CORE_READ(file, f_path.mnt);
    path.dentry = BPF_CORE_READ(file, f_path.dentry);
    vigil_report(&path, VIGIL_WIRE_OPEN, &tag);
  }
  return 0;
}

struct bpf_iter_task_vma {
  __u64 opaque;
};
extern int bpf_iter_task_vma_new(struct bpf_iter_task_vma* walk, struct task_struct* task,
                                 __u64 address) __ksym __weak;
extern struct vm_area_struct* bpf_iter_task_vma_next(struct bpf_iter_task_vma* walk) __ksym __weak;
extern void bpf_iter_task_vma_destroy(struct bpf_iter_task_vma* walk) __ksym __weak;

struct vigil_uses {
  struct file *code, *data;
};

static __always_inline void vigil_take_use(struct vm_area_struct* area, struct vigil_uses* uses) {
  struct file* file = BPF_CORE_READ(area, vm_file);
  if (BPF_CORE_READ(area, vm_flags) & KERNEL_VM_EXEC) {
    uses->code = file;
  } else if (!uses->data && vigil_is_read_only(file)) {
    uses->data = file;
  }
}

// Held by who changes what it guards.
static __always_inline int vigil_is_held(struct rw_semaphore* semaphore) {
  return !bpf_core_field_exists(semaphore->count) || (semaphore->count.counter & 1) != 0;
}

// The process's uses of a file, from the mappings that all processes have of it: where these are
// few, that is a hundredth of a walk through all that the process has mapped. False where that is
// needed. They are read without their lock, between two looks at it. A change that begins and ends
// between the two could hide one mapping of the process and leave another in sight.
#define FEW_MAPPINGS 8
static __always_inline int vigil_find_uses(struct address_space* pages, struct mm_struct* mm,
                                           struct vigil_uses* uses) {
  struct rb_node* nodes[FEW_MAPPINGS] = {pages->i_mmap.rb_root.rb_node};
  __u32 count = 1;
  if (!nodes[0] || vigil_is_held(&pages->i_mmap_rwsem)) return 0;
  for (__u32 index = 0; index < FEW_MAPPINGS; index++) {
    struct rb_node* node = nodes[index];
    struct vm_area_struct* area =
        (void*)node - bpf_core_field_offset(struct vm_area_struct, shared.rb);
    struct rb_node *left, *right;
    if (!node) break;
    left = BPF_CORE_READ(node, rb_left);
    right = BPF_CORE_READ(node, rb_right);
    if (left && count < FEW_MAPPINGS) nodes[count & (FEW_MAPPINGS - 1)] = left;
    count += left != 0;
    if (right && count < FEW_MAPPINGS) nodes[count & (FEW_MAPPINGS - 1)] = right;
    count += right != 0;
    if (BPF_CORE_READ(area, vm_mm) == mm) vigil_take_use(area, uses);
  }
  return count <= FEW_MAPPINGS && (uses->code || uses->data) &&
         !vigil_is_held(&pages->i_mmap_rwsem);
}

static __always_inline int vigil_walk_uses(struct inode* inode, struct task_struct* task,
                                           struct vigil_uses* uses) {
  struct bpf_iter_task_vma walk;
  struct vm_area_struct* area;
  int is_walked = bpf_iter_task_vma_new(&walk, task, 0) == 0;
  while ((area = bpf_iter_task_vma_next(&walk))) {
    struct file* file = area->vm_file;
    if (!file || file->f_inode != inode) continue;
    vigil_take_use(area, uses);
    if (uses->code) break;
  }
  bpf_iter_task_vma_destroy(&walk);
  return is_walked;
}

// Which of the program's mappings the page was taken for is not told; one that is executable makes
// all of the file code.
static __always_inline int vigil_touched(struct address_space* pages) {
  struct inode* inode = pages->host;
  struct task_struct* task = vigil_current();
  struct vigil_workload_key own = vigil_workload_of(task);
  struct vigil_uses uses = {};
  __u64 now = bpf_jiffies64();
  struct vigil_tag workload =
      vigil_tag_of(inode->i_ino, inode->i_sb->s_dev, VIGIL_CODE, own.mounts_id, own.cgroup_id);
  struct vigil_tag program;
  if (vigil_is_seen(&workload, now)) return 0;
  program =
      vigil_tag_of(inode->i_ino, inode->i_sb->s_dev, task->tgid, own.mounts_id, task->self_exec_id);
  if (vigil_is_seen(&program, now)) return 0;
  if (vigil_is_the_kernel(task)) return 0;
  if (!vigil_find_uses(pages, task->mm, &uses) && !vigil_walk_uses(inode, task, &uses)) {
    return 0; /* Another thread changes the mappings: at the next page then. */
  }
  if (uses.code) {
    if (vigil_sight_file(uses.code, VIGIL_WIRE_MAP)) vigil_remember(&workload, now);
  } else {
    if (uses.data) vigil_sight_file(uses.data, VIGIL_WIRE_OPEN);
    vigil_remember(&program, now - vigil_repeat_ticks + DATA_TICKS);
  }
  return 0;
}

SEC("tp_btf/mm_filemap_map_pages")
int vigil_page_map(__u64* context) {
  return vigil_touched((void*)context[0]);
}

SEC("tp_btf/mm_filemap_fault")
int vigil_page_fault(__u64* context) {
  return vigil_touched((void*)context[0]);
}

char LICENSE[] SEC("license") = "GPL";
