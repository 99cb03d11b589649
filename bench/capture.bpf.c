// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// For contrast: every system call, begin and end, is sent to the reader, as monitors that match
// rules against all of them do it. No part of vigil.
#include "../bpf/kernel.h"

struct capture_record {
  __u64 time, thread, cgroup_id, number;
  __u64 arguments[6]; /* At the end, the result. */
  char name[16];
  char path[64];
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} capture_ring SEC(".maps");

const volatile __u32 capture_reader = 0;
__u64 capture_lost = 0;

#define NUMBER_OPEN 2
#define NUMBER_EXECVE 59
#define NUMBER_OPENAT 257

static __always_inline struct capture_record* capture_begin(__u64 number) {
  struct capture_record* record;
  __u64 thread = bpf_get_current_pid_tgid();
  if (thread >> 32 == capture_reader) return 0;
  record = bpf_ringbuf_reserve(&capture_ring, sizeof *record, 0);
  if (!record) {
    __sync_fetch_and_add(&capture_lost, 1);
    return 0;
  }
  record->time = bpf_ktime_get_boot_ns();
  record->thread = thread;
  record->cgroup_id = bpf_get_current_cgroup_id();
  record->number = number;
  bpf_get_current_comm(record->name, sizeof record->name);
  record->path[0] = 0;
  return record;
}

struct capture_context {
  __u64 common;
  __s64 number;
  __u64 arguments[6]; /* At the end, the first is the result. */
};

SEC("tp/raw_syscalls/sys_enter")
int capture_enter(struct capture_context* context) {
  __s64 number = context->number;
  struct capture_record* record = capture_begin(number);
  if (!record) return 0;
  __builtin_memcpy(record->arguments, context->arguments, sizeof record->arguments);
  if (number == NUMBER_OPENAT) {
    bpf_probe_read_user_str(record->path, sizeof record->path, (void*)record->arguments[1]);
  } else if (number == NUMBER_OPEN || number == NUMBER_EXECVE) {
    bpf_probe_read_user_str(record->path, sizeof record->path, (void*)record->arguments[0]);
  }
  bpf_ringbuf_submit(record, 0);
  return 0;
}

SEC("tp/raw_syscalls/sys_exit")
int capture_exit(struct capture_context* context) {
  __u64 result = context->arguments[0];
  struct capture_record* record = capture_begin(context->number);
  if (!record) return 0;
  record->arguments[0] = result;
  bpf_ringbuf_submit(record, 0);
  return 0;
}

char LICENSE[] SEC("license") = "GPL";
