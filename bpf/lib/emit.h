/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Sending records, and counting those that could not be sent. */
#ifndef VIGIL_BPF_EMIT_H
#define VIGIL_BPF_EMIT_H

#include "../maps.h"

static __always_inline void vigil_count(__u32 reason, __u64 cgroup_id) {
  struct vigil_loss_key key = {.cgroup_id = cgroup_id, .reason = reason};
  __u64 one = 1;
  __u64* count = bpf_map_lookup_elem(&vigil_losses, &key);
  if (count) {
    __sync_fetch_and_add(count, 1);
  } else if (bpf_map_update_elem(&vigil_losses, &key, &one, BPF_NOEXIST) != 0) {
    /* Raced, or too many workloads lose events: then nobody's in particular. */
    key.cgroup_id = 0;
    count = bpf_map_lookup_elem(&vigil_losses, &key);
    if (count)
      __sync_fetch_and_add(count, 1);
    else
      bpf_map_update_elem(&vigil_losses, &key, &one, BPF_ANY);
  }
  /* Last: who sees the count finds whose it is. */
  if (reason < VIGIL_WIRE_REASONS) __sync_fetch_and_add(&vigil_counts[reason], 1);
}

/* The reader looks by itself now and then; it is woken for a workload that is new, because that may
 * not live long, and before the ring is full. */
static __always_inline __u64 vigil_wake_flags(const struct vigil_wire_header* header) {
  struct vigil_workload_key key = {.cgroup_id = header->cgroup_id, .mounts_id = header->mounts_id};
  __u64 time = header->time;
  if (!bpf_map_lookup_elem(&vigil_workloads, &key)) {
    bpf_map_update_elem(&vigil_workloads, &key, &time, BPF_ANY);
    return BPF_RB_FORCE_WAKEUP;
  }
  if (bpf_ringbuf_query(&vigil_ring, BPF_RB_AVAIL_DATA) > vigil_wake_bytes) {
    return BPF_RB_FORCE_WAKEUP;
  }
  return BPF_RB_NO_WAKEUP;
}

/* False where it was lost, which is counted. */
static __always_inline int vigil_send(void* record, __u64 bytes) {
  struct vigil_wire_header* header = record;
  if (bpf_ringbuf_output(&vigil_ring, record, bytes, vigil_wake_flags(header)) == 0) return 1;
  vigil_count(VIGIL_WIRE_RING_FULL, header->cgroup_id);
  return 0;
}

#endif
