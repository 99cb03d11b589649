#include "advisory/database_files.h"

#include <filesystem>
#include <set>

#include "base/digest.h"
#include "base/file.h"

namespace vigil::advisory {

std::vector<ManifestShard> manifest_shards(const std::vector<WrittenShard>& written) {
  std::vector<ManifestShard> shards;
  for (const WrittenShard& shard : written) {
    shards.push_back({.name = shard.meta.name,
                      .digest = sha256(as_bytes(shard.bytes)).text(),
                      .bytes = shard.bytes.size(),
                      .records_count = shard.meta.records_count,
                      .sources = shard.meta.sources});
  }
  return shards;
}

Status write_database(const std::string& folder, const Manifest& manifest,
                      const std::vector<WrittenShard>& written, const PrivateKey* key) {
  TRY(make_folders(folder + "/shards"));
  for (size_t i = 0; i < written.size(); ++i) {
    const std::string path = folder + "/" + manifest.shards[i].file_name();
    // The name is the content's digest: what is there whole need not be written again.
    const Result<std::string> there = read_file(path, written[i].bytes.size());
    if (there && *there == written[i].bytes) continue;
    TRY(write_atomically(path, written[i].bytes));
  }
  return write_atomically(folder + "/manifest.json", encode_manifest(manifest, key));
}

void remove_stale_shards(const std::string& folder, const Manifest& current,
                         const Manifest* previous) {
  std::set<std::string> kept;
  for (const ManifestShard& shard : current.shards) kept.insert(shard.file_name());
  if (previous != nullptr) {
    for (const ManifestShard& shard : previous->shards) kept.insert(shard.file_name());
  }
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder + "/shards", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = "shards/" + at->path().filename().string();
    std::error_code ignored;
    if (!kept.contains(name)) std::filesystem::remove(at->path(), ignored);
  }
}

}  // namespace vigil::advisory
