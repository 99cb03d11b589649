#include "image/layer_walk.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

#include "base/limits.h"

namespace vigil::image {

namespace {

using decode::TarEntry;
using decode::TarType;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::string_view kWhiteoutMeta = ".wh..wh.";  // Other marks of AUFS; no files.

// Whether no part of the path is empty or begins with a dot, as of nearly all. There is one for
// each entry, so it takes eight bytes at a time.
bool is_clean(std::string_view path) {
  if (path.starts_with('/') || path.starts_with('.')) return false;
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kSlashes = kOnes * '/';
  size_t at = 0;
  for (; at + 1 + sizeof(uint64_t) <= path.size(); at += sizeof(uint64_t)) {
    uint64_t bytes = 0;
    uint64_t after = 0;  // Each the next of its byte in `bytes`.
    std::memcpy(&bytes, path.data() + at, sizeof(bytes));
    std::memcpy(&after, path.data() + at + 1, sizeof(after));
    // Zero in a byte that is a slash before a slash or a dot: these differ in the lowest bit.
    static_assert(('.' | 1) == '/');
    const uint64_t differs = (bytes ^ kSlashes) | ((after | kOnes) ^ kSlashes);
    if (((differs - kOnes) & ~differs & kOnes << 7) != 0) return false;
  }
  return path.find("//", at) == std::string_view::npos &&
         path.find("/.", at) == std::string_view::npos;
}

class LayerWalk {
 public:
  LayerWalk(std::string_view layer_name, const ClaimTable& claims, LayerPosition position,
            KeptBudget& budget)
      : layer_name_(layer_name), claims_(claims), position_(position), budget_(budget) {}

  LayerContents run(decode::ByteStream& stream) {
    decode::TarReader tar(stream);
    for (;;) {
      Result<bool> more = tar.next();
      if (!more) add_gap(gap_of(more.error(), std::string(layer_name_)));
      if (!more || !*more) break;
      ++out_.entries_count;
      take(tar);
    }
    // Only so is a damaged end seen, and only so does a digest see the whole layer.
    for (;;) {
      const Result<ByteView> rest = stream.next();
      if (!rest) add_gap(gap_of(rest.error(), std::string(layer_name_)));
      if (!rest || rest->empty()) break;
    }
    return finish();
  }

 private:
  void take(decode::TarReader& tar) {
    const TarEntry& entry = tar.entry();
    std::optional<std::string> path = clean_path(entry.path);
    if (!path) {
      add_gap({GapKind::kMalformed, entry.path.substr(0, limits::kPathBytesMax),
               "its path leads out of the root; the entry is left out", ""});
      return;
    }
    if (path->size() > limits::kPathBytesMax) {
      add_gap({GapKind::kLimit, path->substr(0, 256), "its path is too long; it is left out",
               "kPathBytesMax"});
      return;
    }
    if (path->empty()) return;  // The root itself.
    const std::string canonical = canonical_path(*std::move(path));
    const std::string_view name = name_of(canonical);
    if (name.starts_with(kWhiteout)) {
      take_whiteout(canonical, name);
      return;
    }
    const bool is_link = entry.type == TarType::kSymlink || entry.type == TarType::kHardLink;
    if (!is_link && is_in_idle_folder(canonical)) {
      note_written(canonical, entry.type == TarType::kDirectory);
      return;
    }
    switch (entry.type) {
      case TarType::kRegular:
        take_regular(tar, canonical);
        break;
      case TarType::kSymlink:
        take_symlink(entry, canonical);
        break;
      case TarType::kHardLink:
        take_hard_link(entry, canonical);
        break;
      case TarType::kDirectory:
        take_directory(canonical);
        break;
      case TarType::kOther:
        replace(canonical);
        if (claims_.leads_to_claim(canonical)) put({canonical, NodeKind::kOther, "", nullptr});
        note_written(canonical, false);
        break;
    }
  }

  // The path with this layer's own links in its folder resolved: a runtime that unpacks the layer
  // writes through them. Entries of one folder come together, so the last answer is kept.
  std::string canonical_path(std::string path) {
    if (symlinks_count_ == 0) return path;
    const std::string_view folder = folder_of(path);
    if (folder != cached_folder_ || !has_answer_) {
      cached_answer_ = resolve(folder);
      cached_folder_ = folder;
      has_answer_ = true;
    }
    if (cached_answer_ == folder) return path;
    return join(cached_answer_, name_of(path));
  }

  // How much of a folder's path is known to hold no link: what it shares with the folder that was
  // resolved before, whole parts of it.
  size_t known_bytes(std::string_view folder) const {
    if (!has_answer_ || has_followed_link_) return 0;
    const auto [end, other_end] = std::ranges::mismatch(folder, cached_folder_);
    const auto is_part_end = [](auto at, auto last) { return at == last || *at == '/'; };
    if (is_part_end(end, folder.end()) && is_part_end(other_end, cached_folder_.cend())) {
      return static_cast<size_t>(end - folder.begin());
    }
    return folder_of(folder.substr(0, static_cast<size_t>(end - folder.begin()))).size();
  }

  // A symbolic link comes or goes. A folder without a link in its path, as nearly all are, stays so
  // until there is one at it or above it.
  void forget_answer_through(std::string_view link) {
    const bool is_on_the_way = cached_folder_ == link || is_below(cached_folder_, link);
    if (has_followed_link_ || is_on_the_way) has_answer_ = false;
  }

  // Whether nothing directly in the path's folder is asked for, and no node is there that an entry
  // could replace: so it is with most entries. The last answer is kept here, too.
  bool is_in_idle_folder(std::string_view path) {
    const std::string_view folder = folder_of(path);
    if (folder != asked_folder_ || asked_at_ != nodes_put_) {
      asked_folder_ = folder;
      asked_at_ = nodes_put_;
      is_idle_ = !claims_.concerns_folder(folder) && !folders_.contains(folder);
    }
    return is_idle_;
  }

  std::string resolve(std::string_view path) {
    std::string pending(path);
    std::string done(path.substr(0, known_bytes(path)));
    uint64_t links = 0;
    has_followed_link_ = false;
    for (size_t from = done.size(); from < pending.size();) {
      const size_t slash = std::min(pending.find('/', from), pending.size());
      const std::string_view part = std::string_view(pending).substr(from, slash - from);
      from = slash + 1;
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        done.resize(folder_of(done).size());
        continue;
      }
      const size_t folder_bytes = done.size();
      if (!done.empty()) done += '/';
      done += part;
      // Long paths cost more to look up; together the steps are bounded.
      link_work_ += 1 + done.size() / 64;
      if (link_work_ > limits::kLinkWorkMax) return give_up_on_links(path);
      const auto node = nodes_.find(done);
      if (node == nodes_.end() || node->second.kind != NodeKind::kSymlink) continue;
      has_followed_link_ = true;
      // A loop, or a chain that no kernel would follow: the path stays as it is written.
      if (++links > limits::kLinkDepthMax) return std::string(path);
      const std::string& target = node->second.target;
      done.resize(target.starts_with('/') ? 0 : folder_bytes);
      pending = join(target, std::string_view(pending).substr(std::min(from, pending.size())));
      from = 0;
      if (pending.size() > 2 * limits::kPathBytesMax) return std::string(path);
    }
    return done;
  }

  std::string give_up_on_links(std::string_view path) {
    if (!std::exchange(has_work_gap_, true)) {
      add_gap({GapKind::kLimit, std::string(path.substr(0, 256)),
               "too many links to follow; from here on paths are taken as they are written",
               "kLinkWorkMax"});
    }
    return std::string(path);
  }

  void take_whiteout(const std::string& path, std::string_view name) {
    const std::string_view folder = folder_of(path);
    if (name == kOpaque) {
      if (take_room(path, folder.size())) out_.opaques.emplace_back(folder);
      return;
    }
    if (name.starts_with(kWhiteoutMeta)) return;
    const std::string_view hidden = name.substr(kWhiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      add_gap({GapKind::kMalformed, path, "a whiteout of no file; it is left out", ""});
      return;
    }
    if (take_room(path, path.size())) out_.whiteouts.push_back(join(folder, hidden));
  }

  void take_regular(decode::TarReader& tar, const std::string& path) {
    replace(path);
    note_written(path, false);
    const std::optional<uint64_t> bytes_max = claims_.find(path);
    if (!bytes_max) {
      if (claims_.leads_to_claim(path)) put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    // Before it is read: a tar without holes holds what its header claims, or it is cut short.
    const uint64_t bytes = tar.entry().bytes <= *bytes_max ? tar.entry().bytes : 0;
    if (!take_room(path, bytes)) {
      put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    Result<std::string> content = tar.content(*bytes_max);
    if (!content) {
      Gap gap = gap_of(content.error(), path);
      if (gap.kind == GapKind::kLimit) gap.limit = "bytes_max";
      add_gap(std::move(gap));
      budget_.give_back(bytes);
      put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    put({path, NodeKind::kFile, "", std::make_shared<const std::string>(std::move(*content))});
  }

  void take_symlink(const TarEntry& entry, const std::string& path) {
    replace(path);
    if (entry.link.size() > limits::kPathBytesMax) {
      add_gap({GapKind::kLimit, path, "its target is too long; it is left out", "kPathBytesMax"});
      return;
    }
    if (!put({path, NodeKind::kSymlink, entry.link, nullptr})) return;
    ++symlinks_count_;
    forget_answer_through(path);
  }

  void take_hard_link(const TarEntry& entry, const std::string& path) {
    std::optional<std::string> stored = clean_path(entry.link);
    if (!stored || stored->empty() || stored->size() > limits::kPathBytesMax) {
      add_gap({GapKind::kMalformed, path, "a hard link out of the root; it is left out", ""});
      return;
    }
    const std::string target = canonical_path(*std::move(stored));
    if (target == path) return;  // Already what it is.
    replace(path);
    LayerNode link = {path, NodeKind::kHardLink, target, nullptr};
    if (const auto at = nodes_.find(target); at != nodes_.end()) {
      const LayerNode& found = at->second;
      if (found.kind == NodeKind::kFile) {
        // The content as it is now: the target's name may be written again further on.
        link.kind = NodeKind::kFile;
        link.content = found.content;
      } else if (found.kind == NodeKind::kSymlink) {
        link.kind = NodeKind::kSymlink;
        link.target = found.target;
      } else if (found.kind == NodeKind::kHardLink) {
        link.target = found.target;
      }
    }
    const bool is_symlink = link.kind == NodeKind::kSymlink;
    if (!put(std::move(link)) || !is_symlink) return;
    ++symlinks_count_;
    forget_answer_through(path);
  }

  void take_directory(const std::string& path) {
    const auto at = nodes_.find(path);
    if (at != nodes_.end() && at->second.kind != NodeKind::kDirectory) replace(path);
    if (claims_.leads_to_claim(path)) put({path, NodeKind::kDirectory, "", nullptr});
    note_written(path, true);
  }

  // Something that is no directory comes to this path: what was there, and below it, is gone.
  void replace(const std::string& path) {
    if (const auto at = nodes_.find(path); at != nodes_.end()) forget(at);
    if (!folders_.contains(path)) return;
    for (auto at = in_order_.lower_bound(path + "/"); at != in_order_.end() && is_below(*at, path);
         at = in_order_.lower_bound(path + "/")) {
      forget(nodes_.find(*at));
    }
  }

  using Nodes = std::unordered_map<std::string, LayerNode, TextHash, std::equal_to<>>;

  // What a node takes here, in the squash and in its order, without its content.
  static uint64_t bytes_of(const LayerNode& node) {
    constexpr uint64_t kNodeBytes = 320;
    return kNodeBytes + 3 * node.path.size() + 2 * node.target.size();
  }

  // False, with a gap, where there is no room for so many bytes.
  bool take_room(const std::string& path, uint64_t bytes) {
    if (budget_.take(bytes)) return true;
    add_gap({GapKind::kLimit, path,
             "it is left out, because more of the image would have to be kept than fits",
             "kKeptBytesMax"});
    return false;
  }

  void forget(Nodes::iterator at) {
    const LayerNode& node = at->second;
    budget_.give_back(bytes_of(node));
    if (node.kind == NodeKind::kFile && node.content.use_count() == 1) {
      budget_.give_back(node.content->size());
    }
    if (node.kind == NodeKind::kSymlink) {
      --symlinks_count_;
      forget_answer_through(node.path);
    }
    in_order_.erase(at->first);
    nodes_.erase(at);
  }

  bool put(LayerNode node) {
    if (const auto at = nodes_.find(node.path); at != nodes_.end()) forget(at);
    ++nodes_put_;
    if (!take_room(node.path, bytes_of(node))) return false;
    for (std::string_view folder = folder_of(node.path); !folder.empty();
         folder = folder_of(folder)) {
      if (folders_.contains(folder)) break;
      folders_.emplace(folder);
    }
    std::string path = node.path;
    in_order_.insert(nodes_.emplace(std::move(path), std::move(node)).first->first);
    return true;
  }

  void note_written(std::string_view path, bool is_directory) {
    constexpr uint64_t kChunkHashes = 4096;
    constexpr uint64_t kHashBytes = 2 * sizeof(uint64_t);  // The vector grows by doubling.
    if (position_ == LayerPosition::kBase || has_written_gap_) return;
    if (out_.written.size() % kChunkHashes == 0 && !budget_.take(kChunkHashes * kHashBytes)) {
      has_written_gap_ = true;
      add_gap({GapKind::kLimit, std::string(layer_name_),
               "too many files to tell which links of lower layers they replace", "kKeptBytesMax"});
      return;
    }
    out_.written.push_back(written_hash(path, is_directory));
  }

  void add_gap(Gap gap) {
    if (out_.gaps.size() < limits::kLayerGapsMax) {
      out_.gaps.push_back(std::move(gap));
    } else {
      ++more_gaps_;
    }
  }

  // A link that found nothing when it came, and whose target came after it, is one that no runtime
  // could have made.
  void note_links_to_later_entries() {
    for (const std::string_view path : in_order_) {
      const LayerNode& node = nodes_.find(path)->second;
      if (node.kind != NodeKind::kHardLink || !claims_.find(path)) continue;
      const auto target = nodes_.find(node.target);
      if (target == nodes_.end() || target->second.kind != NodeKind::kFile) continue;
      add_gap({GapKind::kMalformed, node.path, "a hard link to a later entry", ""});
    }
  }

  LayerContents finish() {
    note_links_to_later_entries();
    if (more_gaps_ > 0) {
      out_.gaps.push_back({GapKind::kLimit, std::string(layer_name_),
                           std::to_string(more_gaps_) + " more troubles like these",
                           "kLayerGapsMax"});
    }
    out_.nodes.reserve(nodes_.size());
    for (const std::string_view path : in_order_) {
      out_.nodes.push_back(std::move(nodes_.find(path)->second));
    }
    const auto sort_unique = [](auto& list) {
      std::ranges::sort(list);
      list.erase(std::unique(list.begin(), list.end()), list.end());
      list.shrink_to_fit();
    };
    sort_unique(out_.whiteouts);
    sort_unique(out_.opaques);
    out_.written.shrink_to_fit();
    return std::move(out_);
  }

  std::string_view layer_name_;
  const ClaimTable& claims_;
  LayerPosition position_;
  KeptBudget& budget_;
  LayerContents out_;
  Nodes nodes_;
  std::set<std::string_view> in_order_;  // The nodes' paths, so that a folder can be dropped whole.
  TextSet folders_;  // All that are above a node or were; with each those above it.
  uint64_t link_work_ = 0;
  uint64_t more_gaps_ = 0;
  bool has_work_gap_ = false;
  bool has_written_gap_ = false;
  uint64_t symlinks_count_ = 0;
  std::string cached_folder_;
  std::string cached_answer_;
  bool has_answer_ = false;
  bool has_followed_link_ = false;  // For that answer.
  uint64_t nodes_put_ = 0;
  std::string asked_folder_;
  uint64_t asked_at_ = UINT64_MAX;
  bool is_idle_ = false;
};

}  // namespace

std::optional<std::string> clean_path(std::string_view stored) {
  if (is_clean(stored)) {
    if (stored.ends_with('/')) stored.remove_suffix(1);
    return std::string(stored);
  }
  std::string path;
  while (!stored.empty()) {
    const size_t slash = std::min(stored.find('/'), stored.size());
    const std::string_view part = stored.substr(0, slash);
    stored.remove_prefix(std::min(slash + 1, stored.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (path.empty()) return std::nullopt;
      path.resize(folder_of(path).size());
      continue;
    }
    path = join(path, part);
  }
  return path;
}

uint64_t written_hash(std::string_view path, bool is_directory) {
  return (xxh3(as_bytes(path)) & ~uint64_t{1}) | static_cast<uint64_t>(is_directory);
}

Gap gap_of(const Error& error, std::string path) {
  GapKind kind = GapKind::kUnreadable;
  std::string limit;
  switch (error.code) {
    case ErrorCode::kMalformed:
      kind = GapKind::kMalformed;
      break;
    case ErrorCode::kUnsupported:
      kind = GapKind::kUnsupported;
      break;
    case ErrorCode::kTooLarge:
      kind = GapKind::kLimit;
      limit = error.message.substr(error.message.rfind(' ') + 1);
      break;
    default:
      break;
  }
  return {kind, std::move(path), error.text(), std::move(limit)};
}

LayerContents walk_layer(decode::ByteStream& stream, std::string_view layer_name,
                         const ClaimTable& claims, LayerPosition position, KeptBudget& budget) {
  return LayerWalk(layer_name, claims, position, budget).run(stream);
}

}  // namespace vigil::image
