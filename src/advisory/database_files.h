// The files of a database folder (manifest.h tells which): how they change.
#pragma once

#include <string>
#include <vector>

#include "advisory/manifest.h"
#include "advisory/shard_writer.h"

namespace vigil::advisory {

std::vector<ManifestShard> manifest_shards(const std::vector<WrittenShard>& written);

// Writes shards, in the order of the manifest's, then the manifest, which is the moment of change.
// Whatever fails before leaves the old database as it was.
Status write_database(const std::string& folder, const Manifest& manifest,
                      const std::vector<WrittenShard>& written, const PrivateKey* key);

// Removes what neither manifest names from shards/: leftovers of interrupted updates, and shards of
// the database before the last one. Those of `previous` (may be null) stay for the programs that
// still read it. What cannot be removed stays.
void remove_stale_shards(const std::string& folder, const Manifest& current,
                         const Manifest* previous);

}  // namespace vigil::advisory
