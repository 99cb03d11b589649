// One layer's tar, every entry once, reduced to what the squash needs: contents of claimed files,
// links, whiteouts, and what stands where something kept might be. Memory follows from what is
// kept, never from the number of files.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "decode/tar.h"
#include "image/claim_table.h"
#include "model/sbom.h"

namespace vigil::image {

enum class NodeKind : uint8_t {
  kFile,   // A claimed regular file with its content.
  kOther,  // Something that is no directory and whose content is not kept.
  kSymlink,
  kHardLink,  // To a file that is not among the kept ones of this layer.
  kDirectory,
};

struct LayerNode {
  std::string path;  // Canonical as far as this layer's own links tell, no leading slash.
  NodeKind kind = NodeKind::kOther;
  std::string target;  // Of a symbolic link, as stored; of any hard link, canonical.
  std::shared_ptr<const std::string> content;  // Of a kFile. Hard links share it.
};

struct LayerContents {
  std::vector<LayerNode> nodes;        // As they stand at the layer's end, sorted by path.
  std::vector<std::string> whiteouts;  // Paths that this layer hides in the layers below; sorted.
  std::vector<std::string> opaques;    // Folders of which it hides all that is below; sorted.
  // Hashes of the paths of all entries that are neither links nor whiteouts, is_directory in the
  // lowest bit. Empty for a base layer, below which nothing can be replaced.
  std::vector<uint64_t> written;
  std::vector<Gap> gaps;
  uint64_t entries_count = 0;
};

enum class LayerPosition { kBase, kUpper };

// How much memory the layers of one image may still fill. Any thread may call it.
class KeptBudget {
 public:
  // False, and nothing is taken, where there is not so much left.
  bool take(uint64_t bytes) {
    if (taken_.fetch_add(bytes) + bytes <= limits::kKeptBytesMax) return true;
    taken_ -= bytes;
    is_exceeded_ = true;
    return false;
  }
  void give_back(uint64_t bytes) { taken_ -= bytes; }
  bool is_exceeded() const { return is_exceeded_; }

 private:
  std::atomic<uint64_t> taken_ = 0;
  std::atomic<bool> is_exceeded_ = false;
};

// Walks the whole stream. What is wrong with single entries, and where the archive breaks, are gaps
// (named by path, or by `layer_name`); what was read before a break is kept. Hostile input.
LayerContents walk_layer(decode::ByteStream& stream, std::string_view layer_name,
                         const ClaimTable& claims, LayerPosition position, KeptBudget& budget);

// The hash in `written`.
uint64_t written_hash(std::string_view path, bool is_directory);

// A stored path without empty parts and "."; nothing where ".." would lead out of the root.
std::optional<std::string> clean_path(std::string_view stored);

// An Error as a Gap; the bound of a kTooLarge is the last word of its message.
Gap gap_of(const Error& error, std::string path);

}  // namespace vigil::image
