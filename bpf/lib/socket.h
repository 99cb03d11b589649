/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Facts of a socket. */
#ifndef VIGIL_BPF_SOCKET_H
#define VIGIL_BPF_SOCKET_H

#include "../maps.h"

#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

/* The socket behind a descriptor; null where it is none. */
static __always_inline struct sock* vigil_socket_of(struct file* file) {
  struct socket* socket;
  if ((BPF_CORE_READ(file, f_path.dentry, d_inode, i_mode) & KERNEL_S_IFMT) != KERNEL_S_IFSOCK) {
    return 0;
  }
  socket = BPF_CORE_READ(file, private_data);
  return BPF_CORE_READ(socket, sk);
}

/* False for what is no socket of the internet. */
static __always_inline int vigil_fill_socket(struct vigil_wire_socket* out, struct sock* socket) {
  out->family = BPF_CORE_READ(socket, __sk_common.skc_family);
  out->port = __builtin_bswap16(BPF_CORE_READ(socket, __sk_common.skc_num));
  out->peer_port = BPF_CORE_READ(socket, __sk_common.skc_dport);
  out->protocol = BPF_CORE_READ(socket, sk_protocol);
  out->network_namespace = BPF_CORE_READ(socket, __sk_common.skc_net.net, ns.inum);
  if (out->family == KERNEL_AF_INET) {
    *(__u32*)out->address = BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr);
    *(__u32*)out->peer = BPF_CORE_READ(socket, __sk_common.skc_daddr);
  } else if (out->family == KERNEL_AF_INET6) {
    BPF_CORE_READ_INTO(&out->address, socket, __sk_common.skc_v6_rcv_saddr);
    BPF_CORE_READ_INTO(&out->peer, socket, __sk_common.skc_v6_daddr);
  } else {
    return 0;
  }
  return 1;
}

#endif
