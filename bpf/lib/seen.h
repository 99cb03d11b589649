/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What was reported already, in a table of hashes: to find a file in it costs one line of memory,
 * where a hash map's chain costs several. What falls out of a full set, the oldest, is reported
 * again. A file is taken for another with a chance of one in five hundred million. */
#ifndef VIGIL_BPF_SEEN_H
#define VIGIL_BPF_SEEN_H

#include "../maps.h"

static __always_inline __u64 vigil_mix(__u64 hash, __u64 value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
  return hash ^ (hash >> 32);
}

/* What one use is remembered as, and where. */
struct vigil_tag {
  __u32 value;
  __u32 set;
};

/* Files that were made one after the other are often used so: four share a set, and 256 a page. */
#define VIGIL_PAGE_SETS 64
#define VIGIL_SET_FILES 4
static __always_inline struct vigil_tag vigil_tag_of(__u64 inode, __u64 device, __u32 user,
                                                     __u64 mounts_id, __u64 group) {
  struct vigil_tag tag;
  __u64 hash = vigil_mix(vigil_seed, inode / (VIGIL_PAGE_SETS * VIGIL_SET_FILES));
  hash = vigil_mix(hash, device << 32 | user);
  hash = vigil_mix(vigil_mix(hash, mounts_id), group);
  tag.set = (hash & (VIGIL_SEEN_SETS / VIGIL_PAGE_SETS - 1)) * VIGIL_PAGE_SETS +
            inode / VIGIL_SET_FILES % VIGIL_PAGE_SETS;
  tag.value = vigil_mix(hash, inode) >> 32 ?: 1;
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
    __u64 seen = set->way[way];
    if (seen >> 32 == tag->value) return (__u32)(now - seen) < vigil_repeat_ticks;
  }
  return 0;
}

static __always_inline void vigil_remember(const struct vigil_tag* tag, __u64 at) {
  struct vigil_seen* set = vigil_seen_set(tag);
  __u32 oldest = 0;
  int chosen = 0;
  if (!set) return;
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    __u64 seen = set->way[way];
    __u32 age = seen == 0 || seen >> 32 == tag->value ? -1u : (__u32)(at - seen);
    if (age > oldest) {
      oldest = age;
      chosen = way;
    }
  }
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    if (way == chosen) set->way[way] = (__u64)tag->value << 32 | (__u32)at;
  }
}

static __always_inline void vigil_forget(const struct vigil_tag* tag) {
  struct vigil_seen* set = vigil_seen_set(tag);
  if (!set) return;
#pragma unroll
  for (int way = 0; way < VIGIL_SEEN_WAYS; way++) {
    if (set->way[way] >> 32 == tag->value) set->way[way] = 0;
  }
}

#endif
