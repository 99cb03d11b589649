// What /proc tells of running processes, as events: the snapshot where the kernel has no iterators,
// and all there is where it runs no programs of ours. It knows nothing of an overlay's layers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/event.h"
#include "sensor/event_source.h"
#include "sensor/proc_folder.h"

namespace vigil::sensor {

std::vector<uint32_t> running_processes();

// The program a process runs, without a leading slash; "" where it has ended or has none.
std::string executable_of(uint32_t pid);

// The arguments it was started with, as one line; "" where it has ended.
std::string command_line(uint32_t pid);

// A line of /proc/PID/maps that maps a file executable.
struct CodeMapping {
  uint64_t device = 0;
  uint64_t inode = 0;
  std::string path;  // Without a leading slash.
  bool is_deleted = false;
  bool operator==(const CodeMapping&) const = default;
};
std::vector<CodeMapping> parse_maps(std::string_view text);  // Each file once.

// A listening socket of /proc/net/tcp, tcp6, udp or udp6. One of UDP listens when it is bound and
// has no peer.
struct ListeningSocket {
  uint64_t inode = 0;
  std::string address;
  uint16_t port = 0;
  bool operator==(const ListeningSocket&) const = default;
};
enum class Transport : uint8_t { kTcp, kUdp };
std::vector<ListeningSocket> parse_net_sockets(std::string_view text, Transport transport);

// One thread.
class ProcReader {
 public:
  explicit ProcReader(UnixNanoseconds boot_time);

  // Nothing where it has ended.
  std::optional<ProcessFacts> facts_of(uint32_t pid) const;
  // Everything about one process: kExec of its program, kMap of what it has mapped executable,
  // kOpen of regular files it holds, kListen of its sockets. All with is_snapshot. Nothing where it
  // has ended, or is a thread of the kernel.
  std::vector<Event> events_of(uint32_t pid);
  // Of processes that hold more descriptors than are looked at.
  std::vector<Loss> new_losses() { return std::exchange(losses_, {}); }
  // Sockets are read once per network namespace until this.
  void forget_sockets() { sockets_.clear(); }

 private:
  const std::vector<ListeningSocket>& sockets_of(uint32_t pid, uint32_t network_namespace);

  UnixNanoseconds boot_time_;
  ProcFolder proc_;
  std::string cgroup2_;  // Where it is mounted; "" where it is not.
  std::vector<Loss> losses_;
  std::unordered_map<uint32_t, std::vector<ListeningSocket>> sockets_;
};

}  // namespace vigil::sensor
