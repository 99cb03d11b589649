// The container of a shard: a header, checksums of blocks, six sections. What the sections hold is
// shard.h's matter; DB_FORMAT.md describes every byte. Hostile input: a reader never leaves its
// section, and bytes of a block are given out only after its checksum was found right.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace vigil::advisory {

enum class ShardKind : uint32_t { kAdvisories = 1, kFacts = 2, kReleases = 3 };

enum class Section : size_t {
  kMeta = 0,        // Name, sources, counts.
  kTexts = 1,       // Texts that occur several times.
  kStatements = 2,  // Affected entries that occur several times.
  kAdvisories = 3,  // Advisories without their Affected entries.
  kIndex = 4,       // Where a package's or a CVE's rows are.
  kRows = 5,
};
constexpr size_t kSectionsCount = 6;

// A source's coverage, in kMeta.
constexpr uint64_t kFixedOnlyBit = 1;
constexpr uint64_t kSubsetBit = 2;
constexpr uint64_t kPartialBit = 4;

constexpr uint64_t kShardBlockBytes = 16 << 10;

using ShardSections = std::array<std::string, kSectionsCount>;
std::string write_shard_file(ShardKind kind, const ShardSections& sections);

// Threads: const, may be shared. The bytes must outlive it.
class ShardFile {
 public:
  // Checks header and checksum table. `name` is how errors call it.
  static Result<std::unique_ptr<ShardFile>> open(ByteView bytes, ShardKind kind, std::string name);

  std::string_view name() const { return name_; }
  uint64_t section_bytes(Section section) const { return at(section).bytes; }
  // A piece of a section, checked. kMalformed where it leaves the section or is damaged.
  Result<ByteView> piece(Section section, uint64_t offset, uint64_t bytes) const;
  // The bytes behind a varint length at `offset`.
  Result<ByteView> sized_piece(Section section, uint64_t offset) const;
  Result<ByteView> whole(Section section) const { return piece(section, 0, at(section).bytes); }
  Status check_all_blocks() const;

 private:
  struct Extent {
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };

  ShardFile(ByteView bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {}
  const Extent& at(Section section) const { return extents_[static_cast<size_t>(section)]; }
  Status read_header(ShardKind kind);
  Status check_block(uint64_t block) const;
  // Whether the block was in which the byte of the file lies.
  bool is_checked(uint64_t at) const {
    return is_checked_[(at - body_offset_) / kShardBlockBytes].load(std::memory_order_relaxed);
  }

  ByteView bytes_;
  std::string name_;
  uint64_t body_offset_ = 0;
  std::array<Extent, kSectionsCount> extents_;
  // One flag a block: its checksum was found right. Two threads may both find it out.
  std::unique_ptr<std::atomic<bool>[]> is_checked_;
};

}  // namespace vigil::advisory
