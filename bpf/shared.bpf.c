// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// What all programs share, made once.
#define VIGIL_BPF_OWNER
#include "maps.h"

const volatile __u64 vigil_repeat_ticks = 0;
const volatile __u64 vigil_seed = 0;
const volatile __u64 vigil_wake_bytes = 1 << 20;
const volatile __u32 vigil_overlay_is_old = 0;
__u64 vigil_counts[VIGIL_WIRE_REASONS] = {};

// The kernel's word for programs that may call all of its functions.
char LICENSE[] SEC("license") = "GPL";
