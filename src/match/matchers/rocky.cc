// Rocky Linux: its own errata, by the installed package. RHEL's data is not read in its place.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"rocky"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "rocky";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
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
