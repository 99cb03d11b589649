#include "report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "version/version.h"

namespace vigil::report {

namespace {

size_t index_of(Severity severity) {
  return static_cast<size_t>(severity);
}

// The later of two versions of the advisory's scheme, else of the package's kind.
bool is_later(const Package& package, const Finding& finding, const std::string& a,
              const std::string& b) {
  const version::Scheme* scheme =
      finding.advisories.empty() ? nullptr : version::find_scheme(finding.advisories[0].scheme);
  if (scheme == nullptr) scheme = &version::scheme_of(package.kind);
  const auto order = version::compare(*scheme, a, b);
  return order && *order > 0;
}

struct UpgradeDraft {
  Upgrade upgrade;
  std::map<std::string, double> risks;  // By id.
};

void add(UpgradeDraft& draft, const Report& report, const Finding& finding) {
  Upgrade& upgrade = draft.upgrade;
  const std::string& fix = finding.fixed_versions[0];
  const Package& package = report.sbom.packages[finding.package];
  if (upgrade.to.empty() || is_later(package, finding, fix, upgrade.to)) upgrade.to = fix;
  if (upgrade.channel.empty()) upgrade.channel = finding.fix_channel;
  upgrade.packages.push_back(finding.package);
  ++upgrade.findings_count;
  const auto [risk, is_new] = draft.risks.try_emplace(finding.id, finding.risk);
  risk->second = std::max(risk->second, finding.risk);
  if (!is_new) return;
  ++upgrade.ids_count[index_of(finding.severity)];
  upgrade.known_exploited_count += finding.is_known_exploited ? 1 : 0;
}

// Negative counts, so that more of the worst comes first.
auto urgency(const Upgrade& upgrade) {
  std::array<int64_t, 6> severities = {};
  for (size_t i = 0; i < severities.size(); ++i) {
    severities[i] = -static_cast<int64_t>(upgrade.ids_count[severities.size() - 1 - i]);
  }
  return std::tuple(upgrade.known_exploited_count == 0, -upgrade.risk, severities, upgrade.name,
                    upgrade.version);
}

}  // namespace

Summary summarize(const Report& report) {
  Summary summary;
  std::map<std::string, std::vector<uint32_t>> reasons;
  for (uint32_t i = 0; i < report.verdicts.size(); ++i) {
    const PackageVerdict& verdict = report.verdicts[i];
    ++summary.packages_count[static_cast<size_t>(verdict.state)];
    if (verdict.state == PackageState::kNotCheckable) reasons[verdict.reason].push_back(i);
  }
  for (auto& [reason, packages] : reasons) {
    summary.not_checkable.push_back({reason, std::move(packages)});
  }
  std::ranges::stable_sort(summary.not_checkable, std::greater(),
                           [](const NotCheckable& one) { return one.packages.size(); });
  for (const Finding& finding : report.findings) {
    ++summary.findings_count[index_of(finding.severity)];
    summary.fixable_count += is_fixable(finding) ? 1 : 0;
    summary.known_exploited_count += finding.is_known_exploited ? 1 : 0;
    summary.ransomware_count += finding.is_ransomware_known ? 1 : 0;
  }
  return summary;
}

bool is_unknown(const Report& report) {
  return std::ranges::all_of(report.verdicts, [](const PackageVerdict& verdict) {
    return verdict.state == PackageState::kNotCheckable;
  });
}

std::string unchecked_text(const Report& report) {
  if (report.verdicts.empty()) return "no package was found";
  const auto count =
      std::ranges::count(report.verdicts, PackageState::kNotCheckable, &PackageVerdict::state);
  if (count == 0) return "";
  if (!is_unknown(report)) {
    return fmt::format("{} of {} packages could not be checked", count, report.verdicts.size());
  }
  return fmt::format("none of {} packages could be checked: {}", count,
                     report.verdicts.front().reason);
}

std::vector<std::string> left_out_texts(const Report& report) {
  std::vector<std::string> texts;
  const size_t suppressed = report.suppressed.size();
  if (suppressed > 0) {
    texts.push_back(fmt::format("{} set aside by ignore rules", suppressed));
  }
  if (report.not_shown_count > 0) {
    texts.push_back(fmt::format("{} filtered out, as asked for", report.not_shown_count));
  }
  return texts;
}

std::vector<Upgrade> upgrades_of(const Report& report) {
  std::map<std::tuple<PackageKind, std::string, std::string>, UpgradeDraft> drafts;
  for (const Finding& finding : report.findings) {
    if (!is_fixable(finding)) continue;
    const Package& package = report.sbom.packages[finding.package];
    const bool has_source = !package.source.name.empty();
    const std::string& name = has_source ? package.source.name : package.name;
    const std::string& version = has_source ? package.source.version : package.version;
    UpgradeDraft& draft = drafts[{package.kind, name, version}];
    draft.upgrade.name = name;
    draft.upgrade.version = version;
    add(draft, report, finding);
  }
  std::vector<Upgrade> upgrades;
  for (auto& [key, draft] : drafts) {
    std::vector<uint32_t>& packages = draft.upgrade.packages;
    std::ranges::sort(packages);
    packages.erase(std::unique(packages.begin(), packages.end()), packages.end());
    for (const auto& [id, risk] : draft.risks) draft.upgrade.risk += risk;
    upgrades.push_back(std::move(draft.upgrade));
  }
  std::ranges::stable_sort(upgrades, {}, urgency);
  return upgrades;
}

}  // namespace vigil::report
