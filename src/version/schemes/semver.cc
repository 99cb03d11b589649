// Semantic Versioning 2.0.0, as npm, crates.io, Hex, Swift and others use it. Any text is read: a
// leading "v" is skipped, missing numbers are zero, and what follows the third number makes a
// pre-release, whether it is words or further numbers.
#include "version/semver_text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) {
  return is_semver(version, {.numbers_min = 3, .numbers_max = 3});
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  return compare_semver(read_semver(a, 3), read_semver(b, 3));
}

}  // namespace

extern const Scheme semver_scheme;
const Scheme semver_scheme = {.name = "semver",
                              .reference = "Semantic Versioning 2.0.0, https://semver.org",
                              .is_valid = is_valid,
                              .compare = compare_versions};

}  // namespace vigil::version
