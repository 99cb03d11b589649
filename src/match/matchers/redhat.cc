// Red Hat Enterprise Linux, and CentOS Linux up to 8, which was built from the same sources with
// the same releases. CentOS Stream is ahead of RHEL and is not checkable by its data. Fixes name
// installed packages; what is not fixed names source packages too, and says nothing of a binary
// that a fix or a "not affected" names.
//
// Longer support for one minor release (EUS, AUS, E4S, TUS, ELS) has fixes of its own, in channels
// that need a subscription. They are never named as the fix. But builds of one line, ".el9_2",
// follow each other: who has a fix of the own line, or a later build of it, is not affected,
// whatever the fix of a later minor release.
#include <algorithm>

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

// The line of builds that a release is from: "el9_2" of "7.76.1-23.el9_2.4", "el8.9.0" of
// "2.5.9-111.module+el8.9.0+19193+435404ae"; "" where it names no minor release.
std::string_view build_line(std::string_view version) {
  for (const std::string_view mark : {".el", "+el"}) {
    const size_t at = version.rfind(mark);
    if (at == std::string_view::npos) continue;
    std::string_view line = version.substr(at + 1);
    line = line.substr(0, line.find_first_of(mark[0] == '.' ? "." : "+"));
    return line.find_first_of("_.") == std::string_view::npos ? "" : line;
  }
  return "";
}

// Whether the installed version has the fix of its own line of builds.
bool is_fixed_in_line(const StatementView& one) {
  const Affected& affected = *one.affected;
  if (affected.state != FixState::kFixed || one.holds || affected.ranges.empty()) return false;
  const std::string_view line = build_line(one.lookup->version);
  return !line.empty() && line == build_line(affected.ranges.front().fixed);
}

std::optional<StatementView> decide(const Package& package, const Plan& of, const Lookup& lookup,
                                    const Affected& affected) {
  if (!affected.channel.empty() && affected.state != FixState::kFixed) return std::nullopt;
  return decide_rpm(package, of, lookup, affected);
}

void settle(std::span<StatementView> statements, const Plan& of) {
  settle_plain(statements, of);
  const bool is_fixed = std::ranges::any_of(statements, is_fixed_in_line);
  for (StatementView& one : statements) {
    if (is_fixed || !one.affected->channel.empty()) one.is_dropped = true;
  }
  bool is_binary_decided = false;
  for (const StatementView& one : statements) {
    if (!one.affected->channel.empty()) continue;
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
    .decide = decide,
    .settle = settle,
};

}  // namespace vigil::match
