// Debian: by the source package and its version. The tracker's JSON and the lists of advisories
// speak of the same issues: whatever says "below this version" holds, so that the greater of two
// fixed versions decides, and a fix that exists overrides a line that says there is none.
#include "match/rules.h"

namespace vigil::match {

namespace {

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kDeb && distro.id == "debian";
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = distribution_plan(package, distro);
  add_source_lookup(out, package);
  add_binary_lookup(out, package);
  return out;
}

bool is_fix(const StatementView& statement) {
  return statement.affected->state == FixState::kFixed;
}

void settle(std::span<StatementView> statements, const Plan& of) {
  settle_plain(statements, of);
  for (const StatementView& fix : statements) {
    if (fix.is_dropped || !is_fix(fix)) continue;
    for (StatementView& open : statements) {
      if (!is_fix(open) && open.affected->package == fix.affected->package) open.is_dropped = true;
    }
  }
}

}  // namespace

extern const Matcher debian_matcher;
const Matcher debian_matcher = {
    .name = "debian",
    .packages = "dpkg packages of Debian, distroless among them",
    .owns = owns,
    .plan = plan,
    .decide = decide_plain,
    .settle = settle,
};

}  // namespace vigil::match
