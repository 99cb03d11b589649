// NuGet: Semantic Versioning with one to four numbers, in which letters count without their case
// (https://learn.microsoft.com/nuget/concepts/package-versioning). Other text reads as semver does.
#include "version/semver_text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) {
  return is_semver(version, {.numbers_min = 1, .numbers_max = 4});
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const SemverView left = read_semver(a, 4);
  const SemverView right = read_semver(b, 4);
  const auto order = compare_semver_numbers(left.numbers, right.numbers);
  return order != 0 ? order : compare_pre_releases(left, right, Letters::kFolded);
}

}  // namespace

extern const Scheme nuget_scheme;
const Scheme nuget_scheme = {.name = "nuget",
                             .reference = "NuGet package versioning",
                             .is_valid = is_valid,
                             .compare = compare_versions};

}  // namespace vigil::version
