// What a kernel saw: one occurrence, and the process that did it. A sensor reports first sightings
// and what changes; it decides nothing. Times are nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigil {

using UnixNanoseconds = int64_t;

// Which file, beyond its name. Devices are as stat(2) writes them (makedev of major and minor).
struct FileId {
  uint64_t device = 0;  // As a process sees it: an overlay's own device.
  uint64_t inode = 0;
  // Of the file beneath an overlay, shared by all containers of a layer; else as above.
  uint64_t real_device = 0;
  uint64_t real_inode = 0;
  // Position in the overlay: 0 upper (made or changed after the image), 1 the topmost lower folder,
  // more below it; -1: on no overlay, or not known.
  int32_t layer = -1;
  bool operator==(const FileId&) const = default;
};

// Numbers are kept in recordings and never used again.
enum class EventKind : uint8_t {
  kExec = 1,  // `path` was started; `command_line` says how.
  kMap = 2,   // `path` was mapped executable.
  kOpen = 3,  // `path` was opened, and neither of the above is known.
  kFork = 4,  // `process` is the child.
  kExit = 5,
  kListen = 6,   // `address`, `port`: a socket of the process began to listen.
  kAccept = 7,   // `peer`: a connection came in on `port`.
  kConnect = 8,  // A connection to `peer`, `port` was begun.
};
std::string_view to_string(EventKind kind);  // "exec", "map", "open", …

// Who did it. 0 and "" where it could not be learned any more.
struct ProcessFacts {
  uint32_t pid = 0;  // As the host counts: the thread group.
  uint32_t parent_pid = 0;
  UnixNanoseconds started_at = 0;  // With pid: one process for ever.
  uint32_t uid = 0;                // The effective one, as the host counts.
  uint64_t capabilities = 0;       // Effective, a bit each.
  std::string name;                // comm.
  std::string executable;          // Path inside the process's own root.
  uint64_t cgroup_id = 0;          // Inode of its folder in the cgroup2 hierarchy; 0: none.
  uint32_t mount_namespace = 0;    // Inode of it.
  bool operator==(const ProcessFacts&) const = default;
};

struct Event {
  EventKind kind = EventKind::kExec;
  UnixNanoseconds at = 0;
  ProcessFacts process;
  // True where this was found when the sensor attached (or by sampling) and not seen happening.
  bool is_snapshot = false;

  // kExec, kMap, kOpen. The path inside the root of the process, without a leading slash, links
  // resolved; "" where it could not be told.
  std::string path;
  FileId file;
  bool is_deleted = false;    // The name is gone, or belongs to another file now.
  bool is_truncated = false;  // The path is longer than the sensor could copy.
  std::string command_line;   // kExec: arguments joined by spaces, cut at 4096 bytes.

  // kListen, kAccept, kConnect. Addresses as inet_ntop writes them.
  std::string address;
  std::string peer;
  uint16_t port = 0;
  uint32_t network_namespace = 0;  // Inode of the socket's.
  bool operator==(const Event&) const = default;
};

}  // namespace vigil
