#include "advisory/shard_file.h"

#include <algorithm>

#include "base/digest.h"

namespace vigil::advisory {

namespace {

// DB_FORMAT.md, "The container".
constexpr std::string_view kMagic = "VIGILSH1";
constexpr size_t kKindOffset = 16;
constexpr size_t kHeaderBytes = 40 + 16 * kSectionsCount;

uint64_t blocks_in(uint64_t body_bytes) {
  return (body_bytes + kShardBlockBytes - 1) / kShardBlockBytes;
}

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

}  // namespace

std::string write_shard_file(ShardKind kind, const ShardSections& sections) {
  std::string body;
  for (const std::string& section : sections) body += section;
  const uint64_t body_offset = kHeaderBytes + 8 * blocks_in(body.size());

  std::string checked;  // What the header's checksum covers.
  append_little<uint32_t>(checked, static_cast<uint32_t>(kind));
  append_little<uint32_t>(checked, 0);
  append_little<uint64_t>(checked, body_offset + body.size());
  append_little<uint64_t>(checked, body_offset);
  uint64_t offset = body_offset;
  for (const std::string& section : sections) {
    append_little<uint64_t>(checked, offset);
    append_little<uint64_t>(checked, section.size());
    offset += section.size();
  }
  const ByteView bytes = as_bytes(body);
  for (size_t at = 0; at < bytes.size(); at += kShardBlockBytes) {
    const size_t count = std::min<size_t>(kShardBlockBytes, bytes.size() - at);
    append_little<uint64_t>(checked, xxh3(bytes.subspan(at, count)));
  }
  std::string out(kMagic);
  append_little<uint64_t>(out, xxh3(as_bytes(checked)));
  out += checked;
  out += body;
  return out;
}

Result<std::unique_ptr<ShardFile>> ShardFile::open(ByteView bytes, ShardKind kind,
                                                   std::string name) {
  std::unique_ptr<ShardFile> file(new ShardFile(bytes, std::move(name)));
  TRY(with_context(file->read_header(kind), "shard " + file->name_));
  return file;
}

Status ShardFile::read_header(ShardKind kind) {
  ByteReader reader(bytes_);
  if (as_text(TRY(reader.take(kMagic.size()))) != kMagic) return malformed("it is no shard");
  const uint64_t checksum = TRY(reader.little<uint64_t>());
  const uint32_t found_kind = TRY(reader.little<uint32_t>());
  TRY(reader.little<uint32_t>());
  const uint64_t file_bytes = TRY(reader.little<uint64_t>());
  body_offset_ = TRY(reader.little<uint64_t>());
  if (file_bytes != bytes_.size()) {
    return malformed("it has " + std::to_string(bytes_.size()) + " bytes and should have " +
                     std::to_string(file_bytes));
  }
  if (body_offset_ < kHeaderBytes || body_offset_ > file_bytes ||
      body_offset_ != kHeaderBytes + 8 * blocks_in(file_bytes - body_offset_) ||
      xxh3(bytes_.subspan(kKindOffset, body_offset_ - kKindOffset)) != checksum) {
    return malformed("its header is damaged");
  }
  if (found_kind != static_cast<uint32_t>(kind)) return malformed("it is of another kind");
  for (Extent& extent : extents_) {
    extent.offset = TRY(reader.little<uint64_t>());
    extent.bytes = TRY(reader.little<uint64_t>());
    if (extent.offset < body_offset_ || extent.offset > file_bytes ||
        extent.bytes > file_bytes - extent.offset) {
      return malformed("a section lies outside of it");
    }
  }
  is_checked_ = std::make_unique<std::atomic<bool>[]>(blocks_in(file_bytes - body_offset_));
  return {};
}

Status ShardFile::check_block(uint64_t block) const {
  const size_t start = body_offset_ + block * kShardBlockBytes;
  const size_t count = std::min<size_t>(kShardBlockBytes, bytes_.size() - start);
  ByteReader checksums(bytes_.subspan(kHeaderBytes, body_offset_ - kHeaderBytes));
  TRY(checksums.seek(8 * block));
  if (xxh3(bytes_.subspan(start, count)) != TRY(checksums.little<uint64_t>())) {
    return malformed("block " + std::to_string(block) + " is damaged");
  }
  is_checked_[block].store(true, std::memory_order_relaxed);
  return {};
}

Result<ByteView> ShardFile::piece(Section section, uint64_t offset, uint64_t bytes) const {
  const Extent& extent = at(section);
  if (offset > extent.bytes || bytes > extent.bytes - offset) {
    return malformed("an offset points outside of its section");
  }
  if (bytes == 0) return ByteView();
  const uint64_t start = extent.offset + offset;
  const uint64_t last = (start + bytes - 1 - body_offset_) / kShardBlockBytes;
  for (uint64_t block = (start - body_offset_) / kShardBlockBytes; block <= last; ++block) {
    if (!is_checked_[block].load(std::memory_order_relaxed)) TRY(check_block(block));
  }
  return bytes_.subspan(start, bytes);
}

Result<ByteView> ShardFile::sized_piece(Section section, uint64_t offset) const {
  constexpr uint64_t kVarintBytesMax = 10;
  const uint64_t all = at(section).bytes;
  if (offset > all) return malformed("an offset points outside of its section");
  // Nearly all texts and records are short, and end in a block that was seen before.
  const uint64_t start = at(section).offset + offset;
  if (offset < all && is_checked(start)) {
    const uint64_t bytes = bytes_[start];
    if (bytes < 0x80 && bytes < all - offset && is_checked(start + bytes)) {
      return bytes_.subspan(start + 1, bytes);
    }
  }
  const ByteView front = TRY(piece(section, offset, std::min(kVarintBytesMax, all - offset)));
  ByteReader head(front);
  const uint64_t bytes = TRY(head.varint());
  return piece(section, offset + head.offset(), bytes);
}

Status ShardFile::check_all_blocks() const {
  for (uint64_t block = 0; block < blocks_in(bytes_.size() - body_offset_); ++block) {
    TRY(with_context(check_block(block), "shard " + name_));
  }
  return {};
}

}  // namespace vigil::advisory
