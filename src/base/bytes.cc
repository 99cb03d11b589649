#include "base/bytes.h"

#include <bit>

static_assert(std::endian::native == std::endian::little, "written for little-endian machines");

namespace vigil {

std::unexpected<Error> ByteReader::past_end(size_t wanted) const {
  return fail(ErrorCode::kMalformed, "cut short: " + std::to_string(wanted) + " bytes wanted at " +
                                         std::to_string(offset_) + " of " +
                                         std::to_string(bytes_.size()));
}

Status ByteReader::seek(size_t offset) {
  if (offset > bytes_.size()) return fail(ErrorCode::kMalformed, "offset past the end");
  offset_ = offset;
  return {};
}

Status ByteReader::skip(size_t count) {
  if (count > remaining()) return past_end(count);
  offset_ += count;
  return {};
}

Result<ByteView> ByteReader::take(size_t count) {
  if (count > remaining()) return past_end(count);
  const ByteView taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

Result<uint64_t> ByteReader::varint() {
  uint64_t value = 0;
  size_t at = offset_;
  for (int shift = 0; shift < 64; shift += 7) {
    if (at == bytes_.size()) return past_end(at - offset_ + 1);
    const uint8_t byte = bytes_[at++];
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      offset_ = at;
      return value;
    }
  }
  return fail(ErrorCode::kMalformed, "varint longer than 64 bits");
}

Result<std::string_view> ByteReader::sized_text() {
  const size_t start = offset_;
  const uint64_t size = TRY(varint());
  if (size > remaining()) {
    offset_ = start;
    return past_end(size);
  }
  return as_text(TRY(take(size)));
}

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void append_sized_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out += text;
}

}  // namespace vigil
