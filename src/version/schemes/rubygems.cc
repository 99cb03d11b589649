// RubyGems, as Gem::Version compares: runs of digits and runs of letters are segments, zeros at the
// end of the numbers and at the end of the whole are dropped, missing segments are zero, and words
// are below numbers; '-' reads as ".pre.". Other text: every other character only separates.
#include <vector>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_zero(std::string_view segment) {
  return segment.find_first_not_of('0') == std::string_view::npos;
}

std::vector<std::string_view> read_segments(std::string_view text) {
  std::vector<std::string_view> out;
  bool has_word = false;
  const auto drop_zeros = [&](size_t first) {
    while (out.size() > first && is_zero(out.back())) out.pop_back();
  };
  size_t words_at = 0;
  const auto add_word = [&](std::string_view word) {
    if (!has_word) {
      drop_zeros(0);
      words_at = out.size();
      has_word = true;
    }
    out.push_back(word);
  };
  while (!text.empty()) {
    if (is_digit(text[0])) {
      out.push_back(take_digits(text));
    } else if (is_letter(text[0])) {
      add_word(take_while(text, is_letter));
    } else {
      if (text[0] == '-') add_word("pre");
      text.remove_prefix(1);
    }
  }
  drop_zeros(words_at);
  return out;
}

// Gem::Version::VERSION_PATTERN.
bool is_valid(std::string_view version) {
  version = trimmed(version);
  const size_t hyphen = version.find('-');
  std::string_view text = version.substr(0, hyphen);
  if (take_digits(text).empty()) return false;
  while (!text.empty()) {
    if (!take_char(text, '.') || take_while(text, is_alnum).empty()) return false;
  }
  if (hyphen == std::string_view::npos) return true;
  text = version.substr(hyphen + 1);
  do {
    if (take_while(text, [](char c) { return is_alnum(c) || c == '-'; }).empty()) return false;
  } while (take_char(text, '.'));
  return text.empty();
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const std::vector<std::string_view> left = read_segments(a);
  const std::vector<std::string_view> right = read_segments(b);
  for (size_t i = 0; i < left.size() || i < right.size(); ++i) {
    const std::string_view one = i < left.size() ? left[i] : "0";
    const std::string_view other = i < right.size() ? right[i] : "0";
    if (is_digit(one[0]) != is_digit(other[0])) return is_digit(one[0]) <=> is_digit(other[0]);
    const auto order = is_digit(one[0]) ? compare_numbers(one, other) : one <=> other;
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

extern const Scheme rubygems_scheme;
const Scheme rubygems_scheme = {.name = "rubygems",
                                .reference = "Gem::Version of RubyGems",
                                .is_valid = is_valid,
                                .compare = compare_versions};

}  // namespace vigil::version
