// Where events come from. Each source is one file in event_sources/ and one line in
// event_sources.def: "bpf" (the kernel's own programs), "proc" (perf's records, fanotify and
// samples of /proc, where BPF can't run), "replay" (a recorded file, for tests).
//
// A source reports a file that is opened or mapped once per workload and kind, and again when it is
// used SourceOptions::repeat_seconds later; likewise a connection, once per process, port and peer.
// Forks, exits, execs and sockets that begin to listen are reported each time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/event.h"

namespace vigil::sensor {

// One thing that a host may allow, for `vigil watch --check`.
struct Ability {
  std::string name;  // "exec: tp_btf/sched_process_exec"
  bool is_available = false;
  std::string reason;     // Why not, as the kernel says it; "" where it is available.
  std::string otherwise;  // What takes its place, or what then can't be seen.
};

struct SourceOptions {
  uint64_t ring_bytes = 8 << 20;  // A small one makes drops, for tests.
  uint64_t repeat_seconds = 60;   // A file still in use is reported again after this.
  // Forces one: "lsm", "fexit", "page-cache", "tracepoint"; proc: "connector". "" is the best there
  // is.
  std::string back_end;
  std::string recording;  // replay: the file to read.
  // Processes whose own acts are not reported, nor those of the children they start from then on.
  std::vector<uint32_t> ignored_pids;
};

// Events that were lost between two batches.
struct Loss {
  std::string reason;  // "ring buffer full", "path unreadable", …
  uint64_t count = 0;
  uint64_t cgroup_id = 0;  // 0: nobody knows whose.
};

struct Batch {
  std::vector<Event> events;  // In the order of `at`, as far as the kernel gives one.
  std::vector<Loss> losses;
};

class EventSource {
 public:
  virtual ~EventSource() = default;
  // "bpf, files by page-cache, sockets by socket hooks, 16 programs": for people, with what could
  // not be used and why.
  virtual std::string description() const = 0;
  // What it can't see on this host, a sentence each.
  virtual std::vector<std::string> blind_spots() const = 0;
  // Everything that runs already, as events with is_snapshot. Called once, after the programs are
  // attached, so that nothing falls between.
  virtual Result<Batch> snapshot() = 0;
  // What one process has mapped executable right now.
  virtual Result<Batch> snapshot_of(uint32_t pid) = 0;
  // A descriptor to poll for more events (it wakes some times a second without any, too); -1: call
  // next_batch each 200 ms.
  virtual int poll_fd() const = 0;
  // What came since the last call, without waiting.
  virtual Result<Batch> next_batch() = 0;
};

struct EventSourceKind {
  std::string_view name;  // "bpf"
  std::string_view summary;
  // What this host can do; attaches nothing that stays.
  std::vector<Ability> (*probe)();
  // Loads, attaches and tests itself: it makes a file, executes and maps it, and sees itself do it;
  // an Error names the program that failed.
  Result<std::unique_ptr<EventSource>> (*open)(const SourceOptions& options);
};

std::span<const EventSourceKind* const> all_event_sources();      // Best first.
const EventSourceKind* find_event_source(std::string_view name);  // Null where there is none.

}  // namespace vigil::sensor
