#include "image/layer_walk.h"

#include <algorithm>
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

class LayerWalk {
 public:
  LayerWalk(std::string_view layer_name, const ClaimTable& claims, LayerPosition position)
      : layer_name_(layer_name), claims_(claims), position_(position) {}

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
    const std::optional<std::string> path = clean_path(entry.path);
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
    const std::string_view name = name_of(*path);
    const std::string canonical = join(canonical_folder(folder_of(*path)), name);
    if (name.starts_with(kWhiteout)) {
      take_whiteout(canonical, name);
      return;
    }
    switch (entry.type) {
      case TarType::kRegular: take_regular(tar, canonical); break;
      case TarType::kSymlink: take_symlink(entry, canonical); break;
      case TarType::kHardLink: take_hard_link(entry, canonical); break;
      case TarType::kDirectory: take_directory(canonical); break;
      case TarType::kOther:
        replace(canonical);
        if (claims_.leads_to_claim(canonical)) put({canonical, NodeKind::kOther, "", nullptr});
        note_written(canonical, false);
        break;
    }
  }

  // The folder with this layer's own links in it resolved: a runtime that unpacks the layer writes
  // through them. Entries of one folder come together, so the last answer is kept.
  std::string canonical_folder(std::string_view folder) {
    if (symlinks_count_ == 0) return std::string(folder);
    if (folder == cached_folder_ && cached_at_ == symlinks_changed_) return cached_answer_;
    std::string resolved = resolve(folder);
    cached_folder_ = folder;
    cached_at_ = symlinks_changed_;
    cached_answer_ = resolved;
    return resolved;
  }

  std::string resolve(std::string_view path) {
    std::string pending(path);
    std::string done;
    uint64_t links = 0;
    while (!pending.empty()) {
      const size_t slash = std::min(pending.find('/'), pending.size());
      const std::string part = pending.substr(0, slash);
      pending.erase(0, slash + 1);
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        done.resize(folder_of(done).size());
        continue;
      }
      std::string at = join(done, part);
      const auto node = nodes_.find(at);
      if (node == nodes_.end() || node->second.kind != NodeKind::kSymlink) {
        done = std::move(at);
        continue;
      }
      // A loop, or a chain that no kernel would follow: the path stays as it is written.
      if (++links > limits::kLinkDepthMax) return std::string(path);
      const std::string& target = node->second.target;
      if (target.starts_with('/')) done.clear();
      pending = join(target, pending);
      if (pending.size() > 2 * limits::kPathBytesMax) return std::string(path);
    }
    return done;
  }

  void take_whiteout(const std::string& path, std::string_view name) {
    const std::string_view folder = folder_of(path);
    if (name == kOpaque) {
      if (count_kept(path)) out_.opaques.emplace_back(folder);
      return;
    }
    if (name.starts_with(kWhiteoutMeta)) return;
    const std::string_view hidden = name.substr(kWhiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      add_gap({GapKind::kMalformed, path, "a whiteout of no file; it is left out", ""});
      return;
    }
    if (count_kept(path)) out_.whiteouts.push_back(join(folder, hidden));
  }

  void take_regular(decode::TarReader& tar, const std::string& path) {
    replace(path);
    note_written(path, false);
    const std::optional<uint64_t> bytes_max = claims_.find(path);
    if (!bytes_max) {
      if (claims_.leads_to_claim(path)) put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    const uint64_t room = limits::kKeptFileBytesMax - std::min(kept_bytes_, limits::kKeptFileBytesMax);
    if (tar.entry().bytes > room) {
      add_gap({GapKind::kLimit, path, "the package databases of one layer are too large to keep",
               "kKeptFileBytesMax"});
      put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    Result<std::string> content = tar.content(*bytes_max);
    if (!content) {
      Gap gap = gap_of(content.error(), path);
      if (gap.kind == GapKind::kLimit) gap.limit = "bytes_max";
      add_gap(std::move(gap));
      put({path, NodeKind::kOther, "", nullptr});
      return;
    }
    kept_bytes_ += content->size();
    put({path, NodeKind::kFile, "",
         std::make_shared<const std::string>(std::move(*content))});
  }

  void take_symlink(const TarEntry& entry, const std::string& path) {
    replace(path);
    if (entry.link.size() > limits::kPathBytesMax) {
      add_gap({GapKind::kLimit, path, "its target is too long; it is left out", "kPathBytesMax"});
      return;
    }
    if (!count_kept(path)) return;
    put({path, NodeKind::kSymlink, entry.link, nullptr});
    ++symlinks_count_;
    ++symlinks_changed_;
  }

  void take_hard_link(const TarEntry& entry, const std::string& path) {
    const std::optional<std::string> stored = clean_path(entry.link);
    if (!stored || stored->empty() || stored->size() > limits::kPathBytesMax) {
      add_gap({GapKind::kMalformed, path, "a hard link out of the root; it is left out", ""});
      return;
    }
    const std::string target = join(canonical_folder(folder_of(*stored)), name_of(*stored));
    if (target == path) return;  // Already what it is.
    replace(path);
    if (!count_kept(path)) return;
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
        ++symlinks_count_;
        ++symlinks_changed_;
      } else if (found.kind == NodeKind::kHardLink) {
        link.target = found.target;
      }
    }
    put(std::move(link));
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
    for (auto at = in_order_.lower_bound(path + "/");
         at != in_order_.end() && is_below(*at, path); at = in_order_.lower_bound(path + "/")) {
      forget(nodes_.find(*at));
    }
    folders_.erase(path);
  }

  using Nodes = std::unordered_map<std::string, LayerNode, TextHash, std::equal_to<>>;

  void forget(Nodes::iterator at) {
    if (at->second.kind == NodeKind::kSymlink) {
      --symlinks_count_;
      ++symlinks_changed_;
    }
    in_order_.erase(at->first);
    nodes_.erase(at);
  }

  void put(LayerNode node) {
    for (std::string_view folder = folder_of(node.path); !folder.empty();
         folder = folder_of(folder)) {
      if (folders_.contains(folder)) break;
      folders_.emplace(folder);
    }
    std::string path = node.path;
    const auto [at, is_new] = nodes_.insert_or_assign(std::move(path), std::move(node));
    if (is_new) in_order_.insert(at->first);
  }

  void note_written(std::string_view path, bool is_directory) {
    if (position_ == LayerPosition::kBase) return;
    if (out_.written.size() < limits::kWrittenPathsMax) {
      out_.written.push_back(written_hash(path, is_directory));
      return;
    }
    if (std::exchange(has_written_gap_, true)) return;
    add_gap({GapKind::kLimit, std::string(layer_name_),
             "too many files to tell which links of lower layers they replace",
             "kWrittenPathsMax"});
  }

  // Links and whiteouts are what a hostile layer could fill memory with.
  bool count_kept(const std::string& path) {
    if (++links_kept_ <= limits::kLinksKeptMax) return true;
    if (!std::exchange(has_links_gap_, true)) {
      add_gap({GapKind::kLimit, path, "too many links; this one and later ones are left out",
               "kLinksKeptMax"});
    }
    return false;
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
    sort_unique(out_.written);
    return std::move(out_);
  }

  std::string_view layer_name_;
  const ClaimTable& claims_;
  LayerPosition position_;
  LayerContents out_;
  Nodes nodes_;
  std::set<std::string_view> in_order_;  // The nodes' paths, so that a folder can be dropped whole.
  TextSet folders_;  // All that are above a node, and maybe some that were.
  uint64_t kept_bytes_ = 0;
  uint64_t links_kept_ = 0;
  uint64_t more_gaps_ = 0;
  bool has_links_gap_ = false;
  bool has_written_gap_ = false;
  uint64_t symlinks_count_ = 0;
  uint64_t symlinks_changed_ = 0;
  std::string cached_folder_;
  std::string cached_answer_;
  uint64_t cached_at_ = UINT64_MAX;
};

}  // namespace

std::optional<std::string> clean_path(std::string_view stored) {
  const bool is_clean = !stored.starts_with('/') && !stored.starts_with('.') &&
                        stored.find("//") == std::string_view::npos &&
                        stored.find("/.") == std::string_view::npos;
  if (is_clean) {
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
    case ErrorCode::kMalformed: kind = GapKind::kMalformed; break;
    case ErrorCode::kUnsupported: kind = GapKind::kUnsupported; break;
    case ErrorCode::kTooLarge:
      kind = GapKind::kLimit;
      limit = error.message.substr(error.message.rfind(' ') + 1);
      break;
    default: break;
  }
  return {kind, std::move(path), error.text(), std::move(limit)};
}

LayerContents walk_layer(decode::ByteStream& stream, std::string_view layer_name,
                         const ClaimTable& claims, LayerPosition position) {
  return LayerWalk(layer_name, claims, position).run(stream);
}

}  // namespace vigil::image
