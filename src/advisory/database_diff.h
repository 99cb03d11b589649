// What changed between two databases, by the ids of their records.
#pragma once

#include <string>
#include <vector>

#include "advisory/manifest.h"
#include "base/result.h"

namespace vigil::advisory {

struct RecordName {
  std::string source;  // The feed; "" for facts of CVEs and ends of life.
  std::string id;      // "DSA-5417-1", "CVE-2024-1234", "debian 12".
  auto operator<=>(const RecordName&) const = default;
};

// Lists are sorted.
struct ShardDiff {
  std::string name;
  std::vector<RecordName> added;
  std::vector<RecordName> removed;
  std::vector<RecordName> changed;
  std::vector<std::string> newly_exploited;  // CVEs that are known to be exploited, and were not.
};

struct DatabaseDiff {
  Manifest before;
  Manifest after;
  std::vector<ShardDiff> shards;  // Those with another digest, sorted by name.
};

// Both are folders; "" is the starter. EPSS scores are not compared: nearly all change every day.
// An Error names the shard that cannot be read.
Result<DatabaseDiff> diff_databases(const std::string& before, const std::string& after);

}  // namespace vigil::advisory
