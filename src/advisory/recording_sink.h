// A sink for tests that keeps what a feed says. Only tests and fuzz targets include it.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "advisory/feed.h"

namespace vigil::advisory {

class RecordingSink : public AdvisorySink {
 public:
  struct Source {
    std::string shard;
    std::string source;
    Coverage coverage;
    UnixSeconds as_of = 0;
    bool operator==(const Source&) const = default;
  };

  void add(std::string_view shard, Advisory advisory) override {
    shards[std::string(shard)].push_back(std::move(advisory));
  }
  void add_source(std::string_view shard, std::string_view source, Coverage coverage,
                  UnixSeconds as_of) override {
    sources.push_back({std::string(shard), std::string(source), coverage, as_of});
  }
  void add_known_package(std::string_view shard, std::string_view source,
                         std::string_view package) override {
    known_packages.emplace(shard, source, package);
  }
  void add_facts(CveFacts one) override { facts.push_back(std::move(one)); }
  void add_release(ReleaseLife life) override { releases.push_back(std::move(life)); }
  void add_epss_date(UnixSeconds scored_at) override { epss_at = std::max(epss_at, scored_at); }
  void skip(std::string_view reason) override { ++skipped[std::string(reason)]; }

  // The first advisory of that id in the shard; null where there is none.
  const Advisory* find(const std::string& shard, std::string_view id) const {
    const auto found = shards.find(shard);
    if (found == shards.end()) return nullptr;
    for (const Advisory& advisory : found->second) {
      if (advisory.id == id) return &advisory;
    }
    return nullptr;
  }
  // Affected entries of a shard, all advisories together.
  size_t affected_count(const std::string& shard) const {
    size_t count = 0;
    const auto found = shards.find(shard);
    if (found == shards.end()) return 0;
    for (const Advisory& advisory : found->second) count += advisory.affected.size();
    return count;
  }

  std::map<std::string, std::vector<Advisory>> shards;
  std::vector<Source> sources;
  std::set<std::tuple<std::string, std::string, std::string>> known_packages;
  std::vector<CveFacts> facts;
  std::vector<ReleaseLife> releases;
  UnixSeconds epss_at = 0;
  std::map<std::string, size_t> skipped;
};

// The feed of that name; null where there is none.
inline const Feed* find_feed(std::string_view name) {
  for (const Feed* feed : all_feeds()) {
    if (feed->name == name) return feed;
  }
  return nullptr;
}

}  // namespace vigil::advisory
