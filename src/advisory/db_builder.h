// From a folder of feeds to a database of shards. Builds are reproducible: the same feeds, times
// and key give the same bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/feed.h"
#include "advisory/manifest.h"
#include "base/function_ref.h"

namespace vigil::advisory {

struct BuildOptions {
  std::string feeds_folder;  // Laid out as docs/feeds.md says.
  std::string out_folder;  // A database; what it holds is compared with the new (shrinking feeds).
  UnixSeconds built_at = 0;
  UnixSeconds expires_at = 0;
  uint64_t serial = 0;  // 0: one more than what out_folder holds, at least built_at.
  const PrivateKey* key = nullptr;
  bool accept_shrink = false;
  size_t threads_count = 0;
};

struct BuildSummary {
  Manifest manifest;
  // Per feed that has files.
  struct FeedCounts {
    uint64_t files = 0;
    uint64_t records = 0;    // Advisories (once per shard), facts of CVEs, releases.
    uint64_t withdrawn = 0;  // Of these.
    std::map<std::string, uint64_t> skipped;  // Records left out, by reason.
  };
  std::map<std::string, FeedCounts> feeds;
};

// How far it is when it begins with a file of a feed, or, with an empty path, with the shards.
struct BuildProgress {
  std::string_view path;
  uint64_t files_done = 0;
  uint64_t files_total = 0;
  uint64_t bytes_done = 0;  // As the files are stored.
  uint64_t bytes_total = 0;
};

// A feed whose files of one folder bring nothing, a source that was announced for a shard and has
// no record in it, and a source that lost more than a fifth of its records since the last build are
// refused by name, unless accept_shrink is set. Fails without touching what out_folder serves.
Result<BuildSummary> build_database(const BuildOptions& options,
                                    FunctionRef<void(const BuildProgress&)> progress);

}  // namespace vigil::advisory
