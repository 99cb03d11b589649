#include "advisory/database_source.h"

#include <sys/stat.h>

#include "advisory/starter.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kManifestName = "manifest.json";

Status check_size(const ManifestShard& shard, uint64_t bytes) {
  if (bytes == shard.bytes) return {};
  return fail(ErrorCode::kMalformed, "the shard " + shard.name + " has " + std::to_string(bytes) +
                                         " bytes and should have " + std::to_string(shard.bytes) +
                                         "; fetch it again with 'vigil db update'");
}

std::unexpected<Error> missing(const ManifestShard& shard) {
  return fail(ErrorCode::kNotFound,
              "the shard " + shard.name + " is missing; fetch it again with 'vigil db update'");
}

// The state of a shard that can be seen without opening it.
Status look_at(const std::string& folder, const ManifestShard& shard) {
  const std::string path = folder + "/" + shard.file_name();
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return missing(shard);
  return check_size(shard, static_cast<uint64_t>(status.st_size));
}

}  // namespace

Result<DatabaseSource> DatabaseSource::open(const std::string& folder,
                                            const std::vector<PublicKey>& trusted) {
  DatabaseSource source;
  source.folder_ = folder;
  if (folder.empty()) {
    const std::string_view text = as_text(starter_file(kManifestName));
    if (!text.empty()) source.signed_ = TRY(decode_manifest(text, trusted));
    return source;
  }
  Result<SignedManifest> manifest = read_manifest(folder, trusted);
  if (!manifest && manifest.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kNotFound, folder +
                                          ": there is no advisory database; install one with "
                                          "'vigil db build' or 'vigil db update'");
  }
  source.signed_ = TRY(std::move(manifest));
  for (const ManifestShard& shard : source.manifest().shards) {
    const Status status = look_at(folder, shard);
    if (!status) source.damage_.push_back(status.error().text());
  }
  return source;
}

Result<MappedShard> DatabaseSource::map(const ManifestShard& shard) const {
  if (is_starter()) {
    const ByteView bytes = starter_file(shard.file_name());
    TRY(check_size(shard, bytes.size()));
    return MappedShard(bytes);
  }
  Result<MappedFile> file = MappedFile::open(folder_ + "/" + shard.file_name());
  if (!file && file.error().code == ErrorCode::kNotFound) return missing(shard);
  MappedShard mapped(TRY(std::move(file)));
  TRY(check_size(shard, mapped.bytes().size()));
  return mapped;
}

}  // namespace vigil::advisory
