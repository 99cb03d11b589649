#include "match/ignore_rules.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/glob.h"

namespace vigil::match {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same_id(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool has_id(const Finding& finding, std::string_view id) {
  return is_same_id(finding.id, id) ||
         std::ranges::any_of(finding.aliases,
                             [&](const std::string& alias) { return is_same_id(alias, id); }) ||
         std::ranges::any_of(finding.advisories, [&](const MatchedAdvisory& advisory) {
           return is_same_id(advisory.id, id);
         });
}

std::string_view without_slash(std::string_view path) {
  return path.starts_with('/') ? path.substr(1) : path;
}

// Whether what the pattern says of a package URL is true of one.
bool fits(const Purl& pattern, const Purl& purl) {
  const auto part_fits = [](const std::string& wanted, const std::string& part) {
    return wanted.empty() || glob_matches(wanted, part);
  };
  return pattern.type == purl.type && glob_matches(pattern.space, purl.space) &&
         glob_matches(pattern.name, purl.name) && part_fits(pattern.version, purl.version) &&
         part_fits(pattern.subpath, purl.subpath) &&
         std::ranges::all_of(pattern.qualifiers, [&](const auto& qualifier) {
           return purl.qualifier(qualifier.first) == qualifier.second;
         });
}

bool fits(const Distro& wanted, const Distro& distro) {
  return wanted.id == distro.id &&
         (wanted.version.empty() || feed_release(wanted) == feed_release(distro));
}

// An empty list leaves the matter open.
template <typename T, typename Fits>
bool allows(const std::vector<T>& list, Fits fits_one) {
  return list.empty() || std::ranges::any_of(list, fits_one);
}

}  // namespace

bool is_selective(const IgnoreRule& rule) {
  return !rule.ids.empty() || !rule.packages.empty() || !rule.upstreams.empty() ||
         !rule.purls.empty() || !rule.paths.empty() || !rule.states.empty() ||
         !rule.versions.empty() || !rule.kinds.empty();
}

bool is_expired(const IgnoreRule& rule, UnixSeconds now) {
  return rule.expires_at != 0 && rule.expires_at <= now;
}

bool speaks_of(const IgnoreRule& rule, const Finding& finding, const Sbom& sbom) {
  const Package& package = sbom.packages[finding.package];
  const std::string& source = package.source.name.empty() ? package.name : package.source.name;
  if (!allows(rule.ids, [&](const std::string& id) { return has_id(finding, id); }) ||
      !allows(rule.states, [&](FixState state) { return state == known_state(finding); }) ||
      !allows(rule.kinds, [&](PackageKind kind) { return kind == package.kind; }) ||
      !allows(rule.versions, [&](const std::string& one) { return one == package.version; }) ||
      !allows(rule.upstreams, [&](const std::string& one) { return one == source; }) ||
      !allows(rule.packages, [&](const std::string& pattern) {
        return glob_matches(pattern, package.name) || glob_matches(pattern, source);
      })) {
    return false;
  }
  if (!allows(rule.paths, [&](const std::string& pattern) {
        return glob_matches(without_slash(pattern), without_slash(package.location.path));
      })) {
    return false;
  }
  if (!rule.distros.empty()) {
    const Distro distro = package.distro.empty() ? sbom.distro : parse_distro(package.distro);
    if (!allows(rule.distros, [&](const Distro& one) { return fits(one, distro); })) return false;
  }
  if (rule.purls.empty()) return true;
  const Result<Purl> purl = Purl::parse(package.purl);
  return purl && allows(rule.purls, [&](const Purl& pattern) { return fits(pattern, *purl); });
}

IgnoreOutcome apply_ignore_rules(std::span<const IgnoreRule> rules, std::vector<Finding> findings,
                                 const Sbom& sbom, UnixSeconds now) {
  IgnoreOutcome outcome;
  for (Finding& finding : findings) {
    const auto rule = std::ranges::find_if(rules, [&](const IgnoreRule& one) {
      return !is_expired(one, now) && speaks_of(one, finding, sbom);
    });
    if (rule == rules.end()) {
      outcome.kept.push_back(std::move(finding));
    } else {
      outcome.suppressed.push_back(
          {std::move(finding), rule->place, rule->reason, rule->expires_at});
    }
  }
  return outcome;
}

void set_aside(std::span<const IgnoreRule> rules, Report& report, UnixSeconds now) {
  if (rules.empty()) return;
  for (std::vector<Finding>* findings : {&report.findings, &report.notices}) {
    IgnoreOutcome outcome = apply_ignore_rules(rules, std::move(*findings), report.sbom, now);
    *findings = std::move(outcome.kept);
    std::ranges::move(outcome.suppressed, std::back_inserter(report.suppressed));
  }
}

std::vector<std::string> expired_texts(std::span<const IgnoreRule> rules, UnixSeconds now) {
  std::vector<std::string> texts;
  for (const IgnoreRule& rule : rules) {
    if (!is_expired(rule, now)) continue;
    texts.push_back(rule.place + ": this rule expired on " + format_date(rule.expires_at) +
                    " and no longer applies");
  }
  return texts;
}

}  // namespace vigil::match
