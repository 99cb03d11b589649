/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Records as the kernel's programs write them into the ring: the only header that C and C++ share.
 * Widths are fixed, padding is explicit, kinds are numbered once. Both sides assert the sizes. */
#ifndef VIGIL_BPF_WIRE_H
#define VIGIL_BPF_WIRE_H

#include <linux/types.h>

/* As EventKind (model/event.h). */
enum vigil_wire_kind {
  VIGIL_WIRE_EXEC = 1,
  VIGIL_WIRE_MAP = 2,
  VIGIL_WIRE_OPEN = 3,
  VIGIL_WIRE_FORK = 4,
  VIGIL_WIRE_EXIT = 5,
  VIGIL_WIRE_LISTEN = 6,
  VIGIL_WIRE_ACCEPT = 7,
  VIGIL_WIRE_CONNECT = 8,
};

enum vigil_wire_flags {
  VIGIL_WIRE_DELETED = 1,
  VIGIL_WIRE_TRUNCATED = 2, /* The path has more components, or bytes, than were copied. */
  VIGIL_WIRE_SNAPSHOT = 4,
};

/* What failed: indexes of vigil_counts. */
enum vigil_wire_reason {
  VIGIL_WIRE_RING_FULL = 0,
  VIGIL_WIRE_SCRATCH_TAKEN = 1,   /* Another program wrote into the same buffer. */
  VIGIL_WIRE_PATH_UNREADABLE = 2, /* The record was sent without its path's beginning. */
  VIGIL_WIRE_ARGUMENTS_UNREADABLE = 3,
  VIGIL_WIRE_CONNECTION_UNMARKED = 4, /* It will not be told that it was accepted. */
  VIGIL_WIRE_REASONS = 5,
};

enum vigil_wire_bounds {
  VIGIL_WIRE_PATH_BYTES = 4096,
  VIGIL_WIRE_NAME_BYTES = 256, /* NAME_MAX and its end. */
  VIGIL_WIRE_PATH_STEPS = 48,
  VIGIL_WIRE_ARGUMENT_BYTES = 4096,
};

/* Who: begins every record. Times are nanoseconds since boot, suspended time counted. */
struct vigil_wire_header {
  __u64 time;
  __u64 started_at;
  __u64 cgroup_id;
  __u64 capabilities;
  __u64 mounts_id; /* Of the mount namespace; unlike its inode it is never used again. */
  __u32 pid;
  __u32 parent_pid;
  __u32 uid;
  __u32 mount_namespace;
  __u32 kind;
  __u32 flags;
  char name[16];
};

/* Exec, map, open. Devices as the kernel numbers them: major << 20 | minor. */
struct vigil_wire_file {
  struct vigil_wire_header header;
  __u64 inode;
  __u64 real_inode;
  __u32 device;
  __u32 real_device;
  __s32 layer; /* 0 upper, 1 topmost lower folder, …; -1 not known or no overlay. */
  __u16 path_bytes;
  __u16 argument_bytes;
  /* The path's components, last one first, each with a zero behind; then the arguments. */
  char text[VIGIL_WIRE_PATH_BYTES + VIGIL_WIRE_NAME_BYTES + VIGIL_WIRE_ARGUMENT_BYTES];
};

/* Listen, accept, connect. Addresses and ports in network order. */
struct vigil_wire_socket {
  struct vigil_wire_header header;
  __u8 address[16];
  __u8 peer[16];
  __u32 network_namespace;
  __u16 port; /* Ours. */
  __u16 peer_port;
  __u16 family;   /* AF_INET, AF_INET6. */
  __u16 protocol; /* IPPROTO_TCP, IPPROTO_UDP. */
  __u32 padding;
};

#define VIGIL_WIRE_FILE_FIXED_BYTES __builtin_offsetof(struct vigil_wire_file, text)

#ifdef __cplusplus
#define VIGIL_WIRE_ASSERT(condition) static_assert(condition, #condition)
#else
#define VIGIL_WIRE_ASSERT(condition) _Static_assert(condition, #condition)
#endif
VIGIL_WIRE_ASSERT(sizeof(struct vigil_wire_header) == 80);
VIGIL_WIRE_ASSERT(VIGIL_WIRE_FILE_FIXED_BYTES == 112);
VIGIL_WIRE_ASSERT(sizeof(struct vigil_wire_file) == 112 + 8448);
VIGIL_WIRE_ASSERT(sizeof(struct vigil_wire_socket) == 128);

#endif
