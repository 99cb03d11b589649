// The layers put on top of one another: the view that a process in the container would have, of
// what was kept. Built by adding layers base first; from then on it does not change.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "image/image.h"
#include "image/layer_walk.h"

namespace vigil::image {

// For each layer, the paths it wrote anew where a lower layer kept a link or has a folder with
// links: LayerContents::written, looked up. Few, so the rest can be thrown away.
struct Overwrite {
  std::string path;
  bool is_directory;
};
std::vector<std::vector<Overwrite>> find_overwrites(std::span<const LayerContents> layers);

// A claimed name that is a hard link to a file whose content was not kept.
struct WantedContent {
  std::string path;
  std::string target;
};

class Squash final : public ImageFs {
 public:
  // Puts a layer on top. Returns the canonical paths whose content came, changed or went, and adds
  // to `wanted` the claimed hard links whose content was not kept.
  std::set<std::string> add(const LayerContents& layer, const std::vector<Overwrite>& overwrites,
                            const ClaimTable& claims, std::vector<WantedContent>* wanted = nullptr);
  // Call once, after the last add() and before anything below.
  void finish();

  // Where a path leads, all links followed, in whatever has been added so far.
  std::string resolve(std::string_view path) const;
  bool has_content(std::string_view canonical) const;

  Result<std::string> read(std::string_view path, uint64_t bytes_max) const override;
  Result<std::shared_ptr<const std::string>> share(std::string_view path,
                                                   uint64_t bytes_max) const override;
  std::vector<std::string> list(std::string_view folder) const override;
  std::string real_path(std::string_view path) const override;
  std::vector<std::string> hard_links(std::string_view path) const override;
  bool has_followed_all() const override;

 private:
  struct Node {
    NodeKind kind = NodeKind::kOther;
    std::string target;  // Of a symbolic link.
    std::shared_ptr<const std::string> content;
    uint64_t file = 0;  // Names of one file share this number; 0: only one name is known.
  };
  using Nodes = std::map<std::string, Node, std::less<>>;

  enum class LastPart { kFollow, kKeep };
  std::string follow(std::string_view path, LastPart last) const;
  const Node* symlink_at(std::string_view path) const;
  Nodes::iterator erase(Nodes::iterator at, std::set<std::string>& changed);
  void remove(std::string_view path, std::set<std::string>& changed);
  void remove_below(std::string_view folder, std::set<std::string>& changed);
  // Instead of what was there and below it.
  void put(const std::string& path, Node node, std::set<std::string>& changed);
  void add_hard_links(const LayerContents& layer, const ClaimTable& claims,
                      std::set<std::string>& changed, std::vector<WantedContent>* wanted);

  Nodes nodes_;
  Nodes::iterator next_ = nodes_.end();  // After the node that was put last.
  // Those of nodes_ that are one; views into it.
  std::unordered_map<std::string_view, const Node*, TextHash> symlinks_;
  uint64_t files_count_ = 0;
  mutable std::atomic<uint64_t> link_work_ = 0;
  // Made by finish(): views into nodes_.
  bool is_finished_ = false;
  std::unordered_map<uint64_t, std::vector<std::string_view>> names_;
  std::unordered_set<std::string_view, TextHash> last_parts_;  // Of names_.
};

}  // namespace vigil::image
