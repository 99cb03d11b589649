// The rules that several matchers share.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "match/matcher.h"

namespace vigil::match {

// --- Plans ------------------------------------------------------------------------------------

// The shard of the distribution and the scheme of the package's kind; a refusal where the release
// is not known.
Plan distribution_plan(const Package& package, const Distro& distro);
// Adds the source package (or the package itself, where it is its own source).
void add_source_lookup(Plan& plan, const Package& package);
void add_binary_lookup(Plan& plan, const Package& package);

// --- Decisions --------------------------------------------------------------------------------

// Compares the version with the ranges and listed versions of the record, whatever its state.
StatementView compare_statement(const Plan& plan, const Lookup& lookup, const Affected& affected);
// As above, after the name's kind and the architecture.
std::optional<StatementView> decide_plain(const Package& package, const Plan& plan,
                                          const Lookup& lookup, const Affected& affected);
// As above, after the module stream.
std::optional<StatementView> decide_rpm(const Package& package, const Plan& plan,
                                        const Lookup& lookup, const Affected& affected);

// The version that the record lists and that equals this one; null where there is none.
const std::string* listed_version(const version::Scheme& scheme, std::string_view version,
                                  const Affected& affected);

// --- Settling ---------------------------------------------------------------------------------

// A record that says "not affected" overrides what the shard else says of the same name.
void settle_plain(std::span<StatementView> statements, const Plan& plan);

// --- rpm --------------------------------------------------------------------------------------

// A plan by the binary's name. Refuses packages whose vendor is named and has none of `vendors`
// (words in lower case) in its name: a foreign repository counts releases in its own way.
Plan rpm_plan(const Package& package, const Distro& distro,
              std::span<const std::string_view> vendors);
// "nodejs:18" of the label "nodejs:18:8090020230413:rhel8".
std::string module_stream(std::string_view label);
// Whether the release says that a module was built: "module+el8", "module_el8", ".module_".
bool is_modular_version(std::string_view version);

}  // namespace vigil::match
