#include "version/semver_text.h"

#include "version/text.h"

namespace vigil::version {

namespace {

// The identifiers of a pre-release, one after another.
class Identifiers {
 public:
  explicit Identifiers(const SemverView& view)
      : rest_(view.further), later_(view.pre_release), splits_letters_(view.splits_letters) {
    advance();
  }
  explicit Identifiers(std::string_view text) : rest_(text) {}

  bool at_end() const { return is_done_; }

  std::string_view next() {
    std::string_view out;
    if (splits_letters_ && !rest_.empty() && rest_[0] != '.') {
      out = is_digit(rest_[0]) ? take_digits(rest_)
                               : take_while(rest_, [](char c) { return c != '.' && !is_digit(c); });
      take_char(rest_, '.');
      is_done_ = rest_.empty();
    } else {
      out = take_while(rest_, [](char c) { return c != '.'; });
      is_done_ = !take_char(rest_, '.');
    }
    if (is_done_) advance();
    return out;
  }

 private:
  // Goes on to the second text where the first is used up.
  void advance() {
    if (!rest_.empty()) return;
    is_done_ = later_.empty();
    rest_ = later_;
    later_ = {};
  }

  std::string_view rest_;
  std::string_view later_;
  bool splits_letters_ = false;
  bool is_done_ = false;
};

std::strong_ordering compare_lists(Identifiers a, Identifiers b, Letters letters) {
  while (!a.at_end() && !b.at_end()) {
    const std::string_view left = a.next();
    const std::string_view right = b.next();
    if (is_number(left) != is_number(right)) return is_number(right) <=> is_number(left);
    std::strong_ordering order = std::strong_ordering::equal;
    if (is_number(left)) {
      order = compare_numbers(left, right);
    } else {
      order = letters == Letters::kFolded ? compare_folded(left, right) : left <=> right;
    }
    if (order != 0) return order;
  }
  return b.at_end() <=> a.at_end();
}

bool has_pre_release(const SemverView& view) {
  return !view.further.empty() || !view.pre_release.empty();
}

bool are_identifiers(std::string_view text) {
  for (;;) {
    const auto is_inside = [](char c) { return is_alnum(c) || c == '-'; };
    if (take_while(text, is_inside).empty()) return false;
    if (text.empty()) return true;
    if (!take_char(text, '.')) return false;
  }
}

}  // namespace

SemverView read_semver(std::string_view text, int numbers_max) {
  SemverView out;
  text = trimmed(text);
  if (!take_char(text, 'v')) take_char(text, 'V');
  std::string_view rest = text;
  int count = 0;
  while (count < numbers_max) {
    take_while(rest, [](char c) { return c == '.'; });
    if (take_digits(rest).empty()) break;
    ++count;
  }
  out.numbers = text.substr(0, text.size() - rest.size());
  take_while(rest, [](char c) { return c == '.'; });
  std::string_view further = take_while(rest, [](char c) { return is_digit(c) || c == '.'; });
  while (!further.empty() && further.back() == '.') further.remove_suffix(1);
  out.further = further;
  take_char(rest, '-');
  const size_t plus = rest.find('+');
  out.pre_release = rest.substr(0, plus);
  if (plus != std::string_view::npos) out.build = rest.substr(plus + 1);
  return out;
}

std::strong_ordering compare_semver_numbers(std::string_view a, std::string_view b) {
  const auto is_dot = [](char c) { return c == '.'; };
  while (!a.empty() || !b.empty()) {
    take_while(a, is_dot);
    take_while(b, is_dot);
    const auto order = compare_numbers(take_digits(a), take_digits(b));
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

std::strong_ordering compare_pre_releases(const SemverView& a, const SemverView& b,
                                          Letters letters) {
  if (!has_pre_release(a) || !has_pre_release(b)) return has_pre_release(b) <=> has_pre_release(a);
  return compare_lists(Identifiers(a), Identifiers(b), letters);
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b, Letters letters) {
  if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
  return compare_lists(Identifiers(a), Identifiers(b), letters);
}

std::strong_ordering compare_semver(const SemverView& a, const SemverView& b) {
  const auto order = compare_semver_numbers(a.numbers, b.numbers);
  return order != 0 ? order : compare_pre_releases(a, b);
}

bool is_semver(std::string_view text, SemverShape shape) {
  if (!take_char(text, 'v')) take_char(text, 'V');
  int count = 0;
  do {
    if (take_digits(text).empty()) return false;
    ++count;
  } while (count < shape.numbers_max && take_char(text, '.'));
  if (count < shape.numbers_min) return false;
  const size_t plus = text.find('+');
  if (plus != std::string_view::npos) {
    if (!are_identifiers(text.substr(plus + 1))) return false;
    text = text.substr(0, plus);
  }
  return text.empty() || (take_char(text, '-') && are_identifiers(text));
}

std::string_view packaging_revision(std::string_view version) {
  const size_t dash = version.rfind('-');
  if (dash == std::string_view::npos) return "";
  std::string_view digits = version.substr(dash + 1);
  take_char(digits, 'r');
  return is_number(digits) ? version.substr(dash) : "";
}

}  // namespace vigil::version
