// Records of perf_event_open(2): who starts, ends, changes namespaces and maps code. All a kernel
// tells of it without programs of ours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "model/event.h"

namespace vigil::sensor {

struct PerfRecord {
  enum class Kind : uint8_t {
    kFork,        // `pid` was started by `parent_pid`.
    kExec,        // `pid` begins another program, `name`; the first code it maps is that program.
    kNamespaces,  // `pid` is in `mount_namespace`.
    kMap,         // `pid` mapped the file `device`, `inode`, `path` executable.
    kExit,
    kLost,  // So many records were.
  };
  Kind kind = Kind::kLost;
  UnixNanoseconds at = 0;
  uint32_t pid = 0;  // As the host counts: the thread group.
  uint32_t parent_pid = 0;
  uint32_t mount_namespace = 0;  // Inode of it.
  uint64_t device = 0;           // As stat(2) writes it: an overlay's own.
  uint64_t inode = 0;
  uint64_t lost = 0;
  std::string name;  // comm.
  std::string path;  // As the process's root has it, without a leading slash.
  bool is_deleted = false;
  bool operator==(const PerfRecord&) const = default;
};

// One record, its header first; nothing where it is of threads, of memory that is no file's, or of
// no use here. The bytes are taken as hostile: paths and names in them are chosen by whoever runs.
std::optional<PerfRecord> decode_perf(ByteView record);

// The kernel's lists of processors: "0-2,5".
std::set<int> parse_processors(std::string_view list);

// A ring of records for each processor that is online. One thread.
class PerfRings {
 public:
  static Result<PerfRings> open();

  int poll_fd() const { return epoll_.get(); }
  // What came since the last call, in the order of `at`.
  std::vector<PerfRecord> read();
  // Opens rings for processors that came online since, and closes those of processors that went,
  // whose records are to be read before. How many came; what they did until now is not known.
  Result<size_t> follow_processors();

 private:
  struct Unmap {
    void operator()(void* memory) const;
  };
  struct Ring {
    Fd fd;
    std::unique_ptr<void, Unmap> memory;
  };
  PerfRings() = default;
  Status open_ring(int processor);

  Fd epoll_;
  std::string online_;         // The kernel's list, as it was last.
  std::map<int, Ring> rings_;  // By processor.
};

}  // namespace vigil::sensor
