#include "golden_database.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "advisory/feed.h"
#include "base/file.h"

namespace vigil::goldens {

namespace {

// One shard as the feeds gave it, by package.
class MemoryShard : public advisory::Shard {
 public:
  explicit MemoryShard(std::string name) : name_(std::move(name)) {}

  std::string_view name() const override { return name_; }
  std::span<const advisory::ShardSource> sources() const override { return sources_; }
  Result<std::vector<Advisory>> find(std::string_view package) const override {
    const auto found = by_package_.find(package);
    return found == by_package_.end() ? std::vector<Advisory>{} : found->second;
  }
  Result<advisory::Knowledge> knowledge(std::string_view package) const override {
    advisory::Knowledge known = advisory::Knowledge::kNone;
    for (const advisory::ShardSource& source : sources_) {
      if (source.coverage.is_subset && !by_package_.contains(package)) continue;
      known = std::max(known, source.coverage.is_fixed_only ? advisory::Knowledge::kFixedOnly
                                                            : advisory::Knowledge::kFull);
    }
    return known;
  }
  Result<std::vector<Advisory>> find_id(std::string_view) const override {
    return std::vector<Advisory>{};
  }

  void add(Advisory advisory) {
    std::vector<Affected> affected = std::move(advisory.affected);
    for (Affected& one : affected) {
      std::vector<Advisory>& records = by_package_[one.package];
      // The Affected entries of one name stay in one record.
      if (records.empty() || records.back().id != advisory.id ||
          records.back().source != advisory.source) {
        records.push_back(advisory);
        records.back().affected.clear();
      }
      records.back().affected.push_back(std::move(one));
    }
  }
  void add_source(advisory::ShardSource source) {
    if (std::ranges::find(sources_, source.name, &advisory::ShardSource::name) == sources_.end()) {
      sources_.push_back(std::move(source));
    }
  }

 private:
  std::string name_;
  std::vector<advisory::ShardSource> sources_;
  std::map<std::string, std::vector<Advisory>, std::less<>> by_package_;
};

class MemoryDatabase : public advisory::Database, public advisory::AdvisorySink {
 public:
  Result<const advisory::Shard*> shard(std::string_view name) const override {
    const auto found = shards_.find(name);
    return found == shards_.end() ? nullptr : found->second.get();
  }
  std::vector<std::string> shard_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, shard] : shards_) names.push_back(name);
    return names;
  }
  Result<std::optional<CveFacts>> facts(std::string_view) const override { return std::nullopt; }
  Result<std::optional<ReleaseLife>> release_life(std::string_view,
                                                  std::string_view) const override {
    return std::nullopt;
  }
  DatabaseUse use() const override { return {}; }
  UnixSeconds epss_at() const override { return 0; }

  void add(std::string_view shard, Advisory advisory) override {
    if (!advisory.is_withdrawn) at(shard).add(std::move(advisory));
  }
  void add_source(std::string_view shard, std::string_view source, Coverage coverage,
                  UnixSeconds as_of) override {
    at(shard).add_source({std::string(source), coverage, as_of});
  }
  void add_known_package(std::string_view, std::string_view, std::string_view) override {}
  void add_facts(CveFacts) override {}
  void add_release(ReleaseLife) override {}
  void add_epss_date(UnixSeconds) override {}
  void skip(std::string_view) override {}

 private:
  MemoryShard& at(std::string_view name) {
    std::unique_ptr<MemoryShard>& shard = shards_[std::string(name)];
    if (!shard) shard = std::make_unique<MemoryShard>(std::string(name));
    return *shard;
  }

  std::map<std::string, std::unique_ptr<MemoryShard>, std::less<>> shards_;
};

std::unique_ptr<MemoryDatabase> compile(const std::string& folder) {
  auto database = std::make_unique<MemoryDatabase>();
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.insert(entry.path().lexically_relative(folder).string());
  }
  for (const advisory::Feed* feed : advisory::all_feeds()) {
    for (const std::string& path : paths) {
      const bool is_wanted = std::ranges::any_of(feed->patterns, [&](std::string_view pattern) {
        return fnmatch(std::string(pattern).c_str(), path.c_str(), FNM_PATHNAME) == 0;
      });
      if (!is_wanted) continue;
      const advisory::FeedFile file{.path = path,
                                    .absolute_path = folder + "/" + path,
                                    .coverage = feed->coverage,
                                    .as_of = 0};
      if (!feed->parse(file, *database)) return nullptr;
    }
  }
  return database;
}

}  // namespace

std::string feeds_path(const std::string& relative) {
  std::string path = std::string(VIGIL_SOURCE_DIR) + "/../shared/feeds/" + relative;
  return path_exists(path) ? path : "";
}

const advisory::Database* golden_database() {
  static const std::unique_ptr<MemoryDatabase> database =
      feeds_path("").empty() ? nullptr : compile(feeds_path(""));
  return database.get();
}

}  // namespace vigil::goldens
