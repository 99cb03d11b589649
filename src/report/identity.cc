#include "report/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "report/summary.h"

namespace vigil::report {

std::vector<std::string> package_ids(const Sbom& sbom) {
  std::vector<std::string> ids;
  std::set<std::string> taken;
  for (const Package& package : sbom.packages) {
    std::string key;
    for (const std::string_view part :
         {std::string_view(package.purl), std::string_view(package.name),
          std::string_view(package.version), std::string_view(package.arch),
          std::string_view(package.location.path), std::string_view(package.bom_ref)}) {
      append_sized_text(key, part);
    }
    std::string id = fmt::format("{:016x}", xxh3(as_bytes(key)));
    while (!taken.insert(id).second) {
      key += '+';
      id = fmt::format("{:016x}", xxh3(as_bytes(key)));
    }
    ids.push_back(std::move(id));
  }
  return ids;
}

std::string document_uuid(std::string_view content) {
  std::string hex = sha256(as_bytes(content)).hex();
  hex[12] = '8';                                       // Version.
  hex[16] = "89ab"[static_cast<size_t>(hex[16]) % 4];  // Variant.
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

std::vector<std::string_view> licences_of(const Package& package) {
  constexpr std::string_view kAnd = " AND ";
  std::vector<std::string_view> licences;
  std::string_view rest = package.licence;
  while (!rest.empty()) {
    const size_t end =
        package.kind == PackageKind::kDeb ? std::min(rest.find(kAnd), rest.size()) : rest.size();
    licences.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + kAnd.size(), rest.size()));
  }
  return licences;
}

std::string_view layer_of(const Sbom& sbom, const Package& package) {
  const int32_t layer = package.location.layer;
  if (layer < 0 || static_cast<size_t>(layer) >= sbom.layers.size()) return "";
  return sbom.layers[static_cast<size_t>(layer)].diff_id;
}

bool is_web_address(std::string_view text) {
  if (!text.starts_with("https://") && !text.starts_with("http://")) return false;
  return std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
  });
}

std::string page_of(const Finding& finding) {
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (is_web_address(advisory.url)) return advisory.url;
  }
  return is_cve(finding.id) ? "https://www.cve.org/CVERecord?id=" + finding.id : "";
}

std::string advice(const Package& package, const Finding& finding) {
  if (is_fixable(finding)) {
    const std::string channel =
        finding.fix_channel.empty() ? "" : fmt::format(" (from {})", finding.fix_channel);
    return fmt::format("Upgrade {} to {}{}.", package.name,
                       fmt::join(finding.fixed_versions, " or "), channel);
  }
  switch (finding.state) {
    case FixState::kWillNotFix:
      return "The vendor will not fix it.";
    case FixState::kFixDeferred:
      return "The vendor deferred the fix.";
    case FixState::kEndOfLife:
      return "The release is past its end of life: there will be no fix.";
    case FixState::kUnderInvestigation:
      return "The vendor is still investigating.";
    case FixState::kAffected:
    case FixState::kFixed:
    case FixState::kNotAffected:
      return "No fix is known yet.";
  }
  return "";
}

std::string joined_objects(std::string_view head, std::string_view body) {
  return std::string(head.substr(0, head.rfind("\n}"))) + "," + std::string(body.substr(1)) + "\n";
}

}  // namespace vigil::report
