// Go modules: Semantic Versioning with a leading "v", pseudo-versions (pre-releases whose time
// orders them) and "+incompatible", a build that does not count. Go's own releases are ordered with
// them, because the vulnerability database writes them in that form: "go1.21rc2" is 1.21.0-rc.2,
// "go1.21.3" is 1.21.3, and a maker's suffix ("go1.21.3-corp", "go1.21.3 X:experiment") says
// nothing of the release (https://go.dev/doc/toolchain#version). Other text reads as semver does.
#include "version/semver_text.h"
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_toolchain(std::string_view text) {
  return text.size() > 2 && text.starts_with("go") && is_digit(text[2]);
}

SemverView read_go(std::string_view text) {
  text = trimmed(text);
  if (!is_toolchain(text)) return read_semver(text, 3);
  text.remove_prefix(2);
  SemverView view = read_semver(text.substr(0, text.find_first_of("- +")), 3);
  view.splits_letters = true;
  return view;
}

bool is_valid(std::string_view version) {
  if (!is_toolchain(version)) return is_semver(version, {.numbers_min = 1, .numbers_max = 3});
  version.remove_prefix(2);
  std::string_view rest = version.substr(0, version.find_first_of("- +"));
  int count = 0;
  do {
    if (take_digits(rest).empty()) return false;
    ++count;
  } while (count < 3 && take_char(rest, '.'));
  if (rest.empty()) return true;
  const std::string_view kind = take_while(rest, is_lower);
  return (kind == "rc" || kind == "beta") && is_number(rest);
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  return compare_semver(read_go(a), read_go(b));
}

}  // namespace

extern const Scheme go_scheme;
const Scheme go_scheme = {.name = "go",
                          .reference = "Go modules reference, https://go.dev/ref/mod#versions",
                          .is_valid = is_valid,
                          .compare = compare_versions};

}  // namespace vigil::version
