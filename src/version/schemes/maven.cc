// Maven: "Version Order Specification" of the POM reference. A version is a list of numbers and
// qualifiers, cut at dots, hyphens and between digits and other characters, each with the mark
// before it; empty parts at the end, and before each hyphen, are dropped. Then, from the front:
//   .qualifier < -qualifier < -number < .number
// and within one mark by value; the shorter list is filled up with what equals nothing. This is
// what Maven up to 3.6 did and what published advisories were checked against; later versions of
// Maven read a dot before a qualifier as a hyphen.
//
// Qualifiers count without their case: alpha ("a" before a digit) < beta ("b") < milestone ("m") <
// rc (cr) < snapshot < nothing (ga, final, release) < sp < every other, those among them by their
// characters. There is no other text: every one is read in this way.
//
// This order is not transitive, in Maven as little as here: 1 < 1.x < 1-alpha < 1. Whoever sorts by
// it must not rely on more than pairs.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

enum class Mark : char { kNone, kDot, kHyphen };

// Places of qualifiers.
constexpr int kNothing = 5;
constexpr int kOther = 7;

struct Token {
  Mark mark = Mark::kNone;
  std::string_view text = {};
  bool is_number = false;
  int place = kNothing;  // Of a qualifier.
};

constexpr std::array<std::pair<std::string_view, int>, 11> kQualifiers = {{
    {"alpha", 0},
    {"beta", 1},
    {"milestone", 2},
    {"rc", 3},
    {"cr", 3},
    {"snapshot", 4},
    {"", kNothing},
    {"ga", kNothing},
    {"final", kNothing},
    {"release", kNothing},
    {"sp", 6},
}};
constexpr std::array<std::pair<std::string_view, int>, 3> kBeforeDigit = {
    {{"a", 0}, {"b", 1}, {"m", 2}}};

bool is_empty_part(const Token& token) {
  if (!token.is_number) return token.place == kNothing;
  return token.text.find_first_not_of('0') == std::string_view::npos;
}

Token qualifier(Mark mark, std::string_view word, bool is_before_digit) {
  if (is_before_digit) {
    for (const auto& [name, place] : kBeforeDigit) {
      if (equals_folded(word, name)) return {.mark = mark, .text = word, .place = place};
    }
  }
  for (const auto& [name, place] : kQualifiers) {
    if (equals_folded(word, name)) return {.mark = mark, .text = word, .place = place};
  }
  return {.mark = mark, .text = word, .place = kOther};
}

std::vector<Token> read_tokens(std::string_view text) {
  std::vector<Token> all;
  Mark mark = Mark::kNone;
  for (;;) {
    std::string_view part = take_while(text, [](char c) { return c != '.' && c != '-'; });
    if (part.empty()) all.push_back({.mark = mark, .text = "0", .is_number = true});
    while (!part.empty()) {
      if (is_digit(part[0])) {
        all.push_back({.mark = mark, .text = take_digits(part), .is_number = true});
      } else {
        const std::string_view word = take_while(part, [](char c) { return !is_digit(c); });
        all.push_back(qualifier(mark, word, !part.empty()));
      }
      mark = Mark::kHyphen;
    }
    if (text.empty()) break;
    mark = text[0] == '.' ? Mark::kDot : Mark::kHyphen;
    text.remove_prefix(1);
  }
  // From the end: empty parts are dropped there and before each hyphen; the first part stays.
  std::vector<Token> kept;
  bool is_dropping = true;
  for (size_t i = all.size(); i-- > 0;) {
    if (i > 0 && is_dropping && is_empty_part(all[i])) continue;
    is_dropping = all[i].mark == Mark::kHyphen;
    kept.push_back(all[i]);
  }
  std::ranges::reverse(kept);
  return kept;
}

int rank(const Token& token) {
  if (token.mark == Mark::kNone) return 0;
  if (!token.is_number) return token.mark == Mark::kDot ? 0 : 1;
  return token.mark == Mark::kHyphen ? 2 : 3;
}

std::strong_ordering compare_tokens(const Token& a, const Token& b) {
  if (a.mark != b.mark) return rank(a) <=> rank(b);
  if (a.is_number != b.is_number) return a.is_number <=> b.is_number;
  if (a.is_number) return compare_numbers(a.text, b.text);
  if (a.place != b.place || a.place != kOther) return a.place <=> b.place;
  return compare_folded(a.text, b.text);
}

// A token against the end of the other version, which is filled up with the number 0 behind a dot
// and with an empty qualifier behind a hyphen or before a qualifier.
std::strong_ordering compare_to_end(const Token& token) {
  if (!token.is_number) return token.place <=> kNothing;
  if (token.mark == Mark::kHyphen) return std::strong_ordering::greater;
  return compare_numbers(token.text, "0");
}

bool is_valid(std::string_view version) {
  return !version.empty() && std::ranges::none_of(version, [](char c) {
    return is_space(c) || std::string_view("/\\:\"<>|?*").find(c) != std::string_view::npos;
  });
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const std::vector<Token> left = read_tokens(a);
  const std::vector<Token> right = read_tokens(b);
  for (size_t i = 0; i < left.size() || i < right.size(); ++i) {
    std::strong_ordering order = std::strong_ordering::equal;
    if (i >= left.size()) {
      order = 0 <=> compare_to_end(right[i]);
    } else if (i >= right.size()) {
      order = compare_to_end(left[i]);
    } else {
      order = compare_tokens(left[i], right[i]);
    }
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

}  // namespace

extern const Scheme maven_scheme;
const Scheme maven_scheme = {.name = "maven",
                             .reference = "Maven POM reference, Version Order Specification",
                             .is_valid = is_valid,
                             .compare = compare_versions};

}  // namespace vigil::version
