// Chainguard: as Wolfi, from the shard of its own advisories.
#include "match/rules.h"

namespace vigil::match {

namespace {

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kApk && distro.id == "chainguard";
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = distribution_plan(package, distro);
  add_source_lookup(out, package);
  // The origin of a package is not known in every document, and then its own name may be one.
  for (Lookup& lookup : out.lookups) lookup.is_binary = true;
  if (out.lookups[0].name != package.name) {
    add_binary_lookup(out, package);
    out.lookups.back().is_source = true;
  }
  return out;
}

}  // namespace

extern const Matcher chainguard_matcher;
const Matcher chainguard_matcher = {
    .name = "chainguard",
    .packages = "apk packages of Chainguard's images",
    .owns = owns,
    .plan = plan,
    .decide = decide_plain,
    .settle = settle_plain,
};

}  // namespace vigil::match
