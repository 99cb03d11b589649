// All claims compiled into one look-up: which paths of an image are kept, and which lead to one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/digest.h"
#include "image/image.h"

namespace vigil::image {

// Hashes text so that views can be looked up among strings. Tables compute it for what they pass on
// the way, too: it must be cheap.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return xxh3(as_bytes(text)); }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;

// What is claimed of the files directly in a folder.
struct FolderClaim {
  uint64_t bytes_max = 0;
  std::set<std::string> endings;  // Of their names; an empty one is every name's.
};

// Fixed once built; then any thread.
class ClaimTable {
 public:
  // A claim below a folder that a merged /usr moves (lib, lib32, lib64, libx32, bin, sbin) also
  // claims the path below usr/, and the other way round: both are names of one place.
  explicit ClaimTable(std::span<const Claim> claims);

  void add_path(std::string_view path, uint64_t bytes_max);
  // Its name without or with a final slash.
  void add_folder(std::string_view folder, const FolderClaim& claim);

  // How many bytes of the file at this path are kept; nothing where it is not claimed.
  std::optional<uint64_t> find(std::string_view path) const;
  // Whether it is a claimed path, a claimed folder or a folder above one: what stands there
  // matters.
  bool leads_to_claim(std::string_view path) const;
  // Whether either of them can say yes of a path directly in the folder.
  bool concerns_folder(std::string_view folder) const;

  const std::map<std::string, uint64_t, std::less<>>& paths() const { return paths_; }
  const std::map<std::string, FolderClaim, std::less<>>& folders() const { return folders_; }

 private:
  // Of a claim kInFolders.
  struct NameInFolders {
    std::string folder;
    std::string name;
    uint64_t bytes_max;
  };

  void add_in_folders(std::string_view pattern, uint64_t bytes_max);
  void add_ways(std::string_view path);

  std::map<std::string, uint64_t, std::less<>> paths_;
  std::map<std::string, FolderClaim, std::less<>> folders_;  // Without the final slash.
  std::unordered_map<std::string, uint64_t, TextHash, std::equal_to<>> paths_index_;
  std::unordered_map<std::string, FolderClaim, TextHash, std::equal_to<>> folders_index_;
  std::vector<NameInFolders> in_folders_;
  TextSet ways_;
};

// The folder part of a path, "" for a name in the root; and its last part.
inline std::string_view folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}
inline std::string_view name_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}
inline std::string join(std::string_view folder, std::string_view name) {
  std::string path(folder);
  if (!path.empty() && !name.empty()) path += '/';
  return path += name;
}
// Whether `path` is below `folder`; everything but the root itself is below the root "".
inline bool is_below(std::string_view path, std::string_view folder) {
  if (folder.empty()) return !path.empty();
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

}  // namespace vigil::image
