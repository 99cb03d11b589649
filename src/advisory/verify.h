// The whole check of a database: every byte of every shard.
#pragma once

#include <string>
#include <vector>

#include "advisory/database.h"
#include "advisory/manifest.h"

namespace vigil::advisory {

struct ShardCheck {
  std::string name;
  std::string digest;
  uint64_t bytes = 0;  // As the manifest says both.
  Status status;       // An Error names the shard and what is wrong with it.
};

struct DatabaseCheck {
  SignedManifest manifest;
  std::vector<ShardCheck> shards;  // As in the manifest.
  bool is_whole() const;
};

// Size, digest, block checksums and every record of each shard, on all processors. "" is the
// starter. An Error: the manifest cannot be read, or a key is none.
Result<DatabaseCheck> verify_database(const std::string& folder,
                                      const std::vector<PublicKey>& trusted);

}  // namespace vigil::advisory
