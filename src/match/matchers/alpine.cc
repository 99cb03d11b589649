// Alpine: secdb speaks of origins, the packages that a build recipe is named after. A CVE listed
// under two versions was not fixed by the first: what is below either of them is affected.
#include "match/rules.h"

namespace vigil::match {

namespace {

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kApk && distro.id == "alpine";
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = distribution_plan(package, distro);
  add_source_lookup(out, package);
  return out;
}

}  // namespace

extern const Matcher alpine_matcher;
const Matcher alpine_matcher = {
    .name = "alpine",
    .packages = "apk packages of Alpine",
    .owns = owns,
    .plan = plan,
    .decide = decide_plain,
    .settle = settle_plain,
};

}  // namespace vigil::match
