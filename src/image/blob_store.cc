#include "image/blob_store.h"

#include <map>
#include <optional>

#include "base/limits.h"
#include "decode/byte_stream.h"
#include "decode/inflate.h"
#include "decode/tar.h"
#include "image/claim_table.h"
#include "image/layer_walk.h"

namespace vigil::image {

namespace {

class FolderStore final : public BlobStore {
 public:
  explicit FolderStore(FileAccess& files) : files_(files) {}

  Result<Blob> open(std::string_view name) override {
    auto fd = std::make_shared<const Fd>(TRY(files_.open(name, FileAccess::Links::kRefuse)));
    const uint64_t bytes = TRY(file_bytes(*fd));
    return Blob{std::move(fd), 0, bytes};
  }

 private:
  FileAccess& files_;
};

class TarStore final : public BlobStore {
 public:
  explicit TarStore(std::shared_ptr<const Fd> fd) : fd_(std::move(fd)) {}

  Status index() {
    decode::FileStream stream(*fd_, 0, TRY(file_bytes(*fd_)));
    TRY(refuse_compressed());
    decode::TarReader tar(stream);
    while (TRY(tar.next())) {
      if (members_.size() == limits::kArchiveIndexEntriesMax) {
        return fail(ErrorCode::kTooLarge, "more members than kArchiveIndexEntriesMax");
      }
      const decode::TarEntry& entry = tar.entry();
      const std::optional<std::string> path = clean_path(entry.path);
      if (!path || path->empty() || path->size() > limits::kPathBytesMax) continue;
      Member member = {entry.offset, entry.stored_bytes, std::nullopt};
      if (entry.type == decode::TarType::kSymlink) {
        const std::string target(entry.link);
        member.link = clean_path(target.starts_with('/') ? target : join(folder_of(*path), target));
        if (!member.link) continue;
      } else if (entry.type == decode::TarType::kHardLink) {
        member.link = clean_path(entry.link);
        if (!member.link) continue;
      } else if (entry.type != decode::TarType::kRegular || entry.is_sparse) {
        continue;
      }
      members_.insert_or_assign(*path, std::move(member));
    }
    return {};
  }

  Result<Blob> open(std::string_view name) override {
    std::optional<std::string> path = clean_path(name);
    if (!path) {
      return fail(ErrorCode::kMalformed, std::string(name) + " leads out of the archive");
    }
    for (uint64_t links = 0; links <= limits::kLinkDepthMax; ++links) {
      const auto at = members_.find(*path);
      if (at == members_.end()) {
        return fail(ErrorCode::kNotFound, *path + " is not in the archive");
      }
      if (!at->second.link) return Blob{fd_, at->second.offset, at->second.bytes};
      path = at->second.link;
    }
    return fail(ErrorCode::kTooLarge, std::string(name) + ": more links than kLinkDepthMax");
  }

 private:
  struct Member {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    std::optional<std::string> link;
  };

  Status refuse_compressed() const {
    decode::FileStream front(*fd_, 0, TRY(file_bytes(*fd_)));
    const decode::Compression compression = decode::compression_of(TRY(front.next()));
    if (compression == decode::Compression::kNone) return {};
    return fail(ErrorCode::kUnsupported, "the archive itself is compressed with " +
                                             std::string(to_string(compression)) +
                                             "; decompress it first");
  }

  std::shared_ptr<const Fd> fd_;
  std::map<std::string, Member, std::less<>> members_;
};

}  // namespace

std::unique_ptr<BlobStore> open_folder_store(FileAccess& files) {
  return std::make_unique<FolderStore>(files);
}

Result<std::unique_ptr<BlobStore>> open_tar_store(FileAccess& files) {
  auto fd = std::make_shared<const Fd>(TRY(files.open("", FileAccess::Links::kFollow)));
  auto store = std::make_unique<TarStore>(std::move(fd));
  TRY(store->index());
  std::unique_ptr<BlobStore> opened = std::move(store);
  return opened;
}

bool has_blob(BlobStore& store, std::string_view name) {
  return store.open(name).has_value();
}

Result<std::string> read_blob(const Blob& blob, uint64_t bytes_max) {
  if (blob.bytes > bytes_max) {
    return fail(ErrorCode::kTooLarge, std::to_string(blob.bytes) + " bytes, at most " +
                                          std::to_string(bytes_max) + " are read");
  }
  std::string content;
  decode::FileStream stream(*blob.fd, blob.offset, blob.bytes);
  for (;;) {
    const ByteView piece = TRY(stream.next());
    if (piece.empty()) return content;
    content += as_text(piece);
  }
}

}  // namespace vigil::image
