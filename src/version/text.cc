#include "version/text.h"

#include <algorithm>

namespace vigil::version {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

std::strong_ordering compare_folded(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    const auto left = static_cast<unsigned char>(lowered(a[i]));
    const auto right = static_cast<unsigned char>(lowered(b[i]));
    if (left != right) return left <=> right;
  }
  return a.size() <=> b.size();
}

bool equals_folded(std::string_view text, std::string_view lower_word) {
  return compare_folded(text, lower_word) == std::strong_ordering::equal;
}

std::strong_ordering compare_number_lists(std::string_view a, std::string_view b) {
  const auto is_inside = [](char c) { return c != '.' && c != '-'; };
  for (;;) {
    const std::string_view left = take_while(a, is_inside);
    const std::string_view right = take_while(b, is_inside);
    if (is_number(left) != is_number(right)) return is_number(left) <=> is_number(right);
    const auto order = is_number(left) ? compare_numbers(left, right) : left <=> right;
    if (order != 0) return order;
    if (a.empty() || b.empty()) return a.size() <=> b.size();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

}  // namespace vigil::version
