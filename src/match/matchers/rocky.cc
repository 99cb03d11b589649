// Rocky Linux: its own errata, which name source packages. RHEL's data is not read in its place.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"rocky"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "rocky";
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = rpm_plan(package, distro, kVendors);
  add_source_lookup(out, package);
  return out;
}

}  // namespace

extern const Matcher rocky_matcher;
const Matcher rocky_matcher = {
    .name = "rocky",
    .packages = "rpm packages of Rocky Linux",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
