// A layer's package database holds all packages of the layers below it too, so what a layer brought
// is found by reading the database as it stood after that layer and comparing. Only layers that
// changed a database count, and the last of them left what the whole image has, which is read
// already: most images need one further reading or none.
#include "catalog/layer_attribution.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/limits.h"

namespace vigil::catalog {

namespace {

using Keys = std::shared_ptr<const std::vector<std::string>>;
using DatabaseName = std::pair<const Cataloger*, std::string>;

std::string key_of(const Cataloger& cataloger, const Package& package) {
  std::string key(cataloger.name);
  for (const std::string_view part :
       {std::string_view(package.name), std::string_view(package.version),
        std::string_view(package.arch)}) {
    key += '\0';
    key += part;
  }
  return key;
}

Keys keys_of(const Cataloger& cataloger, std::span<const Package> packages) {
  auto keys = std::make_shared<std::vector<std::string>>();
  keys->reserve(packages.size());
  for (const Package& package : packages) keys->push_back(key_of(cataloger, package));
  return keys;
}

class Attribution {
 public:
  Attribution(const image::Image& image, std::span<const FoundDatabase> databases,
              std::span<const Package> packages)
      : image_(image) {
    for (const FoundDatabase& database : databases) {
      const Keys keys = keys_of(*database.cataloger,
                                packages.subspan(database.packages_start, database.packages_count));
      for (const std::string& name : database.names) final_[{database.cataloger, name}] = keys;
    }
    for (size_t layer = 0; layer < image.layers().size(); ++layer) {
      changed_.push_back(changed_databases(layer));
      for (const DatabaseName& name : changed_.back()) last_change_[name] = layer;
    }
  }

  void run() {
    for (size_t layer = 0; layer < changed_.size() && gaps_.empty(); ++layer) take_layer(layer);
  }

  int32_t layer_of(const Cataloger& cataloger, const Package& package) const {
    const auto at = presence_.find(key_of(cataloger, package));
    return at == presence_.end() ? -1 : at->second.since;
  }
  std::vector<Gap> take_gaps() { return std::move(gaps_); }

 private:
  struct Presence {
    int32_t since = -1;
    size_t databases_count = 0;
  };

  std::vector<DatabaseName> changed_databases(size_t layer) const {
    std::vector<DatabaseName> names;
    for (std::string& path : image_.changed_paths(layer)) {
      for (const Cataloger* cataloger : all_catalogers()) {
        if (is_database(*cataloger, path)) names.emplace_back(cataloger, path);
      }
    }
    return names;
  }

  void take_layer(size_t layer) {
    view_.reset();
    read_in_view_.clear();
    std::vector<Keys> gone;
    for (const DatabaseName& name : changed_[layer]) {
      const Keys keys = last_change_.at(name) == layer ? final_keys(name) : read_keys(name, layer);
      if (keys == nullptr) continue;
      for (const std::string& key : *keys) {
        Presence& presence = presence_[key];
        if (presence.databases_count++ == 0) presence.since = static_cast<int32_t>(layer);
      }
      Keys& current = current_[name];
      if (current != nullptr) gone.push_back(std::move(current));
      current = keys;
    }
    // Only now, so that what one database of the layer loses and another gains has stayed.
    for (const Keys& keys : gone) {
      for (const std::string& key : *keys) {
        const auto at = presence_.find(key);
        if (--at->second.databases_count == 0) presence_.erase(at);
      }
    }
  }

  Keys final_keys(const DatabaseName& name) const {
    const auto at = final_.find(name);
    return at == final_.end() ? std::make_shared<std::vector<std::string>>() : at->second;
  }

  // Null where the database cannot be read at this layer: then it counts as unchanged.
  Keys read_keys(const DatabaseName& name, size_t layer) {
    if (view_ == nullptr) {
      if (++views_count_ > limits::kAttributionViewsMax) {
        add_gap("kAttributionViewsMax");
        return nullptr;
      }
      view_ = image_.fs_at(layer);
    }
    const auto& [cataloger, path] = name;
    const DatabaseName canonical = {cataloger, view_->real_path(path)};
    const auto known = read_in_view_.find(canonical);
    if (known != read_in_view_.end()) return known->second;
    Keys& keys = read_in_view_[canonical];
    const Result<std::shared_ptr<const std::string>> content =
        view_->share(path, limits::kPackageDatabaseBytesMax);
    if (!content) {
      if (content.error().code == ErrorCode::kNotFound) {
        keys = std::make_shared<std::vector<std::string>>();
      }
      return keys;
    }
    bytes_ += (*content)->size();
    if (bytes_ > limits::kAttributionBytesMax) {
      add_gap("kAttributionBytesMax");
      return nullptr;
    }
    const Result<CatalogOutput> output = cataloger->catalog(
        {.path = path, .content = **content, .fs = *view_, .files_wanted = false});
    if (output) keys = keys_of(*cataloger, output->packages);
    return keys;
  }

  void add_gap(std::string limit) {
    if (!gaps_.empty()) return;
    gaps_.push_back({GapKind::kLimit, "",
                     "the layers that introduced packages are not known: too many changed a "
                     "package database",
                     std::move(limit)});
  }

  const image::Image& image_;
  std::map<DatabaseName, Keys> final_;
  std::vector<std::vector<DatabaseName>> changed_;  // Per layer.
  std::map<DatabaseName, size_t> last_change_;
  std::map<DatabaseName, Keys> current_;
  std::unordered_map<std::string, Presence> presence_;
  std::unique_ptr<image::ImageFs> view_;  // Of the present layer, where needed.
  std::map<DatabaseName, Keys> read_in_view_;
  uint64_t views_count_ = 0;
  uint64_t bytes_ = 0;
  std::vector<Gap> gaps_;
};

}  // namespace

bool is_database(const Cataloger& cataloger, std::string_view path) {
  const std::string_view folder = path.substr(0, path.rfind('/') + 1);
  return std::ranges::any_of(cataloger.databases, [&](const image::Claim& claim) {
    return claim.text == (claim.kind == image::ClaimKind::kPath ? path : folder);
  });
}

std::vector<Gap> attribute_to_layers(const image::Image& image,
                                     std::span<const FoundDatabase> databases,
                                     std::span<Package> packages) {
  Attribution attribution(image, databases, packages);
  attribution.run();
  std::vector<Gap> gaps = attribution.take_gaps();
  // Half an answer would name wrong layers.
  if (!gaps.empty()) return gaps;
  for (const FoundDatabase& database : databases) {
    CHECK(database.packages_start + database.packages_count <= packages.size());
    for (Package& package : packages.subspan(database.packages_start, database.packages_count)) {
      package.location.layer = attribution.layer_of(*database.cataloger, package);
    }
  }
  return gaps;
}

}  // namespace vigil::catalog
