// Where a database's bytes come from: a folder, or the program itself. Threads: const, may be
// shared.
#pragma once

#include <string>
#include <vector>

#include "advisory/manifest.h"
#include "base/file.h"

namespace vigil::advisory {

// The bytes of one shard; of the starter they are the program's own.
class MappedShard {
 public:
  MappedShard() = default;
  explicit MappedShard(MappedFile file) : file_(std::move(file)) {}
  explicit MappedShard(ByteView embedded) : embedded_(embedded) {}
  ByteView bytes() const { return embedded_.empty() ? file_.bytes() : embedded_; }

 private:
  MappedFile file_;
  ByteView embedded_;
};

class DatabaseSource {
 public:
  // Reads the manifest and looks at the sizes of the shards. "" is the starter.
  static Result<DatabaseSource> open(const std::string& folder,
                                     const std::vector<PublicKey>& trusted);

  const Manifest& manifest() const { return signed_.manifest; }
  const SignedManifest& signed_manifest() const { return signed_; }
  const std::string& signer() const { return signed_.signer; }
  bool has_signatures() const { return signed_.has_signatures; }
  bool is_starter() const { return folder_.empty(); }
  // "the shard debian-12 is missing …", one for each shard that was seen to be unusable.
  const std::vector<std::string>& damage() const { return damage_; }

  // The bytes, of the size that the manifest states. An Error names the shard.
  Result<MappedShard> map(const ManifestShard& shard) const;

 private:
  std::string folder_;
  SignedManifest signed_;
  std::vector<std::string> damage_;
};

}  // namespace vigil::advisory
