// Collects what feeds say of one shard, compactly, and writes it as the bytes of the shard. One
// thread collects; different shards may be written by different threads at once. What is written
// does not depend on anything but what was collected, in its order.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "advisory/byte_pool.h"
#include "advisory/shard.h"

namespace vigil::advisory {

struct WrittenShard {
  std::string bytes;
  ShardMeta meta;
};

// The sources of a shard, by name and coverage: what a source claims of all its packages in one
// file stays true whatever it says in another, so statements of different coverage stand side by
// side. Of several dates the newest counts: each file of a feed is from when the feed is.
class SourceList {
 public:
  void add(std::string_view name, Coverage coverage, UnixSeconds as_of);
  void count(std::string_view name, uint64_t records_count);
  // Fails where records were counted for a source that was never added.
  Result<ShardMeta> meta(std::string_view shard) const;

 private:
  std::map<std::pair<std::string, std::string>, ShardSource> sources_;  // By name, coverage text.
  std::map<std::string, uint64_t, std::less<>> counts_;
};

class AdvisoryCollector {
 public:
  // `texts` is shared by all collectors of a build and outlives them.
  AdvisoryCollector(std::string name, BytePool& texts) : name_(std::move(name)), texts_(texts) {}

  SourceList& sources() { return sources_; }
  void add(Advisory advisory);
  void add_known_package(std::string_view source, std::string_view package);
  Result<WrittenShard> write() const;

 private:
  struct Row {
    uint32_t package = 0;   // In texts_.
    uint32_t advisory = 0;  // In advisories_.
    uint32_t affected = 0;  // In affected_.
  };

  std::string name_;
  BytePool& texts_;
  SourceList sources_;
  BytePool advisories_;  // Encoded, with numbers of texts_ as references.
  BytePool affected_;
  std::vector<Row> rows_;
  std::vector<std::pair<uint32_t, std::string>> known_;  // Package in texts_, source.
};

class FactsCollector {
 public:
  explicit FactsCollector(BytePool& texts) : texts_(texts) {}

  SourceList& sources() { return sources_; }
  // False where the id is none, or written in a way that has no place in the shard.
  bool add(const CveFacts& facts);
  bool is_empty() const { return entries_.empty(); }
  Result<WrittenShard> write() const;

 private:
  struct Entry {
    uint64_t key = 0;
    uint32_t facts = 0;  // In facts_.
  };
  BytePool& texts_;
  SourceList sources_;
  BytePool facts_;
  std::vector<Entry> entries_;
};

class ReleasesCollector {
 public:
  SourceList& sources() { return sources_; }
  void add(ReleaseLife life) { lives_.push_back(std::move(life)); }
  bool is_empty() const { return lives_.empty(); }
  Result<WrittenShard> write() const;

 private:
  SourceList sources_;
  std::vector<ReleaseLife> lives_;
};

// What two feeds say of one CVE; where both say the same thing, `later` counts.
CveFacts merge_facts(CveFacts earlier, CveFacts later);

}  // namespace vigil::advisory
