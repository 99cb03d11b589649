#include "report/format.h"

#include <array>
#include <cstdio>

#include "report/display_width.h"

namespace vigil::report {

#define VIGIL_FORMAT(symbol) extern const Format symbol##_format;
#include "report/formats.def"
#undef VIGIL_FORMAT

namespace {

const Format* const kFormats[] = {
#define VIGIL_FORMAT(symbol) &symbol##_format,
#include "report/formats.def"
#undef VIGIL_FORMAT
};

// Characters that move the cursor, change the direction of what follows, or cannot be seen.
bool is_unsafe(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;  // C0, DEL, C1.
  return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

}  // namespace

std::span<const Format* const> all_formats() {
  return kFormats;
}

const Format* find_format(std::string_view name) {
  for (const Format* format : kFormats) {
    if (format->name == name) return format;
  }
  return nullptr;
}

std::string terminal_text(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = next_character(text, at);
    if (is_unsafe(c)) {
      std::array<char, 16> escape;
      const char* form = c < 0x80 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
      std::snprintf(escape.data(), escape.size(), form, static_cast<unsigned>(c));
      out += escape.data();
    } else if (c == kReplacementCharacter) {
      out += "\ufffd";
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return out;
}

}  // namespace vigil::report
