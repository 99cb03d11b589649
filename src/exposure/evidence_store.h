// What was seen in use on this node, kept on disk: workloads, files seen in each, who listens, and
// when nobody looked. One process writes (the agent), any number read at the same time. The schema
// stands in STORE_FORMAT.md beside this file. What was written is on disk at the latest when
// flush() returns; after kill -9 all but what was recorded since is there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/exposure.h"
#include "model/workload.h"

namespace vigil::exposure {

// A process that has a socket, for the facets of what it runs.
struct SocketFact {
  EventKind kind = EventKind::kListen;
  uint32_t pid = 0;
  UnixNanoseconds process_started_at = 0;
  std::string address = {};
  std::string peer = {};
  uint16_t port = 0;
  UnixNanoseconds first_seen = 0;
  bool operator==(const SocketFact&) const = default;
};

// Everything known of one workload: what join.h turns into an Exposure.
struct WorkloadRecord {
  Workload workload;
  Attach attach = Attach::kNone;
  std::string inventory;       // File of its inventory, relative to the state folder; "": none yet.
  std::string inventory_note;  // Why there is none.
  std::vector<Evidence> files;
  std::vector<SocketFact> sockets;
  std::vector<WatchGap> gaps;  // Its own and the node's, in order of time.
  UnixNanoseconds watched_from = 0;
  UnixNanoseconds watched_to = 0;  // Last time that the sensor looked.
  // Last time that all its processes' mappings were looked at and their files' last_seen moved on;
  // 0: never, and then nobody can say that something was seen at the start only.
  UnixNanoseconds rechecked_at = 0;
  std::string sensor;
  std::vector<std::string> blind_spots;
};

class EvidenceStore {
 public:
  // The agent's: makes `folder` (mode 0700) and the store in it; kDenied where another agent has
  // it. Old entries go past the bounds of base/limits.h: ended workloads first.
  static Result<std::unique_ptr<EvidenceStore>> open_for_writing(const std::string& folder);
  // A reader's; never waits for the writer.
  static Result<std::unique_ptr<EvidenceStore>> open_for_reading(const std::string& folder);
  virtual ~EvidenceStore() = default;

  // Writing. Kept in memory until flush(), at most kPendingEvidenceMax of base/limits.h
  // (kTooLarge past it; gaps and workloads have room of their own); a flush that fails (a full
  // disk) keeps it, to be tried again. Each merges with what is there: by Workload::id, where what
  // is known stays where the new value is not; by (workload, path, file identity), keeping the
  // stronger use with its process, first_seen, adding counts and facets.
  virtual Status record_workload(const Workload& workload, Attach attach) = 0;
  virtual Status record_inventory(std::string_view workload, std::string_view file,
                                  std::string_view note) = 0;
  virtual Status record_file(std::string_view workload, const Evidence& evidence) = 0;
  virtual Status record_socket(std::string_view workload, const SocketFact& socket) = 0;
  virtual Status record_recheck(std::string_view workload, UnixNanoseconds at) = 0;
  // "": the whole node.
  virtual Status record_gap(std::string_view workload, const WatchGap& gap) = 0;
  // The sensor looks, as of `now`; what it is and can't see. The time between the last call before
  // a crash and the first after it becomes a gap of the node by itself.
  virtual Status record_alive(UnixNanoseconds now, std::string_view sensor,
                              const std::vector<std::string>& blind_spots) = 0;
  // A workload that the store calls running and that ended while nobody looked: its end is when the
  // agent before this one looked last.
  virtual Status record_ended(std::string_view workload) = 0;
  virtual Status flush() = 0;

  // What the store did to itself since the last call: a damaged one set aside, entries that went
  // past the bounds.
  virtual std::vector<std::string> take_notes() = 0;

  // Reading: what was flushed.
  virtual Result<std::vector<Workload>> workloads() = 0;  // Running ones first, newest first.
  virtual Result<WorkloadRecord> read(std::string_view workload) = 0;
  // The files that its workloads name, as record_inventory() was given them.
  virtual Result<std::vector<std::string>> inventories() = 0;
};

}  // namespace vigil::exposure
