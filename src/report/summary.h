// What a report comes to: the counts that a reader sees first, and the upgrades that remove most.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/finding.h"

namespace vigil::report {

// Packages that could not be checked for one reason.
struct NotCheckable {
  std::string reason;
  std::vector<uint32_t> packages;  // Indices into Sbom::packages.
};

using SeverityCounts = std::array<size_t, 6>;  // By Severity.

struct Summary {
  std::array<size_t, 4> packages_count = {};  // By PackageState.
  std::vector<NotCheckable> not_checkable;    // Most packages first.
  SeverityCounts findings_count = {};
  size_t fixable_count = 0;
  size_t known_exploited_count = 0;
  size_t ransomware_count = 0;
};
Summary summarize(const Report& report);

// Whether nothing is known: no package was found, or none could be checked.
bool is_unknown(const Report& report);
// "no package was found", "none of 14 packages could be checked: no advisories for alpine 3.20 in
// the database", "3 of 14 packages could not be checked"; "" where all were.
std::string unchecked_text(const Report& report);

// Sentences about findings that are not among Report::findings: set aside by ignore rules, left out
// by filters of the display.
std::vector<std::string> left_out_texts(const Report& report);

// One upgrade of what was built from one source package.
struct Upgrade {
  std::string name;                // The source package's name where there is one.
  std::string version;             // Installed.
  std::string to;                  // The lowest version that has all the fixes known.
  std::string channel;             // "esm-infra" where a fix needs a subscription.
  std::vector<uint32_t> packages;  // Installed packages with findings, indices, sorted.
  size_t findings_count = 0;
  // Its ids, each counted once, however many of the packages have it.
  SeverityCounts ids_count = {};
  size_t known_exploited_count = 0;
  double risk = 0;  // Their sum.
};
// Those first that fix what is known to be exploited; then by risk removed, severities from
// critical down, name.
std::vector<Upgrade> upgrades_of(const Report& report);

}  // namespace vigil::report
