#include "advisory/verify.h"

#include <algorithm>

#include "advisory/database_source.h"
#include "advisory/shard.h"
#include "base/digest.h"
#include "base/thread_pool.h"

namespace vigil::advisory {

namespace {

Status check(const DatabaseSource& source, const ManifestShard& shard) {
  const MappedShard mapped = TRY(source.map(shard));
  if (sha256(mapped.bytes()).text() != shard.digest) {
    return fail(ErrorCode::kMalformed,
                "the shard " + shard.name + " does not have the digest that the manifest states");
  }
  return check_shard(mapped.bytes(), shard.name);
}

}  // namespace

bool DatabaseCheck::is_whole() const {
  return std::ranges::all_of(shards, [](const ShardCheck& one) { return one.status.has_value(); });
}

Result<DatabaseCheck> verify_database(const std::string& folder,
                                      const std::vector<PublicKey>& trusted) {
  const DatabaseSource source = TRY(DatabaseSource::open(folder, trusted));
  DatabaseCheck out;
  out.manifest = source.signed_manifest();
  for (const ManifestShard& shard : out.manifest.manifest.shards) {
    out.shards.push_back(
        {.name = shard.name, .digest = shard.digest, .bytes = shard.bytes, .status = {}});
  }
  parallel_for(out.shards.size(), 0, [&](size_t index) {
    out.shards[index].status = check(source, out.manifest.manifest.shards[index]);
  });
  return out;
}

}  // namespace vigil::advisory
