// Views of bytes, and a reader over them that cannot leave them.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/result.h"

namespace vigil {

using ByteView = std::span<const uint8_t>;

inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Reads fixed-width integers, varints and slices from the front of a view. Past the end every call
// returns kMalformed and the reader does not move. One thread; the bytes must outlive the reader.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }

  Status seek(size_t offset);
  Status skip(size_t count);
  Result<ByteView> take(size_t count);

  template <typename T>
  Result<T> little() {
    return fixed<T>(false);
  }
  template <typename T>
  Result<T> big() {
    return fixed<T>(true);
  }

  // Unsigned LEB128 of at most 64 bits.
  Result<uint64_t> varint();
  // A varint length and that many bytes.
  Result<std::string_view> sized_text();

 private:
  template <typename T>
  Result<T> fixed(bool is_big) {
    static_assert(std::is_integral_v<T>);
    if (remaining() < sizeof(T)) return past_end(sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    if (is_big) value = swapped(value);
    return value;
  }
  template <typename T>
  static T swapped(T value) {
    if constexpr (sizeof(T) == 1) {
      return value;
    } else if constexpr (sizeof(T) == 2) {
      return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
    } else if constexpr (sizeof(T) == 4) {
      return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
    } else {
      return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
    }
  }
  std::unexpected<Error> past_end(size_t wanted) const;

  ByteView bytes_;
  size_t offset_ = 0;
};

// The writing side of varint() and sized_text().
void append_varint(std::string& out, uint64_t value);
void append_sized_text(std::string& out, std::string_view text);
template <typename T>
void append_little(std::string& out, T value) {
  static_assert(std::is_integral_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace vigil
