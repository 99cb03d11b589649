// Ubuntu: by the source package and its version, over the channels of a release: the plain archive
// and the two of Extended Security Maintenance (ESM), which need a subscription. What the plain
// archive has fixed, or calls not affected, is decided; else an ESM fix counts as the fix, with its
// channel named, and an installed ESM version as fixed. The FIPS, real-time and hardware channels
// are archives of other builds: they say nothing of packages that do not come from them.
#include <algorithm>
#include <tuple>

#include "match/rules.h"

namespace vigil::match {

namespace {

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kDeb && distro.id == "ubuntu";
}

Plan plan(const Package& package, const Distro& distro) {
  Plan out = distribution_plan(package, distro);
  add_source_lookup(out, package);
  add_binary_lookup(out, package);
  return out;
}

bool is_esm(std::string_view channel) {
  return channel.starts_with("esm-");
}

std::optional<StatementView> decide(const Package& package, const Plan& of, const Lookup& lookup,
                                    const Affected& affected) {
  const std::string& channel = affected.channel;
  const bool is_fips_build = package.version.find("fips") != std::string::npos;
  const bool is_read =
      channel.empty() || is_esm(channel) || (is_fips_build && channel.starts_with("fips"));
  if (!is_read) return std::nullopt;
  return decide_plain(package, of, lookup, affected);
}

// The statements of one source package.
void settle_name(std::span<StatementView*> statements) {
  const auto is_plain = [](const StatementView* one) { return one->affected->channel.empty(); };
  auto plain = std::ranges::find_if(statements, is_plain);
  // The tracker and the notices may both speak: what one of them has decided is decided.
  const auto decided = std::ranges::find_if(statements, [&](const StatementView* one) {
    return is_plain(one) && (one->affected->state == FixState::kFixed ||
                             one->affected->state == FixState::kNotAffected);
  });
  if (decided != statements.end()) plain = decided;
  const bool has_plain = plain != statements.end();
  const FixState plain_state =
      has_plain ? (*plain)->affected->state : FixState::kUnderInvestigation;
  const bool is_decided =
      has_plain && (plain_state == FixState::kFixed || plain_state == FixState::kNotAffected);
  if (is_decided) {
    for (StatementView* one : statements) {
      one->is_dropped = plain_state == FixState::kNotAffected || !is_plain(one) ||
                        one->affected->state != FixState::kFixed;
    }
    return;
  }
  const auto drop_all_but = [&](const StatementView* kept) {
    for (StatementView* one : statements) one->is_dropped = one != kept;
  };
  for (const StatementView* one : statements) {
    if (one->affected->channel.empty()) continue;
    const FixState state = one->affected->state;
    // Fixed: below the version it is a finding with a fix in that channel, else it is none.
    if (state == FixState::kFixed) return drop_all_but(one->holds ? one : nullptr);
    if (state == FixState::kNotAffected) return drop_all_but(nullptr);
  }
  if (has_plain) return drop_all_but(*plain);
}

void settle(std::span<StatementView> statements, const Plan&) {
  std::vector<StatementView*> open;
  for (StatementView& one : statements) open.push_back(&one);
  std::ranges::sort(open, [](const StatementView* a, const StatementView* b) {
    return std::tie(a->affected->package, a) < std::tie(b->affected->package, b);
  });
  for (size_t first = 0; first < open.size();) {
    size_t end = first;
    while (end < open.size() && open[end]->affected->package == open[first]->affected->package) {
      ++end;
    }
    settle_name(std::span(open).subspan(first, end - first));
    first = end;
  }
}

}  // namespace

extern const Matcher ubuntu_matcher;
const Matcher ubuntu_matcher = {
    .name = "ubuntu",
    .packages = "dpkg packages of Ubuntu",
    .owns = owns,
    .plan = plan,
    .decide = decide,
    .settle = settle,
};

}  // namespace vigil::match
