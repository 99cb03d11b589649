// An opened image or root: its metadata, its layers, and the files that catalogers asked for, as
// the squashed view of any prefix of the layers. File contents are kept only where a claim wants
// them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/work_counts.h"
#include "image/file_access.h"
#include "model/sbom.h"

namespace vigil::image {

// Which paths of an image somebody wants to read. Paths have no leading slash.
enum class ClaimKind : uint8_t {
  kPath,         // Exactly this path.
  kUnderFolder,  // Every file directly in this folder (text ends in '/').
  kInFolders,    // Of each folder directly in a folder, the file of a name: "usr/share/doc/*/NAME".
};
struct Claim {
  ClaimKind kind;
  std::string_view text;
  uint64_t bytes_max;            // Larger files are not kept: a Gap of kind kLimit.
  std::string_view ending = "";  // kUnderFolder: only of files whose names end so.
};

// The files of an image as they stand after some layer, restricted to what was claimed and to
// links. Paths: no leading slash. Links in any part of a path are followed inside the root, at most
// limits::kLinkDepthMax of them. Threads: const, may be shared.
class ImageFs {
 public:
  virtual ~ImageFs() = default;
  // The content of a claimed regular file; kNotFound where there is none (or it was not claimed).
  virtual Result<std::string> read(std::string_view path, uint64_t bytes_max) const = 0;
  // The same for contents that may be large: where they are kept anyway they are not copied.
  virtual Result<std::shared_ptr<const std::string>> share(std::string_view path,
                                                           uint64_t bytes_max) const {
    return std::make_shared<const std::string>(TRY(read(path, bytes_max)));
  }
  // Names of claimed files directly in the folder, sorted.
  virtual std::vector<std::string> list(std::string_view folder) const = 0;
  // The path with the directory links in it resolved (the last part is not followed):
  // "lib/x.so" is "usr/lib/x.so" in a merged-usr root. Paths that lead nowhere come back as given.
  virtual std::string real_path(std::string_view path) const = 0;
  // False once there were too many links to follow (limits::kLinkWorkMax), and paths came back as
  // given.
  virtual bool has_followed_all() const { return true; }
  // Other paths that are hard links to the same file; sorted, often empty.
  virtual std::vector<std::string> hard_links(std::string_view path) const = 0;
};

class Image {
 public:
  virtual ~Image() = default;
  virtual const Target& target() const = 0;
  virtual const std::vector<Layer>& layers() const = 0;  // Empty for a plain root.
  virtual const std::vector<Gap>& gaps() const = 0;
  // The whole image.
  virtual const ImageFs& fs() const = 0;
  // As it stood after layers()[0 … layer]. Requires: layer < layers().size().
  virtual std::unique_ptr<ImageFs> fs_at(size_t layer) const = 0;
  // Claimed paths that this layer wrote, replaced or removed, sorted. Same requirement.
  virtual std::vector<std::string> changed_paths(size_t layer) const = 0;
};

// What was asked for.
struct ImageRef {
  TargetKind kind = TargetKind::kDirectory;
  std::string path;  // The archive or folder.
  // oci-dir and oci-archive: tag or "sha256:…" digest; "" picks the only one.
  std::string selector;
  std::string platform;  // "linux/arm64/v8"; "" is linux on this machine's architecture.
};

struct OpenOptions {
  std::span<const Claim> claims;
  size_t threads_count = 0;  // 0: one per processor.
  bool verify_diff_ids =
      false;  // Also hash what is inside the layers (docker-archives always claim).
  WorkCounts* work = nullptr;  // Where it counts what it does; null: nowhere.
};

// One kind of image source; one file in sources/ and one line in sources.def.
struct ImageSource {
  std::string_view prefix;  // "docker-archive", as users write it before a colon.
  TargetKind kind;
  // Whether a path without prefix is one of these. Looks at names and magic bytes only.
  bool (*recognises)(FileAccess& files);
  // Blobs' digests are verified while they are read; a mismatch is an Error that names the blob.
  Result<std::unique_ptr<Image>> (*open)(FileAccess& files, const ImageRef& ref,
                                         const OpenOptions& options);
};
std::span<const ImageSource* const> all_sources();
const ImageSource* find_source(TargetKind kind);  // Null for documents.

}  // namespace vigil::image
