// Python: PEP 440 (now "Version specifiers" of the Python packaging specifications) with its
// normalisation: epochs, alternative spellings, implicit post-releases, local versions.
//
// Other text is a legacy version, below every version of the specification, ordered as setuptools
// did before it: runs of digits and of letters, '-' below words from "final" on and dropped before
// words below it ("dev", "pre", "rc", "a"…), zeros before words dropped. One thing differs: numbers
// of more than eight digits are compared by value.
#include <array>
#include <vector>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

// A letter with its number: "rc1" is {3, "1"}. Order 0: not there.
struct Marker {
  int order = 0;
  std::string_view number;
};

struct PypiView {
  std::string_view epoch;
  std::string_view release;
  Marker pre;  // 1 alpha, 2 beta, 3 release candidate.
  Marker post;
  Marker dev;
  std::string_view local;
};

struct Word {
  std::string_view text;
  int order;
};
// Longer spellings before those they begin with.
constexpr std::array<Word, 8> kPreWords = {{{"alpha", 1},
                                            {"a", 1},
                                            {"beta", 2},
                                            {"b", 2},
                                            {"preview", 3},
                                            {"pre", 3},
                                            {"c", 3},
                                            {"rc", 3}}};
constexpr std::array<Word, 3> kPostWords = {{{"post", 1}, {"rev", 1}, {"r", 1}}};
constexpr std::array<Word, 1> kDevWords = {{{"dev", 1}}};

bool is_mark(char c) {
  return c == '.' || c == '-' || c == '_';
}

// [mark]word[mark][digits], taken off the front where it is there.
template <size_t kCount>
Marker take_marker(std::string_view& text, const std::array<Word, kCount>& words) {
  std::string_view rest = text;
  if (!rest.empty() && is_mark(rest[0])) rest.remove_prefix(1);
  for (const Word& word : words) {
    if (!equals_folded(rest.substr(0, word.text.size()), word.text)) continue;
    rest.remove_prefix(word.text.size());
    if (!rest.empty() && is_mark(rest[0])) rest.remove_prefix(1);
    text = rest;
    return {.order = word.order, .number = take_digits(text)};
  }
  return {};
}

Marker take_post(std::string_view& text) {
  std::string_view rest = text;
  if (take_char(rest, '-')) {
    const std::string_view digits = take_digits(rest);
    if (!digits.empty()) {
      text = rest;
      return {.order = 1, .number = digits};
    }
  }
  return take_marker(text, kPostWords);
}

bool is_local(std::string_view text) {
  for (;;) {
    if (take_while(text, is_alnum).empty()) return false;
    if (text.empty()) return true;
    if (!is_mark(text[0])) return false;
    text.remove_prefix(1);
  }
}

// Whether the text follows PEP 440, Appendix B.
bool read_pypi(std::string_view text, PypiView& out) {
  text = trimmed(text);
  if (!take_char(text, 'v')) take_char(text, 'V');
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  if (!digits.empty() && take_char(rest, '!')) {
    out.epoch = digits;
    text = rest;
  }
  rest = text;
  do {
    std::string_view ahead = rest;
    if (ahead.size() != text.size()) ahead.remove_prefix(1);  // The dot.
    if (take_digits(ahead).empty()) break;
    rest = ahead;
  } while (rest.starts_with('.'));
  out.release = text.substr(0, text.size() - rest.size());
  if (out.release.empty()) return false;
  out.pre = take_marker(rest, kPreWords);
  out.post = take_post(rest);
  out.dev = take_marker(rest, kDevWords);
  if (take_char(rest, '+')) {
    out.local = rest;
    return is_local(rest);
  }
  return rest.empty();
}

std::strong_ordering compare_release(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const auto order = compare_numbers(take_digits(a), take_digits(b));
    if (order != 0) return order;
    take_char(a, '.');
    take_char(b, '.');
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_local(std::string_view a, std::string_view b) {
  const auto is_inside = [](char c) { return !is_mark(c); };
  while (!a.empty() && !b.empty()) {
    const std::string_view left = take_while(a, is_inside);
    const std::string_view right = take_while(b, is_inside);
    if (is_number(left) != is_number(right)) return is_number(left) <=> is_number(right);
    const auto order = is_number(left) ? compare_numbers(left, right) : compare_folded(left, right);
    if (order != 0) return order;
    if (!a.empty()) a.remove_prefix(1);
    if (!b.empty()) b.remove_prefix(1);
  }
  return !a.empty() <=> !b.empty();
}

std::strong_ordering compare_marker(const Marker& a, const Marker& b) {
  return a.order != b.order ? a.order <=> b.order : compare_numbers(a.number, b.number);
}

// A development release comes before the pre-releases of its version, a version without either
// behind them.
Marker pre_place(const PypiView& view) {
  if (view.pre.order != 0) return view.pre;
  if (view.post.order == 0 && view.dev.order != 0) return {.order = -1, .number = {}};
  return {.order = 4, .number = {}};
}

Marker dev_place(const PypiView& view) {
  if (view.dev.order != 0) return view.dev;
  return {.order = 2, .number = {}};
}

std::strong_ordering compare_views(const PypiView& a, const PypiView& b) {
  auto order = compare_numbers(a.epoch, b.epoch);
  if (order == 0) order = compare_release(a.release, b.release);
  if (order == 0) order = compare_marker(pre_place(a), pre_place(b));
  if (order == 0) order = compare_marker(a.post, b.post);
  if (order == 0) order = compare_marker(dev_place(a), dev_place(b));
  return order != 0 ? order : compare_local(a.local, b.local);
}

// The parts of a legacy version: numbers, and words behind a '*' in setuptools' own key.
std::vector<std::string_view> legacy_parts(std::string_view text) {
  static constexpr std::string_view kFinal = "final";
  static constexpr std::string_view kFinalDash = "final-";
  std::vector<std::string_view> out;
  const auto add = [&](std::string_view part) {
    if (is_number(part)) {
      out.push_back(part);
      return;
    }
    if (compare_folded(part, kFinal) < 0) {
      while (!out.empty() && out.back() == kFinalDash) out.pop_back();
    }
    const auto is_zero = [](std::string_view one) {
      return is_number(one) && one.find_first_not_of('0') == std::string_view::npos;
    };
    while (!out.empty() && is_zero(out.back())) out.pop_back();
    out.push_back(part);
  };
  while (!text.empty()) {
    if (is_digit(text[0])) {
      add(take_digits(text));
    } else if (is_letter(text[0])) {
      const std::string_view word = take_while(text, is_letter);
      if (equals_folded(word, "pre") || equals_folded(word, "preview") ||
          equals_folded(word, "rc")) {
        add("c");
      } else {
        add(equals_folded(word, "dev") ? "@" : word);
      }
    } else if (take_char(text, '.')) {
      continue;
    } else if (take_char(text, '-')) {
      add(kFinalDash);
    } else {
      const auto is_other = [](char c) { return !is_alnum(c) && c != '.' && c != '-'; };
      add(take_while(text, is_other));
    }
  }
  add(kFinal);
  return out;
}

std::strong_ordering compare_legacy(std::string_view a, std::string_view b) {
  const std::vector<std::string_view> left = legacy_parts(a);
  const std::vector<std::string_view> right = legacy_parts(b);
  for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
    const bool is_left_number = is_number(left[i]);
    if (is_left_number != is_number(right[i])) return is_left_number <=> !is_left_number;
    const auto order =
        is_left_number ? compare_numbers(left[i], right[i]) : compare_folded(left[i], right[i]);
    if (order != 0) return order;
  }
  return left.size() <=> right.size();
}

bool is_valid(std::string_view version) {
  PypiView view;
  return read_pypi(version, view);
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  PypiView left;
  PypiView right;
  const bool is_left_valid = read_pypi(a, left);
  const bool is_right_valid = read_pypi(b, right);
  if (is_left_valid != is_right_valid) return is_left_valid <=> is_right_valid;
  return is_left_valid ? compare_views(left, right) : compare_legacy(a, b);
}

}  // namespace

extern const Scheme pypi_scheme;
const Scheme pypi_scheme = {.name = "pypi",
                            .reference = "PEP 440, Python packaging's version specifiers",
                            .is_valid = is_valid,
                            .compare = compare_versions};

}  // namespace vigil::version
