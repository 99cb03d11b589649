// How much room text takes on a terminal: combining characters none, East Asian wide ones two
// cells (Unicode UAX #11).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigil::report {

constexpr char32_t kReplacementCharacter = 0xfffd;

// The character at `at`, which moves past it; a byte that begins none is U+FFFD, and one byte long.
// Requires: at < text.size().
char32_t next_character(std::string_view text, size_t& at);

// Cells of a character that is no control character: 0, 1 or 2.
size_t character_width(char32_t c);
// Cells of text without control characters (see terminal_text).
size_t display_width(std::string_view text);

}  // namespace vigil::report
