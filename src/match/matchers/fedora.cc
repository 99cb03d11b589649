// Fedora: its updates name installed packages.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"fedora"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "fedora";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
}

}  // namespace

extern const Matcher fedora_matcher;
const Matcher fedora_matcher = {
    .name = "fedora",
    .packages = "rpm packages of Fedora",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
