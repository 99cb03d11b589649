// What the orders modelled on Semantic Versioning share (semver, Go, pub, NuGet).
#pragma once

#include <compare>
#include <string_view>

namespace vigil::version {

// The parts of a version as views of it; the text must outlive them.
struct SemverView {
  std::string_view numbers;  // Digits and dots, at most as many numbers as asked for.
  // What stands behind those numbers and makes a pre-release of the version: further numbers
  // ("1.2.3.4.5" has "4.5"; they have no meaning in the specification), then what follows '-'.
  std::string_view further;
  std::string_view pre_release;
  std::string_view build;       // What follows '+'.
  bool splits_letters = false;  // "rc2" in the pre-release reads as "rc.2".
};

// Reads any text: a leading "v" is skipped, empty numbers are left out.
SemverView read_semver(std::string_view text, int numbers_max);

// Numbers by value, missing ones are zero.
std::strong_ordering compare_semver_numbers(std::string_view a, std::string_view b);

enum class Letters { kExact, kFolded };

// Semantic Versioning 2.0.0 §11.3 and §11.4: no pre-release is above any; identifiers of digits by
// value and below the others, those byte by byte, a longer list above the list it begins with.
std::strong_ordering compare_pre_releases(const SemverView& a, const SemverView& b,
                                          Letters letters = Letters::kExact);

// The same rule for dotted identifiers alone; nothing is below anything.
std::strong_ordering compare_identifiers(std::string_view a, std::string_view b, Letters letters);

// Numbers, then pre-releases; the build does not count (§10).
std::strong_ordering compare_semver(const SemverView& a, const SemverView& b);

// Whether the text follows the grammar, with `numbers_min` to `numbers_max` numbers; a leading "v"
// is allowed.
struct SemverShape {
  int numbers_min = 3;
  int numbers_max = 3;
};
bool is_semver(std::string_view text, SemverShape shape);

// The revision of a packaging at the end of a version: "-2" of "1.8.0-2", "-r2" of "1.8.0-r2"; ""
// where there is none.
std::string_view packaging_revision(std::string_view version);

}  // namespace vigil::version
