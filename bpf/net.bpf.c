// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
// Sockets that begin to listen, connections that come in and go out, of both internet families. A
// UDP socket listens once it is bound to a port that was asked for.
// A server's connections from one peer are reported as a file's uses are: the first, and now and
// then one.
#include "lib/sight.h"
#include "lib/socket.h"

#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_LISTEN 10

// What is filled of the record: addresses and ports.
static __always_inline void vigil_sight_addresses(struct vigil_wire_socket* out, __u32 kind) {
  struct task_struct* task = vigil_current();
  struct vigil_socket_key key = {};
  __u64* seen;
  __u32 pid = bpf_get_current_pid_tgid() >> 32;
  __u64 now = bpf_jiffies64();
  key.cgroup_id = vigil_workload_of(task).cgroup_id;
  __builtin_memcpy(key.peer, out->peer, sizeof key.peer);
  key.pid = pid;
  key.port = kind == VIGIL_WIRE_CONNECT ? out->peer_port : out->port;
  key.kind = kind;
  seen = bpf_map_lookup_elem(&vigil_sockets, &key);
  if (seen && kind != VIGIL_WIRE_LISTEN && now - *seen < vigil_repeat_ticks) return;
  if (vigil_is_ignored(pid)) return;
  bpf_map_update_elem(&vigil_sockets, &key, &now, BPF_ANY);
  vigil_fill_header(&out->header, task, kind);
  if (!vigil_send(out, sizeof *out)) bpf_map_delete_elem(&vigil_sockets, &key);
}

static __always_inline void vigil_sight_socket(struct sock* socket, __u32 kind) {
  struct vigil_wire_socket out = {};
  if (vigil_fill_socket(&out, socket)) vigil_sight_addresses(&out, kind);
}

// These two states are set by the process that calls listen or connect.
SEC("tp_btf/inet_sock_set_state")
int vigil_socket_state(__u64* context) {
  struct sock* socket = (void*)context[0];
  int state = context[2];
  if (state != TCP_LISTEN && state != TCP_SYN_SENT) return 0;
  if (BPF_CORE_READ(socket, sk_protocol) != IPPROTO_TCP) return 0;
  vigil_sight_socket(socket, state == TCP_LISTEN ? VIGIL_WIRE_LISTEN : VIGIL_WIRE_CONNECT);
  return 0;
}

static __always_inline void vigil_accepted(__s64 fd) {
  struct file* file;
  struct sock* socket;
  if (fd < 0) return;
  file = vigil_file_of(fd);
  if (!file) return;
  socket = vigil_socket_of(file);
  if (socket) vigil_sight_socket(socket, VIGIL_WIRE_ACCEPT);
}

SEC("tp/syscalls/sys_exit_accept")
int vigil_accept(struct vigil_sys_exit* context) {
  vigil_accepted(context->result);
  return 0;
}

SEC("tp/syscalls/sys_exit_accept4")
int vigil_accept4(struct vigil_sys_exit* context) {
  vigil_accepted(context->result);
  return 0;
}

// bind(fd, address, bytes). The port is the second half word of both families' addresses.
SEC("tp/syscalls/sys_enter_bind")
int vigil_bind_enter(struct vigil_sys_enter* context) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u64 fd = context->arguments[0];
  __u64 address = context->arguments[1];
  __u16 words[2] = {};
  bpf_probe_read_user(words, sizeof words, (void*)address);
  if ((words[0] != KERNEL_AF_INET && words[0] != KERNEL_AF_INET6) || words[1] == 0) return 0;
  bpf_map_update_elem(&vigil_calls, &thread, &fd, BPF_ANY);
  return 0;
}

SEC("tp/syscalls/sys_exit_bind")
int vigil_bind(struct vigil_sys_exit* context) {
  __u64 thread = bpf_get_current_pid_tgid();
  __u64* found = bpf_map_lookup_elem(&vigil_calls, &thread);
  struct file* file;
  struct sock* socket;
  __u32 fd;
  if (!found) return 0;
  fd = *found;
  bpf_map_delete_elem(&vigil_calls, &thread);
  if (context->result != 0) return 0;
  file = vigil_file_of(fd);
  socket = file ? vigil_socket_of(file) : 0;
  if (socket && BPF_CORE_READ(socket, sk_protocol) == IPPROTO_UDP) {
    vigil_sight_socket(socket, VIGIL_WIRE_LISTEN);
  }
  return 0;
}

#define IO_URING_ACCEPT 13

SEC("tp_btf/io_uring_complete")
int vigil_uring_accept(__u64* context) {
  struct io_kiocb* request = (void*)context[1];
  if (BPF_CORE_READ(request, opcode) == IO_URING_ACCEPT) {
    vigil_accepted(BPF_CORE_READ(request, cqe.res));
  }
  return 0;
}

// Without a system call's tracepoint, which slows all of them: a connection that came in is marked
// when it is established, and taken when its first bytes are.
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u32);
} vigil_incoming SEC(".maps");

SEC("tp_btf/inet_sock_set_state")
int vigil_established(__u64* context) {
  struct sock* socket = (void*)context[0];
  int before = context[1], state = context[2];
  if (before != TCP_SYN_RECV || state != TCP_ESTABLISHED) return 0;
  if (!bpf_sk_storage_get(&vigil_incoming, socket, 0, BPF_SK_STORAGE_GET_F_CREATE)) {
    vigil_count(VIGIL_WIRE_CONNECTION_UNMARKED, 0);
  }
  return 0;
}

// sock_recv_length(socket, result, flags)
SEC("tp_btf/sock_recv_length")
int vigil_received(__u64* context) {
  struct sock* socket = (void*)context[0];
  /* Most often there is nothing to ask for. */
  if (!socket->sk_bpf_storage || (__s32)context[1] < 0 ||
      !bpf_sk_storage_get(&vigil_incoming, socket, 0, 0)) {
    return 0;
  }
  bpf_sk_storage_delete(&vigil_incoming, socket);
  vigil_sight_socket(socket, VIGIL_WIRE_ACCEPT);
  return 0;
}

// The same for bind: the port that is asked for, then the socket that has it. They never refuse.
static __always_inline void vigil_asked_for(struct bpf_sock_addr* asked) {
  __u64 thread = bpf_get_current_pid_tgid(), yes = 1;
  if (asked->protocol != IPPROTO_UDP) return;
  if (asked->user_port == 0) {
    bpf_map_delete_elem(&vigil_calls, &thread); /* Of a bind that failed. */
  } else {
    bpf_map_update_elem(&vigil_calls, &thread, &yes, BPF_ANY);
  }
}

static __always_inline int vigil_was_asked_for(void) {
  __u64 thread = bpf_get_current_pid_tgid();
  return bpf_map_delete_elem(&vigil_calls, &thread) == 0;
}

static __always_inline void vigil_bound(struct vigil_wire_socket* out, struct bpf_sock* socket) {
  struct task_struct* task = vigil_current();
  out->family = socket->family;
  out->port = __builtin_bswap16(socket->src_port);
  out->protocol = IPPROTO_UDP;
  out->network_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
  vigil_sight_addresses(out, VIGIL_WIRE_LISTEN);
}

SEC("cgroup/bind4")
int vigil_bind4(struct bpf_sock_addr* context) {
  vigil_asked_for(context);
  return 1;
}

SEC("cgroup/bind6")
int vigil_bind6(struct bpf_sock_addr* context) {
  vigil_asked_for(context);
  return 1;
}

SEC("cgroup/post_bind4")
int vigil_bound4(struct bpf_sock* context) {
  struct vigil_wire_socket out = {};
  if (context->protocol != IPPROTO_UDP || !vigil_was_asked_for()) return 1;
  *(__u32*)out.address = context->src_ip4;
  vigil_bound(&out, context);
  return 1;
}

SEC("cgroup/post_bind6")
int vigil_bound6(struct bpf_sock* context) {
  struct vigil_wire_socket out = {};
  __u32* address = (__u32*)out.address;
  if (context->protocol != IPPROTO_UDP || !vigil_was_asked_for()) return 1;
  address[0] = context->src_ip6[0];
  address[1] = context->src_ip6[1];
  address[2] = context->src_ip6[2];
  address[3] = context->src_ip6[3];
  vigil_bound(&out, context);
  return 1;
}

char LICENSE[] SEC("license") = "GPL";
