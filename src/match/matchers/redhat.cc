// Red Hat Enterprise Linux, and CentOS Linux up to 8, which was built from the same sources with
// the same releases. CentOS Stream is ahead of RHEL and is not checkable by its data. Fixes name
// installed packages; what is not fixed names source packages, and says nothing of a binary that a
// fix or a "not affected" names.
#include "match/rules.h"

namespace vigil::match {

namespace {

constexpr std::string_view kVendors[] = {"red hat", "redhat", "centos"};

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && (distro.id == "redhat" || distro.id == "centos");
}

Plan plan(const Package& package, const Distro& distro) {
  Distro rhel = distro;
  rhel.id = "redhat";
  Plan out = rpm_plan(package, rhel, kVendors);
  add_source_lookup(out, package);
  const bool is_stream =
      distro.id == "centos" && (distro.pretty_name.find("Stream") != std::string::npos ||
                                feed_release(rhel) == "9" || feed_release(rhel) == "10");
  if (is_stream) out.refusal = "no advisories for CentOS Stream in the database";
  return out;
}

void settle(std::span<StatementView> statements, const Plan& of) {
  settle_plain(statements, of);
  bool is_binary_decided = false;
  for (const StatementView& one : statements) {
    const FixState state = one.affected->state;
    is_binary_decided |= !one.lookup->is_source && (state == FixState::kFixed ||
                                                    (state == FixState::kNotAffected && one.holds));
  }
  for (StatementView& one : statements) {
    if (is_binary_decided && one.lookup->is_source) one.is_dropped = true;
  }
}

}  // namespace

extern const Matcher redhat_matcher;
const Matcher redhat_matcher = {
    .name = "redhat",
    .packages = "rpm packages of Red Hat Enterprise Linux and CentOS Linux",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle,
};

}  // namespace vigil::match
