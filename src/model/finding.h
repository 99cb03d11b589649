// What people triage: findings, and the verdict on each package.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/advisory.h"
#include "model/exposure.h"
#include "model/live_root.h"
#include "model/sbom.h"

namespace vigil {

// A record that matched a package, with the reason.
struct MatchedAdvisory {
  std::string id;      // The record's own id.
  std::string source;  // The feed it comes from.
  std::string shard;
  std::string name_searched;     // Package or source name that the record speaks of.
  std::string version_compared;  // The installed version (its source's, where that is compared).
  bool is_indirect = false;      // Matched through the source package.
  std::string range;   // ">= 1.2, < 1.4", "= 1.0", "all versions"; with the scheme's order.
  std::string scheme;  // "debian", …
  std::string url;
  bool operator==(const MatchedAdvisory&) const = default;
};

// A package instance and an id. One per CVE; two CVEs never merge; without a CVE the record's id.
struct Finding {
  uint32_t package = 0;  // Index into Sbom::packages.
  std::string id;
  std::vector<MatchedAdvisory> advisories;  // Sorted by source, then id.
  std::vector<std::string> aliases;         // Sorted; without `id`.
  Severity severity = Severity::kUnknown;
  std::string severity_source;  // "debian", "nvd", "cvss-3.1" …: who or what decided.
  std::string vendor_severity;  // The vendor's word, verbatim.
  FixState state = FixState::kAffected;
  std::vector<std::string> fixed_versions;  // The nearest first; empty unless state is kFixed.
  UnixSeconds fixed_at = 0;
  std::string fix_channel;  // "esm-infra" where the fix needs a subscription.
  double epss = -1;
  double epss_percentile = -1;
  bool is_known_exploited = false;
  bool is_ransomware_known = false;
  UnixSeconds known_exploited_at = 0;
  std::vector<std::string> cwes;
  std::vector<Cvss> cvss;
  UnixSeconds published_at = 0;
  UnixSeconds modified_at = 0;
  double risk = 0;  // 0 to 100; the formula stands in match/risk.h.
  NoticeKind notice = NoticeKind::kNone;
  std::string fingerprint;  // 32 hex digits, stable between scans of the same instance and id.
  bool operator==(const Finding&) const = default;
};

// The state as it is to be told: what is fixed in no version that anybody knows is affected.
FixState known_state(const Finding& finding);
bool is_fixable(const Finding& finding);  // There is a version to upgrade to.

// Every package is exactly one of these.
enum class PackageState : uint8_t {
  kMatched = 0,
  kClean = 1,              // Full coverage, and nothing matched.
  kNoKnownFixMissing = 2,  // The feed knows fixed issues only.
  kNotCheckable = 3,
};
std::string_view to_string(PackageState state);  // "matched", "clean", "no_known_fix_missing", …

struct PackageVerdict {
  PackageState state = PackageState::kNotCheckable;
  std::string reason;  // For kNotCheckable: "no advisories for alpine 3.20 in the database", …
  bool operator==(const PackageVerdict&) const = default;
};

// Which data gave the answer.
struct ShardUse {
  std::string name;
  std::string source_date;  // "2026-08-21", the oldest of its sources.
  std::string coverage;
  std::string digest;
  bool operator==(const ShardUse&) const = default;
};

struct DatabaseUse {
  std::string path;  // "embedded starter" where none is installed.
  bool is_starter = false;
  bool is_signed = false;  // Checked against a trusted key.
  std::string signer;      // Key id, where signed.
  uint64_t serial = 0;
  std::string built;   // RFC 3339.
  std::string notice;  // What a user must know: unsigned, starter and what it lacks, expired.
  std::vector<ShardUse> shards;  // Those that were looked into.
  UnixSeconds oldest_source_at = 0;
  UnixSeconds epss_at = 0;  // Day of the EPSS scores.
  bool operator==(const DatabaseUse&) const = default;
};

// A finding that an ignore rule sets aside: no gate sees it, and it is shown only where asked for.
struct Suppressed {
  Finding finding;
  std::string rule;            // Where the rule stands: ".vigilignore.yaml:12", file and line.
  std::string reason;          // "" where the rule gives none.
  UnixSeconds expires_at = 0;  // From then on the rule no longer applies; 0: it always does.
  bool operator==(const Suppressed&) const = default;
};

// A whole scan. Once match has filled it, it does not change.
struct Report {
  std::string tool_version;
  UnixSeconds created_at = 0;
  Sbom sbom;
  std::vector<OwnedFile> files;          // Only with --files.
  std::vector<PackageVerdict> verdicts;  // One per package, same order.
  std::vector<Finding> findings;         // Most urgent first: risk, severity, id, package.
  std::vector<Finding> notices;          // Shown apart.
  std::vector<Suppressed> suppressed;    // Findings and notices, in their order.
  uint64_t not_shown_count = 0;          // Findings that filters of the display left out.
  DatabaseUse database;
  std::string end_of_life;            // "debian 10 reached its end of life on 2022-09-10", or "".
  std::optional<Exposure> exposure;   // Where a workload was watched.
  std::optional<LiveRoot> live_root;  // Where a running root was compared with its image.
  bool operator==(const Report&) const = default;
};

}  // namespace vigil
