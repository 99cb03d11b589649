/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What was reported already, in a table of hashes: to find a file in it costs one line of memory,
 * where a hash map's chain costs several. What falls out of a full set, the oldest, is reported
 * again. Processors that write at once may forget each other's; nothing is remembered that was not
 * seen. */
#ifndef VIGIL_BPF_SEEN_H
#define VIGIL_BPF_SEEN_H

#include "../maps.h"

static __always_inline __u64 vigil_mix(__u64 hash, __u64 value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ (hash >> 32);
}

/* What one use is remembered as, and where. Files that were made one after the other are often used
 * so: their sets lie in one page. */
struct vigil_tag {
  __u64 value;
  __u32 set;
};

#define VIGIL_SETS_OF_PAGE 64
static __always_inline struct vigil_tag vigil_tag_of(__u64 inode, __u64 device, __u32 user,
                                                     __u64 mounts_id, __u64 group) {
  struct vigil_tag tag;
  __u64 in_page = inode & (VIGIL_SETS_OF_PAGE - 1);
  __u64 hash = vigil_mix(vigil_seed, inode / VIGIL_SETS_OF_PAGE);
  hash = vigil_mix(hash, device << 32 | user);
  hash = vigil_mix(vigil_mix(hash, mounts_id), group);
  tag.set = (hash & (VIGIL_SEEN_SETS - 1) & ~(__u64)(VIGIL_SETS_OF_PAGE - 1)) | in_page;
  tag.value = vigil_mix(hash, in_page) ?: 1;
  return tag;
}

static __always_inline struct vigil_seen* vigil_seen_set(const struct vigil_tag* tag) {
  __u32 index = tag->set;
  return bpf_map_lookup_elem(&vigil_files, &index);
}

static __always_inline int vigil_is_seen(const struct vigil_tag* tag, __u64 now) {
  struct vigil_seen* set = vigil_seen_set(tag);
  if (!set) return 0;
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    if (set->way[way].tag == tag->value) return now - set->way[way].at < vigil_repeat_ticks;
  }
  return 0;
}

static __always_inline void vigil_remember(const struct vigil_tag* tag, __u64 at) {
  struct vigil_seen* set = vigil_seen_set(tag);
  __u64 oldest = -1ull;
  int chosen = 0;
  if (!set) return;
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    __u64 age_from = set->way[way].tag == tag->value ? 0 : set->way[way].at;
    if (age_from < oldest) {
      oldest = age_from;
      chosen = way;
    }
  }
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    if (way != chosen) continue;
    set->way[way].at = at;
    set->way[way].tag = tag->value;
  }
}

static __always_inline void vigil_forget(const struct vigil_tag* tag) {
  struct vigil_seen* set = vigil_seen_set(tag);
  if (!set) return;
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    if (set->way[way].tag == tag->value) set->way[way].tag = 0;
  }
}

#endif
