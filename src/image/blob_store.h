// Where an image's blobs and documents lie: in a folder, or as members of one tar archive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "image/file_access.h"

namespace vigil::image {

// A run of bytes in an open file.
struct Blob {
  std::shared_ptr<const Fd> fd;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// One thread at a time.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  // Names are as an image's documents give them and are hostile: one that leads out is kMalformed.
  virtual Result<Blob> open(std::string_view name) = 0;
};

// Links are refused. `files` must outlive the store.
std::unique_ptr<BlobStore> open_folder_store(FileAccess& files);
// Reads the archive's headers once. Links between members are followed, never out of the archive. A
// compressed archive is kUnsupported.
Result<std::unique_ptr<BlobStore>> open_tar_store(FileAccess& files);

bool has_blob(BlobStore& store, std::string_view name);
// kTooLarge past `bytes_max`.
Result<std::string> read_blob(const Blob& blob, uint64_t bytes_max);

}  // namespace vigil::image
