// Azure Linux, earlier CBL-Mariner: advisories name source packages (OSV) or installed ones.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"microsoft"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && (distro.id == "azurelinux" || distro.id == "mariner");
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = rpm_plan(package, distro, kVendors);
  add_source_lookup(out, package);
  return out;
}

}  // namespace

extern const Matcher azurelinux_matcher;
const Matcher azurelinux_matcher = {
    .name = "azurelinux",
    .packages = "rpm packages of Azure Linux and CBL-Mariner",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
