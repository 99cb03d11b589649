// What publishers say: advisories, and what else is known of a CVE.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/severity.h"

namespace vigil {

// What a publisher says of one package under one vulnerability.
enum class FixState : uint8_t {
  kAffected = 0,  // Vulnerable; no fix, or none known.
  kFixed = 1,     // Vulnerable below the fixed version.
  kWillNotFix = 2,
  kFixDeferred = 3,
  kEndOfLife = 4,
  kNotAffected = 5,
  kUnderInvestigation = 6,
};
std::string_view to_string(FixState state);  // "affected", "will_not_fix", …
// The states that a user's word stands for: one of the above, or Grype's "not-fixed", "wont-fix"
// and "unknown". Empty where it is neither.
std::vector<FixState> fix_states_named(std::string_view word);

// Versions from `introduced` (inclusive; "" or "0": from the first) to `fixed` (exclusive) or
// `last_affected` (inclusive); with neither, without end. In the scheme of the shard.
struct AffectedRange {
  std::string introduced;
  std::string fixed;
  std::string last_affected;
  bool operator==(const AffectedRange&) const = default;
};

// How the name in an advisory is to be read against a package of a distribution.
enum class NameKind : uint8_t {
  kSource = 0,  // The source package's name (Debian, Ubuntu, Alpine's origin).
  kBinary = 1,  // The name of the installed package (RHEL family, AlmaLinux).
  kEither = 2,
};

enum class NoticeKind : uint8_t {
  kNone = 0,          // A vulnerability.
  kUnmaintained = 1,  // RustSec's informational advisories.
  kUnsound = 2,
  kNotice = 3,
};
std::string_view to_string(NoticeKind kind);

// One package of one advisory.
struct Affected {
  std::string package;  // Normalised for the ecosystem: see normal_package_name.
  NameKind name_kind = NameKind::kBinary;
  FixState state = FixState::kAffected;
  // Any range or any listed version that holds makes the package match. With state kNotAffected it
  // is these versions that are declared not affected (none given: all).
  std::vector<AffectedRange> ranges;
  std::vector<std::string> versions;
  UnixSeconds fixed_at = 0;         // When the fix became available, where known.
  std::string vendor_severity;      // The vendor's own word for this package, else the advisory's.
  std::string module;               // rpm "name:stream"; only packages of that stream match.
  std::string channel;              // "esm-infra", "esm-apps", …; "" is the plain archive.
  std::string repository;           // "main", "community"; informative.
  std::vector<std::string> arches;  // Empty: all.
  NoticeKind notice = NoticeKind::kNone;
  bool operator==(const Affected&) const = default;
};

// One publisher's statement about one vulnerability. One Affected per package and shard.
struct Advisory {
  std::string id;                    // The publisher's own: "DSA-5417-1", "PYSEC-2023-1", "CVE-…".
  std::vector<std::string> cves;     // CVE ids it is about; its own id too, where that is one.
  std::vector<std::string> aliases;  // Other ids of the same thing (GHSA, …), without the CVEs.
  std::string source;                // The feed: "debian", "osv-pypi", "almalinux".
  std::string vendor_severity;       // The vendor's own word, verbatim.
  std::vector<Cvss> cvss;
  std::vector<std::string> cwes;  // "CWE-79".
  UnixSeconds published_at = 0;
  UnixSeconds modified_at = 0;
  bool is_withdrawn = false;  // Kept out of matches; counted.
  std::string url;            // Where people read it; "" where it follows from the id.
  std::vector<Affected> affected;
  bool operator==(const Advisory&) const = default;
};

// What is known of a CVE whatever package has it: from NVD, EPSS, KEV, Vulnrichment.
struct CveFacts {
  std::string cve;
  std::vector<Cvss> cvss;
  std::vector<std::string> cwes;
  double epss = -1;  // 0 to 1; below 0: not scored.
  double epss_percentile = -1;
  bool is_known_exploited = false;
  bool is_ransomware_known = false;
  UnixSeconds known_exploited_at = 0;
  UnixSeconds published_at = 0;
  bool is_rejected = false;
  bool operator==(const CveFacts&) const = default;
};

// Letter case does not count: "cve-2022-37434" is what people type.
bool is_same_id(std::string_view a, std::string_view b);

// The end of support of one release.
struct ReleaseLife {
  std::string distro;   // Canonical id.
  std::string release;  // As feed_release gives it.
  std::string codename;
  UnixSeconds released_at = 0;
  UnixSeconds end_of_life_at = 0;           // Of regular support.
  UnixSeconds end_of_extended_life_at = 0;  // LTS, ESM; 0: none.
  bool operator==(const ReleaseLife&) const = default;
};

// How much of the truth a source holds.
struct Coverage {
  bool is_fixed_only = false;  // Only issues with a fix: absence is "no known fix missing".
  bool is_subset = false;      // Only the packages it names are known to it.
  bool is_partial = false;     // Only some issues of the packages it names: silence says nothing.
  bool operator==(const Coverage&) const = default;
  std::string text() const;  // "full", "fixed-only", "subset", "subset, fixed-only", "partial".
};
Coverage parse_coverage(std::string_view text);

// A package's name as it is looked up in its ecosystem's shard: PyPI by PEP 503, NuGet, Composer
// and the distributions in lower case or as they are, Go and Maven as they are ("group:artifact").
// `ecosystem` is the shard's name or its part before the release.
std::string normal_package_name(std::string_view ecosystem, std::string_view name);

// "CVE-2024-1234": true for well-formed CVE ids (four digits, then four or more).
bool is_cve(std::string_view id);

}  // namespace vigil
