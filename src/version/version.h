// Version orders. Each scheme is one file in schemes/ and one line in schemes.def.
#pragma once

#include <compare>
#include <span>
#include <string_view>

#include "base/result.h"
#include "model/advisory.h"
#include "model/package.h"

namespace vigil::version {

// A version order. Hostile input: versions of up to limits::kVersionBytesMax are compared in time
// linear in their length (numbers of any size), longer ones are never passed in.
struct Scheme {
  std::string_view name;       // "alpine", "debian", "redhat", "semver", "pypi", "maven", …
  std::string_view reference;  // The rule's source: the specification or the program matched.
  bool (*is_valid)(std::string_view version);
  // A total order for all strings: invalid ones compare by the scheme's documented fallback.
  std::strong_ordering (*compare)(std::string_view a, std::string_view b);
};

std::span<const Scheme* const> all_schemes();      // Sorted by name.
const Scheme* find_scheme(std::string_view name);  // Null where there is none. "rpm", "apk", "deb",
                                                   // "dpkg", "pep440", "gem", "npm", "golang" are
                                                   // understood as aliases.
const Scheme& scheme_of(PackageKind kind);         // kUnknown: semver.

// Orders two versions; kTooLarge past limits::kVersionBytesMax.
Result<std::strong_ordering> compare(const Scheme& scheme, std::string_view a, std::string_view b);

// Whether `version` lies in the range. "" and "0" as `introduced` are below every version.
Result<bool> in_range(const Scheme& scheme, std::string_view version, const AffectedRange& range);

// The range as people read it: ">= 1.2, < 1.4", "< 2", "<= 3", "all versions".
std::string range_text(const AffectedRange& range);

}  // namespace vigil::version
