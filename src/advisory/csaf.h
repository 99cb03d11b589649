// Red Hat's statements in CSAF 2.0 (docs.oasis-open.org/csaf/csaf/v2.0, section 3.2): VEX files,
// one per CVE, and security advisories. Red Hat's own rules for them: "Red Hat CSAF/VEX documents"
// (redhatproductsecurity.github.io/security-data-guidelines/csaf-vex).
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "advisory/feed.h"

namespace vigil::advisory {

// One advisory per vulnerability and release of RHEL, into the shard "redhat-N". Returns when the
// document was last changed, 0 where it does not say; shards it speaks of are added to `shards`.
// Hostile input.
Result<UnixSeconds> add_redhat_csaf(std::string_view json, std::set<std::string>& shards,
                                    AdvisorySink& sink);

// Which packages of RHEL a platform's CPE (URI form, "cpe:/a:redhat:rhel_eus:9.2::appstream")
// stands for.
struct RedhatPlatform {
  std::string release;  // "9"; "" where it is no RHEL.
  std::string channel;  // "" is what every subscriber has; else "eus-9.2", "els-6", ….
  bool operator==(const RedhatPlatform&) const = default;
};
RedhatPlatform redhat_platform(std::string_view cpe);

}  // namespace vigil::advisory
