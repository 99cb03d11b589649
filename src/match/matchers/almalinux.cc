// AlmaLinux: its errata name installed packages. A CVE in two errata was not fixed by the first, so
// any of them that holds makes the package match.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"almalinux"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "almalinux";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
}

}  // namespace

extern const Matcher almalinux_matcher;
const Matcher almalinux_matcher = {
    .name = "almalinux",
    .packages = "rpm packages of AlmaLinux",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
