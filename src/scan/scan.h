// The static path: from a target to a Report. run_scan reads aloud what a scan does; each line
// opens a Phase of its name.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/database.h"
#include "base/phase.h"
#include "base/result.h"
#include "base/work_counts.h"
#include "match/ignore_rules.h"
#include "model/finding.h"

namespace vigil::scan {

struct ScanOptions {
  std::string target;           // As typed: scan/target.h.
  std::string platform;         // --platform; "" is this machine's.
  std::string distro;           // --distro: overrides what the target says.
  size_t threads_count = 0;     // 0: one per processor.
  bool with_files = false;      // Report::files.
  bool compares_image = false;  // Report::live_root, of container: and pid:.
  bool verify_diff_ids = false;
  std::string cache_folder;  // "": no cache.
  UnixSeconds now = 0;
  advisory::OpenDatabaseOptions database;
  std::vector<match::IgnoreRule> ignore_rules;
  // Called ten times a second while the target is read, on a thread of its own, and a last time
  // with null; may be empty. What it is told comes from the parsing child: for display only.
  std::function<void(const WorkCounts* counts)> progress;
  // The same while packages are matched: how many of them are judged; a last time with 0 of 0.
  std::function<void(uint64_t done, uint64_t total)> match_progress;
  // Brings the database up to date; may be empty. Called when the parsing child is gone and before
  // the database is opened: it may use the network and threads.
  std::function<Status()> update;
};

struct ScanOutcome {
  Report report;
  std::optional<Sbom> image;  // Of a running root: what its image has.
  // Protections of the parsing child that were on; empty where no child was needed.
  std::vector<std::string> protections;
  // What a user must be told beside the result: a protection that is off, a cache that cannot be
  // used.
  std::vector<std::string> notes;
  bool is_cached = false;  // The inventory came from the cache.
  // What the parsing child did, as it says itself, and the memory it needed; zero without one.
  WorkCounts work;
  uint64_t child_peak_memory_bytes = 0;
  PhaseLog phases;
};

// Requires: called while the process has one thread (the parsing child is forked first).
// An Error: the target could not be read at all, or there is no usable database. All else that
// could not be seen is a Gap.
Result<ScanOutcome> run_scan(const ScanOptions& options);
// The inventory alone: no database is opened, verdicts and findings stay empty.
Result<ScanOutcome> run_sbom(const ScanOptions& options);

}  // namespace vigil::scan
