// A tar archive as a stream of entries: ustar (POSIX.1-1988), pax (POSIX.1-2001: path, linkpath,
// size), GNU long names, base-256 numbers, and GNU sparse files in all their forms. Nothing is
// extracted. Where writers differ the rules are those of the readers that unpack layers on real
// hosts: links, devices and directories have no content whatever their size field says; global pax
// headers are left out; the archive ends at two zero blocks or where the bytes end between two
// entries. Hostile input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "decode/byte_stream.h"

namespace vigil::decode {

enum class TarType : uint8_t { kRegular, kHardLink, kSymlink, kDirectory, kOther };

struct TarEntry {
  std::string path;  // As stored: may be absolute, hold "..", any byte but NUL.
  std::string link;  // Target of a link, as stored.
  TarType type = TarType::kOther;
  uint64_t bytes = 0;         // Of the content, holes included.
  uint64_t stored_bytes = 0;  // Of what is in the archive.
  uint64_t offset = 0;        // Of that, from the start of the stream.
  bool is_sparse = false;
};

// One thread. The stream must outlive the reader.
class TarReader {
 public:
  explicit TarReader(ByteStream& stream) : stream_(stream) {}

  // Moves to the next entry; false at the end. A damaged or truncated archive is kMalformed; an
  // Error of kTooLarge ends in the name of its bound (kTarEntriesMax, kTarHeaderBytesMax,
  // kSparseSegmentsMax). After an Error there is nothing more to read.
  Result<bool> next();
  const TarEntry& entry() const { return entry_; }

  // The next piece of what is stored for this entry; empty at its end.
  Result<ByteView> next_piece();
  // The whole content with its holes filled. Requires: nothing of it was read. kTooLarge past
  // `bytes_max`, and then the entry can still be passed over.
  Result<std::string> content(uint64_t bytes_max);

 private:
  struct Segment {
    uint64_t offset;
    uint64_t bytes;
  };
  struct Header;

  Status fill();
  Result<size_t> read(std::span<uint8_t> out);
  Status skip(uint64_t bytes);
  Result<bool> read_block(uint8_t (&block)[512]);
  Result<std::string> read_stored(uint64_t bytes, uint64_t bytes_max);
  Status read_pax(std::string_view records, Header& header);
  Status read_pax_sparse(std::string_view key, std::string_view value, Header& header);
  Status read_old_sparse(const uint8_t (&block)[512], Header& header);
  Status apply(const uint8_t (&block)[512], Header& header);
  Status read_sparse_map_in_content();

  ByteStream& stream_;
  ByteView piece_;
  uint64_t position_ = 0;  // Of the front of piece_.
  uint64_t entries_count_ = 0;
  uint64_t content_left_ = 0;  // Stored bytes of the entry not read yet,
  uint64_t padding_left_ = 0;  // and what rounds them up to a block.
  bool is_ended_ = false;
  bool has_map_in_content_ = false;  // GNU sparse format 1.0.
  std::vector<Segment> segments_;
  TarEntry entry_;
};

}  // namespace vigil::decode
