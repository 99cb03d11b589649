#include "decode/tar.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/limits.h"

namespace vigil::decode {

namespace {

constexpr size_t kBlockBytes = 512;
constexpr uint64_t kSizeMax = 1ull << 62;

// Positions in a header block, POSIX.1-1988 and GNU.
constexpr size_t kName = 0, kNameBytes = 100;
constexpr size_t kSize = 124, kNumberBytes = 12;
constexpr size_t kChecksum = 148, kChecksumBytes = 8;
constexpr size_t kType = 156;
constexpr size_t kLink = 157;
constexpr size_t kMagic = 257;
constexpr size_t kPrefix = 345, kPrefixBytes = 155;
constexpr size_t kOldSparse = 386, kOldSparseSegments = 4;
constexpr size_t kOldSparseExtended = 482, kOldSparseSize = 483;
constexpr size_t kSparseBlockSegments = 21, kSparseBlockExtended = 504;

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

// Text up to the first NUL or the end of its field.
std::string_view text_field(const uint8_t* block, size_t at, size_t bytes) {
  const std::string_view field(reinterpret_cast<const char*>(block) + at, bytes);
  return field.substr(0, field.find('\0'));
}

// Octal, or base-256 where the first bit is set (GNU); negative numbers have the second bit set
// too.
Result<uint64_t> number_field(const uint8_t* block, size_t at, size_t bytes) {
  const uint8_t* field = block + at;
  uint64_t value = 0;
  if ((field[0] & 0x80) != 0) {
    if ((field[0] & 0x40) != 0) return malformed("a negative number in a tar header");
    for (size_t i = 0; i < bytes; ++i) {
      const uint8_t byte = i == 0 ? field[i] & 0x3f : field[i];
      if (value >= kSizeMax >> 8) return malformed("an overflowing number in a tar header");
      value = value << 8 | byte;
    }
    return value;
  }
  std::string_view text(reinterpret_cast<const char*>(field), bytes);
  const auto is_blank = [](char c) { return c == ' ' || c == '\0'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  // Writers end the digits with a NUL or a space; what follows that is not part of the number.
  text = text.substr(0, std::min(text.find('\0'), text.find(' ')));
  for (const char digit : text) {
    if (digit < '0' || digit > '7') return malformed("a number in a tar header is not octal");
    value = value * 8 + static_cast<uint64_t>(digit - '0');
  }
  return value;
}

Result<uint64_t> decimal(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kSizeMax) {
    return malformed("a number in a pax header is not one");
  }
  return value;
}

// The sum of the header's bytes, eight at a time: 64 of them fit into 16 bits of each lane.
int64_t sum_of(const uint8_t (&block)[kBlockBytes]) {
  constexpr uint64_t kEvenBytes = 0x00ff00ff00ff00ff;
  uint64_t lanes = 0;
  for (size_t i = 0; i < kBlockBytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, block + i, sizeof(word));
    lanes += (word & kEvenBytes) + (word >> 8 & kEvenBytes);
  }
  return static_cast<int64_t>((lanes & 0xffff) + (lanes >> 16 & 0xffff) + (lanes >> 32 & 0xffff) +
                              (lanes >> 48));
}

// The checksum counts its own field as spaces. Old writers summed signed characters.
bool checksum_fits(const uint8_t (&block)[kBlockBytes]) {
  const Result<uint64_t> claimed = number_field(block, kChecksum, kChecksumBytes);
  if (!claimed) return false;
  int64_t sum = sum_of(block) + int64_t{kChecksumBytes} * ' ';
  for (size_t i = kChecksum; i < kChecksum + kChecksumBytes; ++i) sum -= block[i];
  const int64_t want = static_cast<int64_t>(*claimed);
  if (want == sum) return true;
  for (size_t i = 0; i < kBlockBytes; ++i) {
    const bool is_own = i >= kChecksum && i < kChecksum + kChecksumBytes;
    if (!is_own && block[i] >= 0x80) sum -= 0x100;
  }
  return want == sum;
}

bool is_zero(const uint8_t (&block)[kBlockBytes]) {
  if (block[0] != 0) return false;
  static constexpr uint8_t kZeros[kBlockBytes] = {};
  return std::memcmp(block, kZeros, kBlockBytes) == 0;
}

uint64_t padding_of(uint64_t bytes) {
  return (kBlockBytes - bytes % kBlockBytes) % kBlockBytes;
}

}  // namespace

// What the meta entries before an entry say about it.
struct TarReader::Header {
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<uint64_t> size;
  std::optional<uint64_t> sparse_size;
  std::string sparse_name;
  bool is_sparse = false;
  bool has_map_in_content = false;
  std::vector<Segment> segments;
};

Status TarReader::fill() {
  if (piece_.empty()) piece_ = TRY(stream_.next());
  return {};
}

// Fewer bytes than wanted only at the end of the stream.
Result<size_t> TarReader::read(std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    TRY(fill());
    if (piece_.empty()) break;
    const size_t bytes = std::min(piece_.size(), out.size() - done);
    std::memcpy(out.data() + done, piece_.data(), bytes);
    piece_ = piece_.subspan(bytes);
    position_ += bytes;
    done += bytes;
  }
  return done;
}

Status TarReader::skip(uint64_t bytes) {
  while (bytes > 0) {
    if (piece_.empty()) {
      const uint64_t skipped = stream_.skip(bytes);
      position_ += skipped;
      bytes -= skipped;
      if (bytes == 0) break;
      TRY(fill());
      if (piece_.empty()) return malformed("the tar archive is cut short");
    }
    const size_t taken = std::min<uint64_t>(piece_.size(), bytes);
    piece_ = piece_.subspan(taken);
    position_ += taken;
    bytes -= taken;
  }
  return {};
}

// False where the bytes end before the block.
Result<bool> TarReader::read_block(uint8_t (&block)[kBlockBytes]) {
  const size_t bytes = TRY(read(block));
  if (bytes == 0) return false;
  if (bytes < kBlockBytes) return malformed("the tar archive is cut short in a header");
  return true;
}

Result<std::string> TarReader::read_stored(uint64_t bytes, uint64_t bytes_max) {
  if (bytes > bytes_max) {
    return fail(ErrorCode::kTooLarge, "a tar header larger than kTarHeaderBytesMax");
  }
  std::string text(bytes, '\0');
  const size_t got = TRY(read({reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  if (got < bytes) return malformed("the tar archive is cut short in a header");
  TRY(skip(padding_of(bytes)));
  return text;
}

Result<bool> TarReader::next() {
  if (is_ended_) return false;
  // Whatever ends this call early is final.
  is_ended_ = true;
  TRY(skip(content_left_ + padding_left_));
  content_left_ = padding_left_ = 0;
  Header header;
  uint8_t block[kBlockBytes];
  bool after_zero_block = false;
  for (;;) {
    if (++entries_count_ > limits::kTarEntriesMax) {
      return fail(ErrorCode::kTooLarge, "more entries than kTarEntriesMax");
    }
    if (!TRY(read_block(block))) return false;
    if (is_zero(block)) {
      if (after_zero_block) return false;
      after_zero_block = true;
      continue;
    }
    if (!checksum_fits(block)) {
      // After one zero block this is what was left in the last record, not an entry.
      if (after_zero_block) return false;
      return malformed("a tar header does not fit its checksum");
    }
    after_zero_block = false;
    const char type = static_cast<char>(block[kType]);
    if (type != 'x' && type != 'X' && type != 'g' && type != 'L' && type != 'K') break;
    const uint64_t size = TRY(number_field(block, kSize, kNumberBytes));
    const std::string text = TRY(read_stored(size, limits::kTarHeaderBytesMax));
    if (type == 'x' || type == 'X') TRY(read_pax(text, header));
    if (type == 'L') header.path = text.substr(0, text.find('\0'));
    if (type == 'K') header.link = text.substr(0, text.find('\0'));
  }
  TRY(apply(block, header));
  is_ended_ = false;
  return true;
}

// "LENGTH KEY=VALUE\n", the length counting itself (POSIX.1-2001, pax, extended header).
Status TarReader::read_pax(std::string_view records, Header& header) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    if (space == std::string_view::npos) return malformed("a pax record without a length");
    const uint64_t length = TRY(decimal(records.substr(0, space)));
    if (length > records.size() || length < space + 3 || records[length - 1] != '\n') {
      return malformed("a pax record with a wrong length");
    }
    const std::string_view record = records.substr(space + 1, length - space - 2);
    records.remove_prefix(length);
    const size_t equals = record.find('=');
    if (equals == std::string_view::npos) return malformed("a pax record without a value");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path" || key == "linkpath") {
      if (value.find('\0') != std::string_view::npos) return malformed("a name with a NUL");
      std::optional<std::string>& field = key == "path" ? header.path : header.link;
      // An empty value takes an earlier one back.
      field = value.empty() ? std::nullopt : std::optional<std::string>(value);
    } else if (key == "size") {
      header.size = value.empty() ? std::nullopt : std::optional(TRY(decimal(value)));
    } else if (key.starts_with("GNU.sparse.")) {
      TRY(read_pax_sparse(key.substr(11), value, header));
    }
  }
  return {};
}

// GNU sparse formats 0.0 (offset and numbytes records), 0.1 (one map record) and 1.0 (the map leads
// the content), as the GNU tar manual describes them.
Status TarReader::read_pax_sparse(std::string_view key, std::string_view value, Header& header) {
  header.is_sparse = true;
  if (key == "major") header.has_map_in_content = value == "1";
  if (key == "name") header.sparse_name = value;
  if (key == "realsize" || key == "size") header.sparse_size = TRY(decimal(value));
  if (header.segments.size() > limits::kSparseSegmentsMax) {
    return fail(ErrorCode::kTooLarge, "more holes than kSparseSegmentsMax");
  }
  if (key == "offset") header.segments.push_back({TRY(decimal(value)), 0});
  if (key == "numbytes") {
    if (header.segments.empty()) return malformed("a sparse map without an offset");
    header.segments.back().bytes = TRY(decimal(value));
  }
  if (key == "map") {
    header.segments.clear();
    std::vector<uint64_t> numbers;
    for (std::string_view rest = value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      numbers.push_back(TRY(decimal(rest.substr(0, comma))));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (numbers.size() % 2 != 0) return malformed("a sparse map of odd length");
    for (size_t i = 0; i < numbers.size(); i += 2) {
      header.segments.push_back({numbers[i], numbers[i + 1]});
    }
  }
  return {};
}

// The old GNU format: four segments in the header, more in blocks after it.
Status TarReader::read_old_sparse(const uint8_t (&block)[kBlockBytes], Header& header) {
  const auto read_segments = [&](const uint8_t* from, size_t at, size_t count) -> Status {
    for (size_t i = 0; i < count; ++i, at += 2 * kNumberBytes) {
      if (from[at] == 0) return {};
      header.segments.push_back({TRY(number_field(from, at, kNumberBytes)),
                                 TRY(number_field(from, at + kNumberBytes, kNumberBytes))});
    }
    return {};
  };
  header.is_sparse = true;
  header.sparse_size = TRY(number_field(block, kOldSparseSize, kNumberBytes));
  TRY(read_segments(block, kOldSparse, kOldSparseSegments));
  bool is_extended = block[kOldSparseExtended] != 0;
  while (is_extended) {
    if (header.segments.size() > limits::kSparseSegmentsMax) {
      return fail(ErrorCode::kTooLarge, "more holes than kSparseSegmentsMax");
    }
    uint8_t more[kBlockBytes];
    if (!TRY(read_block(more))) return malformed("the tar archive is cut short in a header");
    const size_t had = header.segments.size();
    TRY(read_segments(more, 0, kSparseBlockSegments));
    if (header.segments.size() == had) return malformed("an empty sparse map");
    is_extended = more[kSparseBlockExtended] != 0;
  }
  return {};
}

Status TarReader::apply(const uint8_t (&block)[kBlockBytes], Header& header) {
  entry_ = {};
  const char type = static_cast<char>(block[kType]);
  uint64_t size = TRY(number_field(block, kSize, kNumberBytes));
  if (header.size) size = *header.size;
  if (type == 'S') TRY(read_old_sparse(block, header));

  const bool is_ustar = std::memcmp(block + kMagic, "ustar\0", 6) == 0;
  entry_.path = text_field(block, kName, kNameBytes);
  if (is_ustar) {
    const std::string_view prefix = text_field(block, kPrefix, kPrefixBytes);
    if (!prefix.empty()) entry_.path = std::string(prefix) + "/" + entry_.path;
  }
  if (header.path) entry_.path = *header.path;
  if (!header.sparse_name.empty()) entry_.path = header.sparse_name;
  entry_.link = header.link ? *header.link : std::string(text_field(block, kLink, kNameBytes));

  bool has_content = true;
  switch (type) {
    case '0':
    case '7':  // Contiguous: a regular file everywhere.
    case 'S':
      entry_.type = TarType::kRegular;
      break;
    case '\0':  // Before POSIX a directory was a file whose name ends in a slash.
      entry_.type = entry_.path.ends_with('/') ? TarType::kDirectory : TarType::kRegular;
      has_content = entry_.type == TarType::kRegular;
      break;
    case '1':
      entry_.type = TarType::kHardLink;
      has_content = false;
      break;
    case '2':
      entry_.type = TarType::kSymlink;
      has_content = false;
      break;
    case '3':
    case '4':
    case '6':
      has_content = false;
      break;
    case '5':
      entry_.type = TarType::kDirectory;
      has_content = false;
      break;
    default:
      break;  // Volume labels, dump directories, what others invent: passed over.
  }
  entry_.offset = position_;
  entry_.stored_bytes = has_content ? size : 0;
  entry_.is_sparse = entry_.type == TarType::kRegular && header.is_sparse;
  entry_.bytes = entry_.is_sparse && header.sparse_size ? *header.sparse_size : entry_.stored_bytes;
  content_left_ = entry_.stored_bytes;
  padding_left_ = padding_of(content_left_);
  segments_ = std::move(header.segments);
  has_map_in_content_ = entry_.is_sparse && header.has_map_in_content;
  return {};
}

Result<ByteView> TarReader::next_piece() {
  if (content_left_ == 0) return ByteView();
  TRY(fill());
  if (piece_.empty()) return malformed("the tar archive is cut short");
  const ByteView piece = piece_.first(std::min<uint64_t>(piece_.size(), content_left_));
  piece_ = piece_.subspan(piece.size());
  position_ += piece.size();
  content_left_ -= piece.size();
  return piece;
}

// Sparse format 1.0: decimal numbers, one a line, their count first, padded to whole blocks.
Status TarReader::read_sparse_map_in_content() {
  std::vector<uint64_t> numbers;
  std::string digits;
  uint64_t wanted = 1;
  while (numbers.size() < wanted) {
    uint8_t block[kBlockBytes];
    if (content_left_ < kBlockBytes) return malformed("a sparse file without its map");
    if (!TRY(read_block(block))) return malformed("the tar archive is cut short");
    content_left_ -= kBlockBytes;
    for (const uint8_t byte : block) {
      if (numbers.size() == wanted) break;  // The padding.
      if (byte != '\n') {
        digits += static_cast<char>(byte);
        if (digits.size() > 20) return malformed("a sparse map that holds no numbers");
        continue;
      }
      numbers.push_back(TRY(decimal(digits)));
      digits.clear();
      if (numbers.size() == 1) {
        if (numbers[0] > limits::kSparseSegmentsMax) {
          return fail(ErrorCode::kTooLarge, "more holes than kSparseSegmentsMax");
        }
        wanted = 1 + 2 * numbers[0];
      }
    }
  }
  segments_.clear();
  for (size_t i = 1; i < numbers.size(); i += 2) {
    segments_.push_back({numbers[i], numbers[i + 1]});
  }
  return {};
}

Result<std::string> TarReader::content(uint64_t bytes_max) {
  if (entry_.bytes > bytes_max) {
    return fail(ErrorCode::kTooLarge, std::to_string(entry_.bytes) + " bytes, at most " +
                                          std::to_string(bytes_max) + " are kept");
  }
  std::string out;
  if (!entry_.is_sparse) {
    // A header may claim more than the archive holds: the rest is reserved step by step.
    constexpr uint64_t kReservedBytesMax = 1 << 20;
    out.reserve(std::min(content_left_, kReservedBytesMax));
    while (content_left_ > 0) out += as_text(TRY(next_piece()));
    return out;
  }
  if (has_map_in_content_) TRY(read_sparse_map_in_content());
  for (const Segment& segment : segments_) {
    if (segment.offset < out.size() || segment.offset > entry_.bytes ||
        segment.bytes > entry_.bytes - segment.offset || segment.bytes > content_left_) {
      return malformed("a sparse map that does not fit its file");
    }
    out.resize(segment.offset, '\0');
    out.resize(segment.offset + segment.bytes);
    const size_t got = TRY(read({reinterpret_cast<uint8_t*>(out.data()) + segment.offset,
                                 static_cast<size_t>(segment.bytes)}));
    content_left_ -= got;
    if (got < segment.bytes) return malformed("the tar archive is cut short");
  }
  out.resize(entry_.bytes, '\0');
  return out;
}

}  // namespace vigil::decode
