#include "base/base64.h"

#include <array>
#include <cstdint>

namespace vigil {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Of each byte; -1 where it is foreign.
constexpr std::array<int8_t, 256> kValues = [] {
  std::array<int8_t, 256> values;
  values.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  values['-'] = 62;
  values['_'] = 63;
  return values;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < group.size() ? static_cast<uint8_t>(group[i]) : 0u);
    }
    for (size_t i = 0; i < 4; ++i) {
      out += i <= group.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  const auto malformed = [](const char* why) {
    return fail(ErrorCode::kMalformed, std::string("not base64: ") + why);
  };
  if (text.size() % 4 != 0) return malformed("its length is not a multiple of four");
  size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  uint32_t bits = 0;
  int bits_count = 0;
  for (const char c : text) {
    const int value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) return malformed("a foreign character");
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xfff;
    bits_count += 6;
    if (bits_count < 8) continue;
    bits_count -= 8;
    out += static_cast<char>(bits >> bits_count & 0xff);
  }
  if ((bits & ((1u << bits_count) - 1)) != 0) return malformed("bits behind the last byte");
  return out;
}

}  // namespace vigil
