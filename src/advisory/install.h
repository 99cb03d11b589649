// Brings a database under a new manifest. Whatever interrupts it, and whenever, what the folder
// serves is the old database or the new one, whole:
//
//   1. the manifest is fetched into memory and judged: form, signature, serial, shrinking shards;
//   2. shards whose digest is not there yet are fetched to shards/.partial-…, checked whole, synced
//      and renamed to a name that carries their digest, so that none is ever changed in place;
//   3. manifest.json is replaced by rename, the moment of change;
//   4. shards that neither the new nor the replaced manifest names are removed.
//
// What 2 has fetched before an interruption is used by the next try. Programs that have the old
// database open keep it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/manifest.h"
#include "advisory/origin.h"
#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "base/time.h"

namespace vigil::advisory {

struct InstallOptions {
  std::string folder = "";  // The database; made where it is not there.
  std::vector<PublicKey> trusted_keys = {};
  // Refuse what none of the keys signed. Remote origins need that always.
  bool needs_signature = false;
  bool allows_rollback = false;  // To a lower serial, or to other content under the same.
  bool accepts_shrink = false;   // A shard that lost more than a fifth of its records, or all.
  UnixSeconds now = 0;
};

struct InstallSummary {
  SignedManifest installed;
  uint64_t serial_before = 0;         // 0: there was no database.
  bool is_changed = false;            // The manifest is another than before.
  uint64_t shards_fetched_count = 0;  // The others were there already.
  uint64_t bytes_fetched = 0;
  std::vector<std::string> warnings;  // Unsigned, expired, damage that was repaired.
};

// How far it is: told before each shard that is fetched, and whenever some of it came.
struct InstallProgress {
  std::string_view shard;
  uint64_t shards_done = 0;
  uint64_t shards_total = 0;  // Those to fetch.
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
};

// kDenied where a rule refuses (with the flag that lifts it), kUnavailable where another update of
// the folder runs, else the error of the origin or the disk; the old database stays in use.
Result<InstallSummary> install_database(const InstallOptions& options, DatabaseOrigin& origin,
                                        FunctionRef<void(const InstallProgress&)> progress);

// Held by whoever changes the database of the folder, until the Fd is closed. kUnavailable where
// somebody else holds it. Readers need no lock.
Result<Fd> lock_database(const std::string& folder);

}  // namespace vigil::advisory
