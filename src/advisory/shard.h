// The three kinds of shard, read from mapped bytes: advisories of one distribution's release or one
// ecosystem, facts of CVEs, ends of life. DB_FORMAT.md describes the bytes. Hostile input.
// Threads: const, may be shared. The bytes must outlive what is opened on them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/database.h"
#include "advisory/shard_file.h"
#include "base/function_ref.h"

namespace vigil::advisory {

constexpr std::string_view kFactsShard = "facts";
constexpr std::string_view kReleasesShard = "releases";
ShardKind shard_kind(std::string_view name);

// What a shard says of itself.
struct ShardMeta {
  std::string name;
  std::vector<ShardSource> sources;      // Sorted by name, then coverage.
  std::vector<uint64_t> records_counts;  // Per source; same order.
  uint64_t records_count = 0;            // Different advisories, CVEs or releases.
  uint64_t withdrawn_count = 0;          // Of these; find() leaves them out.
};

class AdvisoryShard : public Shard {
 public:
  static Result<std::unique_ptr<AdvisoryShard>> open(ByteView bytes, std::string_view name);

  std::string_view name() const override { return meta_.name; }
  std::span<const ShardSource> sources() const override { return meta_.sources; }
  Status each(std::string_view package, std::list<Affected>& kept, Visitor visit) const override;
  uint64_t bytes_about(std::string_view package) const override;
  Result<Knowledge> knowledge(std::string_view package) const override;
  Result<std::vector<Advisory>> find_id(std::string_view id) const override;

  const ShardMeta& meta() const { return meta_; }
  // Every package with its advisories, withdrawn ones too, in byte order of the names.
  Status each_package(
      FunctionRef<Status(std::string_view package, const std::vector<Advisory>&)> visit) const;

 private:
  struct Row;

  AdvisoryShard() = default;
  // The number of the package in the index.
  Result<std::optional<uint32_t>> find_package(std::string_view package) const;
  Result<ByteView> index() const;
  Result<ByteView> bytes_of(const Row& row) const;
  Result<std::string_view> package_name(ByteView words, uint32_t number) const;
  Result<ByteView> package_rows(uint32_t number) const;
  // Withdrawn ones, too.
  Status each_of(uint32_t number, std::list<Affected>& kept, Visitor visit) const;
  Result<std::vector<Advisory>> search_id(std::string_view id) const;
  Result<Advisory> advisory_at(uint64_t offset, uint64_t& budget) const;
  template <typename Visit>
  Status each_row(ByteView rows, uint64_t& budget, Visit visit) const;

  std::unique_ptr<ShardFile> file_;
  ShardMeta meta_;
  uint32_t packages_count_ = 0;
  bool has_subsets_ = false;
};

class FactsShard {
 public:
  static Result<std::unique_ptr<FactsShard>> open(ByteView bytes);

  Result<std::optional<CveFacts>> find(std::string_view cve) const;
  const ShardMeta& meta() const { return meta_; }
  Status each(FunctionRef<Status(const CveFacts&)> visit) const;

 private:
  FactsShard() = default;
  // Requires: the group is in the index.
  static uint64_t first_key(ByteView index, uint64_t group);
  Result<ByteView> group_rows(ByteView index, uint64_t group) const;
  // Calls visit(key, reader) at each row of a group; it must read the facts.
  template <typename Visit>
  Status each_row(ByteView index, uint64_t group, Visit visit) const;

  std::unique_ptr<ShardFile> file_;
  ShardMeta meta_;
  uint64_t groups_count_ = 0;
};

class ReleasesShard {
 public:
  static Result<std::unique_ptr<ReleasesShard>> open(ByteView bytes);

  Result<std::vector<ReleaseLife>> all() const;
  const ShardMeta& meta() const { return meta_; }

 private:
  ReleasesShard() = default;
  std::unique_ptr<ShardFile> file_;
  ShardMeta meta_;
};

// The meta of a shard of any kind.
Result<ShardMeta> read_shard_meta(ByteView bytes, std::string_view name);
// Looks at every byte: checksums, and that every record can be read.
Status check_shard(ByteView bytes, std::string_view name);

}  // namespace vigil::advisory
