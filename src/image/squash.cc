#include "image/squash.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace vigil::image {

std::vector<std::vector<Overwrite>> find_overwrites(std::span<const LayerContents> layers) {
  // A folder entry matters only where a lower layer has a link; a file also above one.
  std::unordered_map<uint64_t, std::string_view> watched;
  for (const LayerContents& layer : layers) {
    for (const LayerNode& node : layer.nodes) {
      if (node.kind == NodeKind::kDirectory) continue;
      watched.try_emplace(written_hash(node.path, true), node.path);
      if (node.kind == NodeKind::kHardLink) {
        watched.try_emplace(written_hash(node.target, false), node.target);
      }
      for (std::string_view path = node.path; !path.empty(); path = folder_of(path)) {
        if (!watched.try_emplace(written_hash(path, false), path).second && path != node.path)
          break;
      }
    }
  }
  std::vector<std::vector<Overwrite>> found(layers.size());
  for (size_t i = 1; i < layers.size(); ++i) {
    std::unordered_set<uint64_t> seen;
    for (const uint64_t hash : layers[i].written) {
      const auto at = watched.find(hash);
      if (at == watched.end() || !seen.insert(hash).second) continue;
      found[i].push_back({std::string(at->second), (hash & 1) != 0});
    }
    std::ranges::sort(found[i], {}, &Overwrite::path);
  }
  return found;
}

Squash::Nodes::iterator Squash::erase(Nodes::iterator at, std::set<std::string>& changed) {
  if (at->second.kind == NodeKind::kFile) changed.insert(at->first);
  if (at->second.kind == NodeKind::kSymlink) symlinks_.erase(at->first);
  if (at == next_) ++next_;
  return nodes_.erase(at);
}

void Squash::remove(std::string_view path, std::set<std::string>& changed) {
  const auto at = nodes_.find(path);
  if (at != nodes_.end()) erase(at, changed);
}

void Squash::remove_below(std::string_view folder, std::set<std::string>& changed) {
  auto at = folder.empty() ? nodes_.begin() : nodes_.lower_bound(std::string(folder) + "/");
  while (at != nodes_.end() && is_below(at->first, folder)) at = erase(at, changed);
}

void Squash::put(const std::string& path, Node node, std::set<std::string>& changed) {
  // A layer's nodes come in order, so that each has its place behind the one before, mostly.
  const auto at = nodes_.try_emplace(next_, path);
  next_ = std::next(at);
  Node& old = at->second;
  if (old.kind == NodeKind::kFile || node.kind == NodeKind::kFile) changed.insert(path);
  if (old.kind == NodeKind::kSymlink) symlinks_.erase(at->first);
  if (node.kind == NodeKind::kSymlink) symlinks_.emplace(at->first, &old);
  old = std::move(node);
  // What is below it would follow it among those that begin as it does.
  if (next_ != nodes_.end() && next_->first.starts_with(path)) remove_below(path, changed);
}

std::set<std::string> Squash::add(const LayerContents& layer,
                                  const std::vector<Overwrite>& overwrites,
                                  const ClaimTable& claims, std::vector<WantedContent>* wanted) {
  CHECK(!is_finished_);
  std::set<std::string> changed;
  // Whiteouts reach only what is below this layer (OCI image layer specification, "Whiteouts").
  for (const std::string& folder : layer.opaques) {
    remove_below(follow(folder, LastPart::kKeep), changed);
  }
  for (const std::string& path : layer.whiteouts) {
    const std::string canonical = follow(path, LastPart::kKeep);
    remove(canonical, changed);
    remove_below(canonical, changed);
  }
  for (const Overwrite& overwrite : overwrites) {
    const auto at = nodes_.find(overwrite.path);
    if (at != nodes_.end()) remove(overwrite.path, changed);
    if (!overwrite.is_directory) remove_below(overwrite.path, changed);
  }
  for (const LayerNode& node : layer.nodes) {
    if (node.kind == NodeKind::kHardLink) continue;
    const std::string path = follow(node.path, LastPart::kKeep);
    if (node.kind == NodeKind::kDirectory) {
      remove(path, changed);
      continue;
    }
    put(path, {node.kind, node.target, node.content, 0}, changed);
  }
  add_hard_links(layer, claims, changed, wanted);
  return changed;
}

void Squash::add_hard_links(const LayerContents& layer, const ClaimTable& claims,
                            std::set<std::string>& changed, std::vector<WantedContent>* wanted) {
  // Names of one file within this layer; one that lives on from a lower layer has its number.
  std::unordered_map<std::string, uint64_t> numbers;
  for (const LayerNode& link : layer.nodes) {
    if (link.kind != NodeKind::kHardLink) continue;
    const std::string path = follow(link.path, LastPart::kKeep);
    const std::string target = follow(link.target, LastPart::kKeep);
    const auto found = nodes_.find(target);
    const bool is_claimed = claims.find(link.path) || claims.find(path);
    Node node = {NodeKind::kOther, "", nullptr, 0};
    if (found != nodes_.end()) {
      if (found->second.file == 0) found->second.file = ++files_count_;
      node = found->second;
    } else {
      uint64_t& number = numbers[target];
      if (number == 0) number = ++files_count_;
      node.file = number;
      nodes_[target] = node;
    }
    if (is_claimed && node.kind == NodeKind::kOther && wanted != nullptr) {
      wanted->push_back({path, target});
    }
    put(path, std::move(node), changed);
  }
  // Claimed names that were hard links already when the layer was walked share their content.
  std::unordered_map<const std::string*, Node*> by_content;
  for (const LayerNode& node : layer.nodes) {
    // Two references, this layer's and the view's: nobody shares it.
    if (node.kind != NodeKind::kFile || node.content.use_count() <= 2) continue;
    const auto at = nodes_.find(follow(node.path, LastPart::kKeep));
    if (at == nodes_.end() || at->second.content != node.content) continue;
    const auto [first, is_new] = by_content.emplace(node.content.get(), &at->second);
    if (is_new) continue;
    if (first->second->file == 0) first->second->file = ++files_count_;
    at->second.file = first->second->file;
  }
}

void Squash::finish() {
  CHECK(!is_finished_);
  for (const auto& [path, node] : nodes_) {
    if (node.file == 0) continue;
    names_[node.file].push_back(path);
    last_parts_.insert(name_of(path));
  }
  is_finished_ = true;
}

const Squash::Node* Squash::symlink_at(std::string_view path) const {
  const auto at = symlinks_.find(path);
  return at == symlinks_.end() ? nullptr : at->second;
}

// Path resolution as path_resolution(7) has it, inside the root. A loop, or more links than a
// kernel follows, leads nowhere: the path comes back as it was given.
std::string Squash::follow(std::string_view path, LastPart last) const {
  // Nearly all paths have no link in them; no text is made for those.
  const bool is_plain = path.find("..") == std::string_view::npos &&
                        path.find("//") == std::string_view::npos &&
                        path.find("./") == std::string_view::npos && !path.ends_with('/') &&
                        !path.starts_with('/') && path != ".";
  bool has_link = false;
  for (size_t at = path.find('/'); !has_link && at != std::string_view::npos;
       at = path.find('/', at + 1)) {
    has_link = symlink_at(path.substr(0, at)) != nullptr;
  }
  if (last == LastPart::kFollow) has_link |= symlink_at(path) != nullptr;
  if (is_plain && !has_link) return std::string(path);

  std::string pending(path);
  std::string done;
  uint64_t links = 0;
  for (size_t from = 0; from < pending.size();) {
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
    if (link_work_.fetch_add(1 + done.size() / 64) > limits::kLinkWorkMax) {
      return normal_path(path);
    }
    const bool is_last = pending.find_first_not_of('/', slash) == std::string::npos;
    const Node* link = is_last && last == LastPart::kKeep ? nullptr : symlink_at(done);
    if (link == nullptr) continue;
    if (++links > limits::kLinkDepthMax) return normal_path(path);
    done.resize(link->target.starts_with('/') ? 0 : folder_bytes);
    pending = join(link->target, std::string_view(pending).substr(std::min(from, pending.size())));
    from = 0;
    if (pending.size() > 2 * limits::kPathBytesMax) return normal_path(path);
  }
  return done;
}

bool Squash::has_followed_all() const {
  return link_work_ <= limits::kLinkWorkMax;
}

std::string Squash::resolve(std::string_view path) const {
  return follow(path, LastPart::kFollow);
}

bool Squash::has_content(std::string_view canonical) const {
  const auto at = nodes_.find(canonical);
  return at != nodes_.end() && at->second.kind == NodeKind::kFile;
}

Result<std::string> Squash::read(std::string_view path, uint64_t bytes_max) const {
  return *TRY(share(path, bytes_max));
}

Result<std::shared_ptr<const std::string>> Squash::share(std::string_view path,
                                                         uint64_t bytes_max) const {
  const auto at = nodes_.find(resolve(path));
  if (at == nodes_.end() || at->second.kind != NodeKind::kFile) {
    return fail(ErrorCode::kNotFound, std::string(path) + " is not in the image");
  }
  if (at->second.content->size() > bytes_max) {
    return fail(ErrorCode::kTooLarge, std::string(path) + " is too large");
  }
  return at->second.content;
}

std::vector<std::string> Squash::list(std::string_view folder) const {
  const std::string canonical = resolve(folder);
  std::vector<std::string> names;
  auto at = canonical.empty() ? nodes_.begin() : nodes_.lower_bound(canonical + "/");
  for (; at != nodes_.end() && is_below(at->first, canonical); ++at) {
    if (folder_of(at->first) != canonical) continue;
    const bool is_file = at->second.kind == NodeKind::kFile ||
                         (at->second.kind == NodeKind::kSymlink && has_content(resolve(at->first)));
    if (is_file) names.emplace_back(name_of(at->first));
  }
  return names;
}

std::string Squash::real_path(std::string_view path) const {
  return follow(path, LastPart::kKeep);
}

std::vector<std::string> Squash::hard_links(std::string_view path) const {
  std::vector<std::string> others;
  // Nearly all files have one name. Their last parts tell it without a look at their folders.
  const std::string_view last = name_of(path);
  if (!last_parts_.contains(last) && last != "" && last != "." && last != "..") return others;
  const std::string canonical = real_path(path);
  const auto at = nodes_.find(canonical);
  if (at == nodes_.end() || at->second.file == 0) return others;
  for (const std::string_view name : names_.at(at->second.file)) {
    if (name != canonical) others.emplace_back(name);
  }
  return others;
}

}  // namespace vigil::image
