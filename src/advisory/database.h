// The installed advisory database, read by mapping. DB_FORMAT.md beside this file describes the
// bytes. Opening checks the manifest (and its signature) and the sizes of the shards; every block
// of a shard is checked once, when it is first touched. Threads: const, may be shared.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "model/advisory.h"
#include "model/finding.h"

namespace vigil::advisory {

struct ShardSource {
  std::string name;  // The feed's source name.
  Coverage coverage;
  UnixSeconds as_of = 0;
  bool operator==(const ShardSource&) const = default;
};

// What a shard can say of a package that no advisory matched.
enum class Knowledge : uint8_t {
  kNone,       // Only subsets, and none of them names the package.
  kFixedOnly,  // A source knows its fixed issues.
  kFull,       // A source knows all issues.
};

// What an advisory says of the package that was asked for. Many advisories may say the very same:
// the entry then stands once, under one number in all of the answer.
struct AffectedEntry {
  const Affected* affected;
  std::optional<uint32_t> number;  // Nothing: it is this advisory's own.
};

// The advisory, moved, with copies of its entries.
Advisory with_entries(Advisory& advisory, std::span<const AffectedEntry> entries);

class Shard {
 public:
  // Says whether it keeps what the entries point to.
  using Visitor = FunctionRef<bool(Advisory& advisory, std::span<const AffectedEntry> entries)>;

  virtual ~Shard() = default;
  virtual std::string_view name() const = 0;
  virtual std::span<const ShardSource> sources() const = 0;
  // Calls visit with each advisory that speaks of the package (by its normal_package_name), in the
  // order they were built: by source, then id; with its entries for that name, while its own list
  // of them is empty. Withdrawn ones are left out. The visitor may move from the advisory; what it
  // leaves is read over for the next. Entries with a number, and others that the visitor keeps, go
  // to `kept` and stay where they are. A damaged block is kMalformed and names shard and block.
  virtual Status each(std::string_view package, std::list<Affected>& kept, Visitor visit) const = 0;
  Result<std::vector<Advisory>> find(std::string_view package) const;
  // How much there is to read of a package, for whoever shares out the work; 0 where it is damaged.
  virtual uint64_t bytes_about(std::string_view package) const = 0;
  virtual Result<Knowledge> knowledge(std::string_view package) const = 0;
  // Advisories by id or CVE, with all their Affected entries: for `db search`. Slow.
  virtual Result<std::vector<Advisory>> find_id(std::string_view id) const = 0;
};

class Database {
 public:
  virtual ~Database() = default;
  // Null where the database has no such shard. Opens it at the first call.
  virtual Result<const Shard*> shard(std::string_view name) const = 0;
  virtual std::vector<std::string> shard_names() const = 0;
  virtual Result<std::optional<CveFacts>> facts(std::string_view cve) const = 0;
  virtual Result<std::optional<ReleaseLife>> release_life(std::string_view distro,
                                                          std::string_view release) const = 0;
  // Where it is, from when, whether signed; `shards` lists those opened so far (sorted by name).
  virtual DatabaseUse use() const = 0;
  virtual UnixSeconds epss_at() const = 0;  // Date of the EPSS scores; 0: none.
};

struct OpenDatabaseOptions {
  std::string folder;                     // "" opens the embedded starter.
  std::vector<std::string> trusted_keys;  // Public keys, as `db keygen` writes them.
  UnixSeconds now = 0;
};
Result<std::unique_ptr<Database>> open_database(const OpenDatabaseOptions& options);

}  // namespace vigil::advisory
