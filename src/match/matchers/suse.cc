// SUSE Linux Enterprise and openSUSE: advisories name source packages (OSV) or installed ones.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"suse"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm &&
         (distro.id.starts_with("sle") || distro.id == "suse" || distro.id.starts_with("opensuse"));
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = rpm_plan(package, distro, kVendors);
  add_source_lookup(out, package);
  return out;
}

}  // namespace

extern const Matcher suse_matcher;
const Matcher suse_matcher = {
    .name = "suse",
    .packages = "rpm packages of SUSE Linux Enterprise and openSUSE",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
