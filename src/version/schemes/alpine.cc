// Alpine's apk: number{.number}…{letter}{_suffix{number}}…{~hash}{-rnumber}, as apk-tools 3
// compares (apk-package(5), "pkgver"): token by token, and where one version ends earlier, or has a
// token of another kind, the kind decides. A number behind a dot that begins with zero is a
// fraction: it is compared as text with its counterpart. Two that are zeros only are the exception:
// there the longer is below, as apk 2 has it ("2.44.00" below "2.44.0"), which is the apk of all
// releases to 3.22.
//
// Text that leaves this grammar counts up to the token that breaks it, which is below the end: 1.2
// is above 1.2_blah. So apk 3 calls 6.6.2p1 and 6.6.2p2 equal, both break behind the letter. But
// such versions are in Alpine's repositories, because apk 2 knew further numbers behind the letter
// and empty numbers; calling them equal would hide a fix. Hence, where both versions break at the
// same place, they are compared again by the wider grammar of apk 2 ("6.6.2p1" below "6.6.2p2"),
// and are equal only where they break that too. This is a total order, as both rules are.
#include <array>
#include <utility>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

// In the order that decides between tokens of different kinds: the first is the greatest.
enum class Kind {
  kFirstNumber,
  kNumber,
  kLetterNumber,  // Wide grammar only: the number behind a letter.
  kLetter,
  kSuffix,
  kSuffixNumber,
  kHash,
  kRevision,
  kEnd,
  kInvalid,
};

struct Token {
  Kind kind = Kind::kInvalid;
  std::string_view text = {};
  int suffix = 0;  // Below zero for those of versions before the one named.
};

constexpr std::array<std::pair<std::string_view, int>, 9> kSuffixes = {{
    {"alpha", -4},
    {"beta", -3},
    {"pre", -2},
    {"rc", -1},
    {"cvs", 1},
    {"svn", 2},
    {"git", 3},
    {"hg", 4},
    {"p", 5},
}};

enum class Grammar { kApk3, kWide };

class Tokens {
 public:
  Tokens(std::string_view text, Grammar grammar) : rest_(text), grammar_(grammar) {}

  // After kEnd or kInvalid it must not be called again.
  Token next() {
    Token token = is_first_ ? number(Kind::kFirstNumber) : read();
    is_first_ = false;
    last_ = token.kind;
    return token;
  }

 private:
  Token number(Kind kind) {
    const std::string_view digits = take_digits(rest_);
    const bool may_be_empty =
        grammar_ == Grammar::kWide && (kind == Kind::kFirstNumber || kind == Kind::kNumber);
    if (digits.empty() && !may_be_empty) return {};
    return {.kind = kind, .text = digits};
  }

  // Kinds only go down the list, apart from numbers and suffixes, which repeat.
  Token read() {
    if (rest_.empty()) return {.kind = Kind::kEnd};
    const bool is_after_number = last_ <= Kind::kNumber || last_ == Kind::kLetterNumber;
    const char c = rest_[0];
    if (is_lower(c)) {
      if (!is_after_number) return {};
      const std::string_view letter = rest_.substr(0, 1);
      rest_.remove_prefix(1);
      return {.kind = Kind::kLetter, .text = letter};
    }
    if (is_digit(c)) {
      if (last_ == Kind::kSuffix) return number(Kind::kSuffixNumber);
      if (last_ == Kind::kLetter && grammar_ == Grammar::kWide) return number(Kind::kLetterNumber);
      return {};
    }
    rest_.remove_prefix(1);
    switch (c) {
      case '.':
        return is_after_number ? number(Kind::kNumber) : Token{};
      case '_':
        return last_ <= Kind::kSuffixNumber ? suffix() : Token{};
      case '~':
        return last_ < Kind::kHash ? hash() : Token{};
      case '-':
        return last_ < Kind::kRevision && take_char(rest_, 'r') ? number(Kind::kRevision) : Token{};
      default:
        return {};
    }
  }

  Token suffix() {
    const std::string_view word = take_while(rest_, is_lower);
    for (const auto& [name, order] : kSuffixes) {
      if (word == name) return {.kind = Kind::kSuffix, .text = word, .suffix = order};
    }
    return {};
  }

  Token hash() {
    const std::string_view digits =
        take_while(rest_, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
    if (digits.empty()) return {};
    return {.kind = Kind::kHash, .text = digits};
  }

  std::string_view rest_;
  Grammar grammar_;
  bool is_first_ = true;
  Kind last_ = Kind::kInvalid;
};

bool is_zeros(std::string_view digits) {
  return !digits.empty() && digits.find_first_not_of('0') == std::string_view::npos;
}

std::strong_ordering compare_tokens(const Token& a, const Token& b) {
  if (a.kind != b.kind) {
    // A suffix of an earlier version is below whatever else may stand there.
    if (a.suffix < 0) return std::strong_ordering::less;
    if (b.suffix < 0) return std::strong_ordering::greater;
    return b.kind <=> a.kind;
  }
  switch (a.kind) {
    case Kind::kNumber:
      if (is_zeros(a.text) && is_zeros(b.text)) return b.text.size() <=> a.text.size();
      if (a.text.starts_with('0') || b.text.starts_with('0')) return a.text <=> b.text;
      return compare_numbers(a.text, b.text);
    case Kind::kFirstNumber:
    case Kind::kLetterNumber:
    case Kind::kSuffixNumber:
    case Kind::kRevision:
      return compare_numbers(a.text, b.text);
    case Kind::kSuffix:
      return a.suffix <=> b.suffix;
    default:
      return a.text <=> b.text;
  }
}

struct Outcome {
  std::strong_ordering order = std::strong_ordering::equal;
  bool is_broken = false;  // Equal up to a token that breaks the grammar in both.
};

Outcome compare_by(Grammar grammar, std::string_view a, std::string_view b) {
  Tokens left(a, grammar);
  Tokens right(b, grammar);
  for (;;) {
    const Token one = left.next();
    const Token other = right.next();
    const auto order = compare_tokens(one, other);
    if (order != 0) return {.order = order};
    if (one.kind >= Kind::kEnd) return {.is_broken = one.kind == Kind::kInvalid};
  }
}

bool is_valid(std::string_view version) {
  Tokens tokens(version, Grammar::kApk3);
  Kind kind = Kind::kFirstNumber;
  while (kind < Kind::kEnd) kind = tokens.next().kind;
  return kind == Kind::kEnd;
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const Outcome outcome = compare_by(Grammar::kApk3, a, b);
  return outcome.is_broken ? compare_by(Grammar::kWide, a, b).order : outcome.order;
}

}  // namespace

extern const Scheme alpine_scheme;
const Scheme alpine_scheme = {.name = "alpine",
                              .reference = "apk-tools 3, apk-package(5)",
                              .is_valid = is_valid,
                              .compare = compare_versions};

}  // namespace vigil::version
