#include "match/rules.h"

#include <algorithm>

namespace vigil::match {

namespace {

bool holds_word(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

std::string_view epoch_of(std::string_view version) {
  const size_t colon = version.find(':');
  return colon == std::string_view::npos ? std::string_view() : version.substr(0, colon + 1);
}

bool is_for_lookup(NameKind kind, const Lookup& lookup) {
  switch (kind) {
    case NameKind::kSource:
      return lookup.is_source;
    case NameKind::kBinary:
      return lookup.is_binary;
    case NameKind::kEither:
      return true;
  }
  return false;
}

// A package without an architecture, or for all of them, is not told apart by it.
bool is_for_arch(const Package& package, const Affected& affected) {
  if (affected.arches.empty() || package.arch.empty()) return true;
  if (package.arch == "noarch" || package.arch == "all") return true;
  return std::ranges::any_of(affected.arches, [&](const std::string& arch) {
    return arch == package.arch || arch == "noarch";
  });
}

bool speaks_of_module(const Affected& affected) {
  return !affected.module.empty() ||
         std::ranges::any_of(affected.ranges, [](const AffectedRange& range) {
           return is_modular_version(range.fixed);
         });
}

}  // namespace

Plan distribution_plan(const Package& package, const Distro& distro) {
  Plan plan;
  plan.scheme = &version::scheme_of(package.kind);
  plan.shard = shard_name(distro);
  if (plan.shard.empty()) plan.refusal = "the release of " + distro.id + " is not known";
  return plan;
}

void add_source_lookup(Plan& plan, const Package& package) {
  const bool is_own_source = package.source.name.empty();
  Lookup lookup{
      .name = is_own_source ? package.name : package.source.name,
      .version = package.source.version.empty() ? package.version : package.source.version,
      .is_source = true,
      .is_binary = false};
  // The name of a source rpm carries no epoch: it is the binary's, where that has one.
  if (package.kind == PackageKind::kRpm && epoch_of(lookup.version).empty()) {
    lookup.version = std::string(epoch_of(package.version)) + lookup.version;
  }
  plan.lookups.push_back(std::move(lookup));
}

void add_binary_lookup(Plan& plan, const Package& package) {
  plan.lookups.push_back(
      {.name = package.name, .version = package.version, .is_source = false, .is_binary = true});
}

const std::string* listed_version(const version::Scheme& scheme, std::string_view version,
                                  const Affected& affected) {
  const auto is_equal = [&](const std::string& listed) {
    // Bytes first: it is the common case and the cheap one.
    if (listed == version) return true;
    if (!scheme.is_valid(listed)) return false;
    const Result<std::strong_ordering> order = version::compare(scheme, version, listed);
    return order && *order == std::strong_ordering::equal;
  };
  const auto found = std::ranges::find_if(affected.versions, is_equal);
  return found == affected.versions.end() ? nullptr : &*found;
}

StatementView compare_statement(const Plan& plan, const Lookup& lookup, const Affected& affected) {
  StatementView statement;
  statement.affected = &affected;
  statement.lookup = &lookup;
  if (affected.ranges.empty() && affected.versions.empty()) {
    // Only "not affected" may leave the versions out: it then speaks of all.
    statement.holds = affected.state == FixState::kNotAffected;
    return statement;
  }
  for (const AffectedRange& range : affected.ranges) {
    if (!version::in_range(*plan.scheme, lookup.version, range).value_or(false)) continue;
    statement.holds = true;
    statement.range = &range;
    return statement;
  }
  statement.version = listed_version(*plan.scheme, lookup.version, affected);
  statement.holds = statement.version != nullptr;
  return statement;
}

std::optional<StatementView> decide_plain(const Package& package, const Plan& plan,
                                          const Lookup& lookup, const Affected& affected) {
  if (!is_for_lookup(affected.name_kind, lookup)) return std::nullopt;
  if (!is_for_arch(package, affected)) return std::nullopt;
  return compare_statement(plan, lookup, affected);
}

std::optional<StatementView> decide_rpm(const Package& package, const Plan& plan,
                                        const Lookup& lookup, const Affected& affected) {
  const bool is_modular = !package.module.empty() || is_modular_version(package.version);
  if (is_modular != speaks_of_module(affected)) return std::nullopt;
  if (is_modular && !affected.module.empty() &&
      module_stream(package.module) != module_stream(affected.module)) {
    return std::nullopt;
  }
  return decide_plain(package, plan, lookup, affected);
}

void settle_plain(std::span<StatementView> statements, const Plan&) {
  for (const StatementView& denial : statements) {
    if (!denial.holds || denial.affected->state != FixState::kNotAffected) continue;
    for (StatementView& other : statements) {
      if (other.affected->package == denial.affected->package) other.is_dropped = true;
    }
  }
}

Plan rpm_plan(const Package& package, const Distro& distro,
              std::span<const std::string_view> vendors) {
  Plan plan = distribution_plan(package, distro);
  const std::string vendor = lower_case(package.maintainer);
  const bool is_foreign = !vendor.empty() && vendor != "(none)" &&
                          std::ranges::none_of(vendors, [&](std::string_view word) {
                            return holds_word(vendor, word);
                          });
  if (is_foreign && plan.refusal.empty()) {
    plan.refusal = "from a foreign repository: its vendor is " + package.maintainer;
  }
  if (package.module.empty() && is_modular_version(package.version)) {
    plan.caveat = "built for a module whose stream is not recorded";
  }
  add_binary_lookup(plan, package);
  return plan;
}

std::string module_stream(std::string_view label) {
  const size_t name_end = label.find(':');
  if (name_end == std::string_view::npos) return std::string(label);
  return std::string(label.substr(0, label.find(':', name_end + 1)));
}

bool is_modular_version(std::string_view version) {
  return holds_word(version, "module+el") || holds_word(version, "module_el") ||
         holds_word(version, ".module_") || holds_word(version, ".module+");
}

}  // namespace vigil::match
