// Oracle Linux: its errata name installed packages. Ksplice builds ("2.28-211.ksplice1.el8") and
// FIPS builds ("3.6.16-4_fips") count releases of their own, so each is compared with its own
// flavour only.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"oracle"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "oracle";
}

Plan plan(const Package& package, const Distro& distro) {
  return rpm_plan(package, distro, kVendors);
}

// "ksplice", "fips", or "" for the plain build.
std::string_view flavour_of(std::string_view version) {
  if (version.find(".ksplice") != std::string_view::npos) return "ksplice";
  if (version.find("_fips") != std::string_view::npos) return "fips";
  return "";
}

std::optional<StatementView> decide(const Package& package, const Plan& of, const Lookup& lookup,
                                    const Affected& affected) {
  const std::string_view flavour = flavour_of(lookup.version);
  for (const AffectedRange& range : affected.ranges) {
    if (!range.fixed.empty() && flavour_of(range.fixed) != flavour) return std::nullopt;
  }
  return decide_rpm(package, of, lookup, affected);
}

}  // namespace

extern const Matcher oracle_matcher;
const Matcher oracle_matcher = {
    .name = "oracle",
    .packages = "rpm packages of Oracle Linux",
    .owns = owns,
    .plan = plan,
    .decide = decide,
    .settle = settle_plain,
};

}  // namespace vigil::match
