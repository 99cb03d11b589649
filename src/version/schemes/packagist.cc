// Packagist: PHP's version_compare(), which Composer uses, behind a leading "v". Runs of digits and
// of letters are parts, other characters separate. The order of parts is
//   other words < dev < a (alpha) < b (beta) < rc, RC < the end < numbers < p (pl, patch),
// where a word counts by what it begins with, in this case only, and two words of one place are
// equal. So 1.0 is below 1.0.0, and BETA and ALPHA are equal, as PHP has it; Composer's own form of
// a version, four numbers and words in lower case, would need both sides written in it, and
// advisories are not.
// '#' stands for any number and for the end; only this keeps the order from being transitive.
// There is no other text: every one is read in this way.
#include <array>
#include <utility>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

enum Place : int { kOther, kDev, kAlpha, kBeta, kCandidate, kAnyNumber, kPatch };

struct Part {
  Place place = kAnyNumber;
  std::string_view number = {};  // Digits, where it is a number.
  bool is_end = false;
};

constexpr std::array<std::pair<std::string_view, Place>, 7> kWords = {{
    {"dev", kDev},
    {"a", kAlpha},
    {"b", kBeta},
    {"rc", kCandidate},
    {"RC", kCandidate},
    {"#", kAnyNumber},
    {"p", kPatch},
}};

bool is_part(char c) {
  return is_alnum(c) || c == '#';
}

Part take_part(std::string_view& text) {
  take_while(text, [](char c) { return !is_part(c); });
  if (text.empty()) return {.is_end = true};
  if (is_digit(text[0])) return {.number = take_digits(text)};
  const std::string_view word = take_while(text, [](char c) { return is_part(c) && !is_digit(c); });
  for (const auto& [start, place] : kWords) {
    if (word.starts_with(start)) return {.place = place};
  }
  return {.place = kOther};
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  for (std::string_view* text : {&a, &b}) {
    *text = trimmed(*text);
    if (!take_char(*text, 'v')) take_char(*text, 'V');
  }
  for (;;) {
    const Part left = take_part(a);
    const Part right = take_part(b);
    if (left.is_end && right.is_end) return std::strong_ordering::equal;
    if (left.place != right.place) return left.place <=> right.place;
    if (!left.number.empty() && !right.number.empty()) {
      const auto order = compare_numbers(left.number, right.number);
      if (order != 0) return order;
    } else if (left.is_end != right.is_end && left.number.empty() != right.number.empty()) {
      return right.is_end <=> left.is_end;  // A number is above the end.
    }
  }
}

bool is_valid(std::string_view version) {
  if (!take_char(version, 'v')) take_char(version, 'V');
  if (version.starts_with("dev-")) return version.size() > 4;
  return !version.empty() && is_digit(version[0]);
}

}  // namespace

extern const Scheme packagist_scheme;
const Scheme packagist_scheme = {.name = "packagist",
                                 .reference = "PHP's version_compare(), as Composer uses it",
                                 .is_valid = is_valid,
                                 .compare = compare_versions};

}  // namespace vigil::version
