// Dart's pub: Semantic Versioning in which the build counts too: it comes last, its identifiers are
// ordered as those of a pre-release, and a version without one is below (pub_semver's README,
// "Semantic versioning deviations"). Other text reads as semver does.
#include "version/semver_text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) {
  return is_semver(version, {.numbers_min = 3, .numbers_max = 3});
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const SemverView left = read_semver(a, 3);
  const SemverView right = read_semver(b, 3);
  const auto order = compare_semver(left, right);
  return order != 0 ? order : compare_identifiers(left.build, right.build, Letters::kExact);
}

}  // namespace

extern const Scheme pub_scheme;
const Scheme pub_scheme = {.name = "pub",
                           .reference = "pub_semver, https://pub.dev/packages/pub_semver",
                           .is_valid = is_valid,
                           .compare = compare_versions};

}  // namespace vigil::version
