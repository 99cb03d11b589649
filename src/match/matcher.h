// Matchers: how the packages of one distribution, or of the language ecosystems, are looked up in
// the advisories and judged against them. Each is one file in matchers/ and one line in
// matchers.def. docs/matching.md says the rules and why they are so. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/distro.h"
#include "model/package.h"
#include "version/version.h"

namespace vigil::match {

// One name under which a package's advisories are found, and the version they are compared with.
struct Lookup {
  std::string name;  // As normal_package_name gives it.
  std::string version;
  bool is_source = false;  // Reads the advisories that speak of source packages.
  bool is_binary = true;   // Reads the advisories that speak of installed packages.
};

// Where a package's advisories are, or why it cannot be checked.
struct Plan {
  std::string shard;
  const version::Scheme* scheme = nullptr;
  std::vector<Lookup> lookups;
  std::string refusal;  // Not empty: the package is not looked up at all, for this reason.
  std::string caveat;   // Not empty: where nothing matches, the package is not checkable.
};

// What one record says of one package, its versions compared. Borrows from the advisory.
struct StatementView {
  const Advisory* advisory = nullptr;  // Set by the caller of decide: many may share the rest.
  const Affected* affected = nullptr;
  const Lookup* lookup = nullptr;
  bool holds = false;       // The installed version is among those the record speaks of:
  bool is_dropped = false;  // By settle: another record has the last word.
  const AffectedRange* range = nullptr;  // by this range,
  const std::string* version = nullptr;  // or as this listed version; else as all are.
};

struct Matcher {
  std::string_view name;
  std::string_view packages;  // Which are its own, in words.
  bool (*owns)(const Package& package, const Distro& distro);
  Plan (*plan)(const Package& package, const Distro& distro);
  // Nothing where the record does not speak of this package instance (architecture, module stream,
  // flavour, channel).
  std::optional<StatementView> (*decide)(const Package& package, const Plan& plan,
                                         const Lookup& lookup, const Affected& affected);
  // All that the shard says of the package under one id: marks the statements that another of them
  // overrides. What then still holds, and is not kNotAffected, is a match.
  void (*settle)(std::span<StatementView> statements, const Plan& plan);
};

std::span<const Matcher* const> all_matchers();  // Sorted by name.
// Null where no matcher knows such packages.
const Matcher* find_matcher(const Package& package, const Distro& distro);

}  // namespace vigil::match
