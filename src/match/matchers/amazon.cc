// Amazon Linux: its errata name installed packages.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"amazon"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "amazon";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
}

}  // namespace

extern const Matcher amazon_matcher;
const Matcher amazon_matcher = {
    .name = "amazon",
    .packages = "rpm packages of Amazon Linux",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
