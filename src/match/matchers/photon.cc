// Photon OS: its advisories name installed packages.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"vmware", "broadcom"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "photon";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
}

}  // namespace

extern const Matcher photon_matcher;
const Matcher photon_matcher = {
    .name = "photon",
    .packages = "rpm packages of Photon OS",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
