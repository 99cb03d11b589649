// The agent's work between two waits: events to evidence, workloads to inventories, databases to
// changes. One thread, and so are its workers' forks lawful. Nothing in it waits but for the disk.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "exposure/evidence_store.h"
#include "sensor/container_index.h"
#include "sensor/event_source.h"
#include "watch/inventories.h"
#include "watch/line_output.h"
#include "watch/metrics.h"
#include "watch/process_facets.h"
#include "watch/watch.h"
#include "watch/worker.h"

namespace vigil::watch {

class Agent {
 public:
  Agent(const WatchOptions& options, sensor::EventSource& source, exposure::EvidenceStore& store);

  // What runs already. Call it once, first.
  Status take_snapshot();
  // What the sensor has seen since the last call.
  Status take_events();
  // Everything that is due: what was seen goes to disk, workloads that ended, new databases,
  // workers that are done. Call it at least each 200 ms.
  void do_what_is_due();
  void reload();  // Matches again, whatever the database folder looks like.
  void stop();    // Takes the last events, and writes everything.

  // Descriptors to wait for, beside the source's.
  std::vector<int> poll_fds() const;
  Metrics& metrics() { return metrics_; }
  bool is_working() const;      // Inventories or matches are being made.
  std::string summary() const;  // "12 workloads, 3,400 files, 0 events lost"

 private:
  struct Watched {
    Attach attach = Attach::kNone;
    UnixNanoseconds started_at = 0;  // Another start of the same container is told again.
    std::string inventory;           // Key; "": none.
    uint64_t late_rounds = 0;        // Seconds since it ended.
  };
  enum class Making { kWanted, kRunning, kDone, kFailed };
  struct InventoryState {
    InventorySource source;
    Making making = Making::kWanted;
    std::string stamp;  // Of its package databases, where they may change.
    std::string note;
  };
  struct RunningInventory {
    std::string key;
    Worker worker;
  };

  void take(const Event& event);
  void take_file(const Event& event);
  void take_socket(const Event& event);
  void record(const Workload& workload, const Evidence& evidence);
  void take_mappings(uint32_t pid);
  bool is_on_host(const Event& event) const;
  std::string digest_of(const Workload& workload, const Event& event);
  bool may_digest(uint64_t bytes);
  void end_what_is_gone();
  const Workload& workload_of(const ProcessFacts& process);
  void first_sight(const Workload& workload);
  // What the snapshot lost stays unseen while it runs.
  enum class LostIn { kSnapshot, kEvents };
  void lose(std::string_view workload, std::string_view reason, uint64_t count,
            LostIn where = LostIn::kEvents);
  void note_losses(const std::vector<sensor::Loss>& losses, LostIn where);

  void want_inventory(const Workload& workload, Watched& watched);
  void record_inventory(std::string_view workload, const InventoryState& state);
  void work_on_inventories();
  void refresh_workloads();
  void recheck_mappings();
  void recheck_packages();
  void drop_inventories();
  void look_for_database();
  void work_on_matches();
  void try_matching_later();
  void tell_changes(const std::vector<FindingChange>& changes);
  std::vector<std::string> stored_keys() const;
  void write_out();
  void check(const Status& status);

  const WatchOptions& options_;
  sensor::EventSource& source_;
  exposure::EvidenceStore& store_;
  sensor::ContainerIndex index_;
  ProcessFacets facets_;
  Metrics metrics_;
  LineOutput lines_;
  Fd host_root_;

  UnixNanoseconds attached_at_ = 0;
  UnixNanoseconds batch_at_ = 0;
  std::map<std::string, Watched, std::less<>> watched_;
  // Device, inode, size, and the times of its last changes.
  using FileState = std::array<uint64_t, 7>;
  std::map<FileState, std::string> digests_;                      // Of files of upper layers.
  std::unordered_set<uint64_t> told_;                             // Sightings, hashed.
  std::map<std::pair<std::string, std::string>, WatchGap> gaps_;  // By workload and reason.
  std::map<std::string, InventoryState> inventories_;
  std::vector<RunningInventory> making_;
  std::unordered_set<std::string> match_wanted_;
  std::unordered_set<std::string> matched_keys_;  // What matching_ works on.
  UnixNanoseconds match_not_before_ = 0;          // After trouble; 0: at once.
  std::unique_ptr<Worker> matching_;
  std::string database_mark_;  // Of the manifest that was seen last.
  std::string store_trouble_;
  uint64_t digest_bytes_left_ = 0;
  UnixNanoseconds digests_refilled_at_ = 0;
  uint64_t files_count_ = 0;
  uint64_t lost_count_ = 0;

  UnixNanoseconds written_at_ = 0;
  UnixNanoseconds refreshed_at_ = 0;
  UnixNanoseconds mappings_at_ = 0;
  UnixNanoseconds packages_at_ = 0;
  UnixNanoseconds dropped_at_ = 0;
};

}  // namespace vigil::watch
