// What the version orders share: ASCII characters, numbers of any size, and reading from the front
// of a text. Pure; any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <string_view>

namespace vigil::version {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr char lowered(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
constexpr bool is_letter(char c) {
  return is_lower(lowered(c));
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_letter(c);
}
constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// The longest front of `text` whose characters satisfy `holds`, taken off it.
template <typename Predicate>
std::string_view take_while(std::string_view& text, Predicate holds) {
  size_t size = 0;
  while (size < text.size() && holds(text[size])) ++size;
  const std::string_view front = text.substr(0, size);
  text.remove_prefix(size);
  return front;
}

inline std::string_view take_digits(std::string_view& text) {
  return take_while(text, is_digit);
}

// Takes `c` off the front of `text`, where it is there.
inline bool take_char(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

bool is_number(std::string_view text);  // One digit or more, and nothing else.

// `text` without white space at its ends.
std::string_view trimmed(std::string_view text);

// Two runs of digits by their value; an empty one is zero.
std::strong_ordering compare_numbers(std::string_view a, std::string_view b);

// Byte by byte, without regard to ASCII case.
std::strong_ordering compare_folded(std::string_view a, std::string_view b);
bool equals_folded(std::string_view text, std::string_view lower_word);

// Dotted lists of numbers (CRAN, Hackage): '.' and '-' separate, numbers by value, a word below
// every number, and of two lists of which one begins the other the shorter is less.
std::strong_ordering compare_number_lists(std::string_view a, std::string_view b);

}  // namespace vigil::version
