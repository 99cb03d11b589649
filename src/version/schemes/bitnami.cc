// Bitnami's applications: Semantic Versioning, and behind it the revision of the packaging, which
// comes after the version and not before it as a pre-release would: "1.8.0", "1.8.0-1", "1.8.0-r2".
#include "version/semver_text.h"
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

// The digits of "-2" and "-r2".
std::string_view number_of(std::string_view revision) {
  const size_t digits = revision.find_first_of("0123456789");
  return digits == std::string_view::npos ? std::string_view() : revision.substr(digits);
}

bool is_valid(std::string_view version) {
  version.remove_suffix(packaging_revision(version).size());
  return is_semver(version, {.numbers_min = 3, .numbers_max = 3});
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const std::string_view revision_a = packaging_revision(a);
  const std::string_view revision_b = packaging_revision(b);
  a.remove_suffix(revision_a.size());
  b.remove_suffix(revision_b.size());
  const std::strong_ordering order = compare_semver(read_semver(a, 3), read_semver(b, 3));
  return order != 0 ? order : compare_numbers(number_of(revision_a), number_of(revision_b));
}

}  // namespace

extern const Scheme bitnami_scheme;
const Scheme bitnami_scheme = {.name = "bitnami",
                               .reference = "github.com/bitnami/go-version",
                               .is_valid = is_valid,
                               .compare = compare_versions};

}  // namespace vigil::version
