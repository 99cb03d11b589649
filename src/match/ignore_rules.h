// Ignore rules: findings that somebody looked at and set aside, with the reason and until when.
// Pure. match/ignore_file.h reads them from files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/finding.h"
#include "model/purl.h"

namespace vigil::match {

// It speaks of a finding where each list that is not empty has something that fits.
struct IgnoreRule {
  std::vector<std::string> ids = {};  // Of the finding, an alias or an advisory; case is no matter.
  std::vector<std::string> packages = {};   // Patterns (base/glob.h): of the package or its source.
  std::vector<std::string> upstreams = {};  // Names of the source alone.
  std::vector<std::string> versions = {};   // Installed, exact.
  std::vector<PackageKind> kinds = {};
  std::vector<Purl> purls = {};         // What one leaves out is any; its parts may be patterns.
  std::vector<std::string> paths = {};  // Patterns of Location::path; a leading slash is no matter.
  std::vector<Distro> distros = {};     // Without a release: any of them.
  std::vector<FixState> states = {};
  std::string reason = {};
  UnixSeconds expires_at = 0;  // From then on it no longer applies; 0: it always does.
  std::string place = {};      // "FILE:LINE".
};

// Whether it names anything that a finding can be told by.
bool is_selective(const IgnoreRule& rule);
bool is_expired(const IgnoreRule& rule, UnixSeconds now);
bool speaks_of(const IgnoreRule& rule, const Finding& finding, const Sbom& sbom);

struct IgnoreOutcome {
  std::vector<Finding> kept;
  std::vector<Suppressed> suppressed;  // By the first rule that speaks of each.
};
// Both in the order of the findings. Expired rules are passed over.
IgnoreOutcome apply_ignore_rules(std::span<const IgnoreRule> rules, std::vector<Finding> findings,
                                 const Sbom& sbom, UnixSeconds now);

// Moves the findings and notices of a report that a rule speaks of to those set aside.
void set_aside(std::span<const IgnoreRule> rules, Report& report, UnixSeconds now);
// Of each rule that has expired, that it no longer applies.
std::vector<std::string> expired_texts(std::span<const IgnoreRule> rules, UnixSeconds now);

}  // namespace vigil::match
