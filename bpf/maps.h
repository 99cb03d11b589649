/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What all programs share. shared.bpf.c owns it; the others refer to it. */
#ifndef VIGIL_BPF_MAPS_H
#define VIGIL_BPF_MAPS_H

#include "kernel.h"
#include "wire.h"

#ifdef VIGIL_BPF_OWNER
#define VIGIL_SHARED
#else
#define VIGIL_SHARED extern
#endif

/* Files that were reported, by workload and way of use: half a hash of that, and when, in ticks; 0
 * is none. One set is one line of the processor's cache. */
#define VIGIL_SEEN_SETS 65536
#define VIGIL_SEEN_WAYS 8
struct vigil_seen {
  __u64 way[VIGIL_SEEN_WAYS];
};

struct vigil_socket_key {
  __u64 cgroup_id;
  __u8 peer[16];
  __u32 pid;
  __u16 port;
  __u16 kind;
};

struct vigil_workload_key {
  __u64 cgroup_id;
  __u64 mounts_id;
};

struct vigil_loss_key {
  __u64 cgroup_id;
  __u64 reason;
};

/* Where records are put together, on each processor: one place for what happens, one for iterators,
 * which other programs interrupt. Programs of the tracing kind are not interrupted by each other;
 * LSM hooks may be, which `turn` shows. */
enum { VIGIL_HAPPENING = 0, VIGIL_ITERATING = 1 };
struct vigil_scratch {
  __u64 turn;
  struct vigil_wire_file file;
};

VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} vigil_ring SEC(".maps");

VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, VIGIL_SEEN_SETS);
  __type(key, __u32);
  __type(value, struct vigil_seen);
} vigil_files SEC(".maps");

/* Values are the time of the last report, in ticks. */
VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct vigil_socket_key);
  __type(value, __u64);
} vigil_sockets SEC(".maps");

/* Workloads that an event was sent of: the first one of each wakes the reader at once. */
VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct vigil_workload_key);
  __type(value, __u64);
} vigil_workloads SEC(".maps");

VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, struct vigil_loss_key);
  __type(value, __u64);
} vigil_losses SEC(".maps");

/* Thread groups whose acts are not reported, nor those of their children. */
VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u8);
} vigil_ignored SEC(".maps");

/* Threads inside a system call whose arguments its end needs. */
VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, __u64);
} vigil_calls SEC(".maps");

VIGIL_SHARED struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 2);
  __type(key, __u32);
  __type(value, struct vigil_scratch);
} vigil_scratch_space SEC(".maps");

/* Set before loading. */
extern const volatile __u64 vigil_repeat_ticks;   /* Of the kernel's own, the cheapest clock. */
extern const volatile __u64 vigil_seed;           /* Of hashes, so that nobody can aim at one. */
extern const volatile __u64 vigil_wake_bytes;     /* Wake the reader when so much waits. */
extern const volatile __u32 vigil_overlay_is_old; /* overlayfs of before 6.5. */
/* Losses by reason, all workloads. */
extern __u64 vigil_counts[VIGIL_WIRE_REASONS];

#endif
