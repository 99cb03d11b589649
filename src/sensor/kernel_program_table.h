// The programs of bpf/, in what sets they are used, and what is not seen without each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/event.h"

namespace vigil::sensor {

// How files are seen, and how sockets that are bound and connections that are taken.
enum class Way : uint8_t {
  kAny,
  kLsm,
  kFunction,
  kPageCache,
  kTracepoint,
  kSocketHook,
  kSocketCall
};

struct BackEnd {
  std::string_view name;
  Way files, sockets;
};

// Best first. Tracepoints of system calls slow every system call of the machine: they come last.
inline constexpr BackEnd kBackEnds[] = {
    {"lsm", Way::kLsm, Way::kSocketHook},
    {"lsm", Way::kLsm, Way::kSocketCall},
    {"fexit", Way::kFunction, Way::kSocketHook},
    {"fexit", Way::kFunction, Way::kSocketCall},
    {"page-cache", Way::kPageCache, Way::kSocketHook},
    {"page-cache", Way::kPageCache, Way::kSocketCall},
    {"tracepoint", Way::kTracepoint, Way::kSocketCall},
};

inline std::string_view name_of(Way sockets) {
  return sockets == Way::kSocketHook ? "socket hooks" : "system calls";
}

struct ProgramFacts {
  const char* name;
  const char* attaches;
  EventKind sees;
  Way way;
  bool is_needed;       // Without it there is no such way.
  bool needs_find_vma;  // bpf_find_vma, since 5.17.
  const char* otherwise;
};

// What may be refused comes first: then it is found out soon.
inline constexpr ProgramFacts kPrograms[] = {
    {"vigil_lsm_open", "lsm/file_open", EventKind::kOpen, Way::kLsm, true, false,
     "files are seen by another back end"},
    {"vigil_lsm_map", "lsm/mmap_file", EventKind::kMap, Way::kLsm, true, false,
     "libraries are seen by another back end"},
    {"vigil_lsm_protect", "lsm/file_mprotect", EventKind::kMap, Way::kLsm, false, false,
     "files mapped first and made executable later are not seen"},
    {"vigil_function_open", "fexit/security_file_open", EventKind::kOpen, Way::kFunction, true,
     false, "files are seen by another back end"},
    {"vigil_function_map", "fexit/security_mmap_file", EventKind::kMap, Way::kFunction, true, false,
     "libraries are seen by another back end"},
    {"vigil_function_protect", "fexit/security_file_mprotect", EventKind::kMap, Way::kFunction,
     false, false, "files mapped first and made executable later are not seen"},
    {"vigil_page_read", "tp_btf/mm_filemap_get_pages", EventKind::kOpen, Way::kPageCache, true,
     false, "files are seen as system calls open them"},
    {"vigil_page_map", "tp_btf/mm_filemap_map_pages", EventKind::kMap, Way::kPageCache, true, false,
     "libraries are seen as system calls map them"},
    {"vigil_page_fault", "tp_btf/mm_filemap_fault", EventKind::kMap, Way::kPageCache, true, false,
     "libraries are seen as system calls map them"},
    {"vigil_exec", "tp_btf/sched_process_exec", EventKind::kExec, Way::kAny, true, false,
     "programs that are started are not seen"},
    {"vigil_fork", "tp_btf/sched_process_fork", EventKind::kFork, Way::kAny, true, false,
     "new processes are not seen"},
    {"vigil_exit", "tp_btf/sched_process_exit", EventKind::kExit, Way::kAny, true, false,
     "the end of processes is not seen"},
    {"vigil_openat", "tp/syscalls/sys_exit_openat", EventKind::kOpen, Way::kTracepoint, true, false,
     "files opened by openat are not seen"},
    {"vigil_open", "tp/syscalls/sys_exit_open", EventKind::kOpen, Way::kTracepoint, false, false,
     "files opened by open are not seen"},
    {"vigil_openat2", "tp/syscalls/sys_exit_openat2", EventKind::kOpen, Way::kTracepoint, false,
     false, "files opened by openat2 are not seen"},
    {"vigil_open_by_handle_at", "tp/syscalls/sys_exit_open_by_handle_at", EventKind::kOpen,
     Way::kTracepoint, false, false, "files opened by open_by_handle_at are not seen"},
    {"vigil_uring", "tp_btf/io_uring_complete", EventKind::kOpen, Way::kTracepoint, false, false,
     "files opened through io_uring are not seen"},
    {"vigil_mmap", "tp/syscalls/sys_exit_mmap", EventKind::kMap, Way::kTracepoint, true, false,
     "libraries that are loaded are not seen"},
    {"vigil_mmap_enter", "tp/syscalls/sys_enter_mmap", EventKind::kMap, Way::kTracepoint, true,
     false, "libraries that are loaded are not seen"},
    {"vigil_mprotect", "tp/syscalls/sys_exit_mprotect", EventKind::kMap, Way::kTracepoint, false,
     true, "files mapped first and made executable later are not seen"},
    {"vigil_mprotect_enter", "tp/syscalls/sys_enter_mprotect", EventKind::kMap, Way::kTracepoint,
     false, true, "files mapped first and made executable later are not seen"},
    {"vigil_loader", "tp_btf/sched_process_exec", EventKind::kMap, Way::kTracepoint, false, true,
     "the dynamic loader, which the kernel maps by itself, is seen in snapshots only"},
    {"vigil_socket_state", "tp_btf/inet_sock_set_state", EventKind::kListen, Way::kAny, false,
     false, "TCP sockets that listen, and connections that go out, are not seen"},
    {"vigil_established", "tp_btf/inet_sock_set_state", EventKind::kAccept, Way::kSocketHook, true,
     false, "connections are seen as system calls take them"},
    {"vigil_received", "tp_btf/sock_recv_length", EventKind::kAccept, Way::kSocketHook, true, false,
     "connections are seen as system calls take them"},
    {"vigil_bound4", "cgroup/post_bind4", EventKind::kListen, Way::kSocketHook, true, false,
     "UDP sockets are seen as system calls bind them"},
    {"vigil_bind4", "cgroup/bind4", EventKind::kListen, Way::kSocketHook, true, false,
     "UDP sockets are seen as system calls bind them"},
    {"vigil_bound6", "cgroup/post_bind6", EventKind::kListen, Way::kSocketHook, true, false,
     "UDP sockets are seen as system calls bind them"},
    {"vigil_bind6", "cgroup/bind6", EventKind::kListen, Way::kSocketHook, true, false,
     "UDP sockets are seen as system calls bind them"},
    {"vigil_bind", "tp/syscalls/sys_exit_bind", EventKind::kListen, Way::kSocketCall, false, false,
     "UDP sockets are seen in snapshots only"},
    {"vigil_bind_enter", "tp/syscalls/sys_enter_bind", EventKind::kListen, Way::kSocketCall, false,
     false, "UDP sockets are seen in snapshots only"},
    {"vigil_accept", "tp/syscalls/sys_exit_accept", EventKind::kAccept, Way::kSocketCall, false,
     false, "connections taken by accept are not seen"},
    {"vigil_accept4", "tp/syscalls/sys_exit_accept4", EventKind::kAccept, Way::kSocketCall, false,
     false, "connections taken by accept4 are not seen"},
    {"vigil_uring_accept", "tp_btf/io_uring_complete", EventKind::kAccept, Way::kSocketCall, false,
     false, "connections taken through io_uring are not seen"},
    {"vigil_each_task", "iter/task", EventKind::kExec, Way::kAny, false, false,
     "what ran before is read from /proc, without its layers"},
    {"vigil_each_mapping", "iter/task_vma", EventKind::kMap, Way::kAny, false, false,
     "what ran before is read from /proc, without its layers"},
    {"vigil_each_file", "iter/task_file", EventKind::kOpen, Way::kAny, false, false,
     "what ran before is read from /proc, without its layers"},
};

inline std::string full_name(const ProgramFacts& program) {
  return std::string(program.name) + " (" + program.attaches + ")";
}

// Iterators run when they are read.
inline bool is_iterator(const ProgramFacts& program) {
  return std::string_view(program.attaches).starts_with("iter/");
}

}  // namespace vigil::sensor
