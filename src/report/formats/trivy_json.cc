// Trivy's JSON, SchemaVersion 2 (aquasecurity/trivy 0.74, pkg/types/report.go). Packages of the
// system are one result, those of languages one a kind and place.

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>
#include <utility>

#include "base/json.h"
#include "report/exposure_json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/peer_names.h"
#include "report/summary.h"

namespace vigil::report {

namespace {

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  // Trivy has no "negligible".
  return out == "NEGLIGIBLE" ? "LOW" : out;
}

std::string_view family(const Distro& distro) {
  static constexpr std::pair<std::string_view, std::string_view> kFamilies[] = {
      {"almalinux", "alma"},
      {"rhel", "redhat"},
      {"opensuse-leap", "opensuse.leap"},
      {"opensuse-tumbleweed", "opensuse.tumbleweed"},
      {"amzn", "amazon"},
      {"ol", "oracle"},
      {"sles", "suse linux enterprise server"}};
  for (const auto& [id, name] : kFamilies) {
    if (distro.id == id) return name;
  }
  return distro.id;
}

// One entry of "Results".
struct ResultKey {
  bool is_language = false;
  std::string_view type;
  std::string target;
  bool operator<(const ResultKey& other) const {
    return std::tie(is_language, type, target) <
           std::tie(other.is_language, other.type, other.target);
  }
};
struct ResultContent {
  std::vector<uint32_t> packages;
  std::vector<const Finding*> findings;
  std::vector<const Suppressed*> suppressed;
};

std::string target_text(const Sbom& sbom) {
  if (!sbom.distro.is_known()) return sbom.target.name;
  return sbom.target.name + " (" + std::string(family(sbom.distro)) + " " + sbom.distro.version +
         ")";
}

ResultKey key_of(const Sbom& sbom, const Package& package) {
  if (is_os_package(package.kind)) {
    const std::string_view type =
        sbom.distro.is_known() ? family(sbom.distro) : std::string_view("unknown");
    return {false, type, target_text(sbom)};
  }
  return {true, peer_names(package.kind).trivy_type, package.location.path};
}

void write_identifier(JsonWriter& json, std::string_view key, const Package& package,
                      const std::string& id) {
  json.key(key).begin_object().member_if("PURL", package.purl);
  json.member("UID", id).member_if("BOMRef", package.bom_ref).end_object();
}

void write_layer(JsonWriter& json, const Sbom& sbom, const Package& package) {
  json.key("Layer").begin_object();
  if (package.location.layer >= 0) {
    const Layer& layer = sbom.layers[static_cast<size_t>(package.location.layer)];
    json.member_if("Digest", layer.digest).member_if("DiffID", layer.diff_id);
  }
  json.end_object();
}

std::string package_id(const Package& package) {
  return package.name + "@" + package.version;
}

void write_package(JsonWriter& json, const Sbom& sbom, const Package& package,
                   const std::string& id) {
  json.begin_object().member("ID", package_id(package)).member("Name", package.name);
  write_identifier(json, "Identifier", package, id);
  json.member_if("Version", package.version);
  json.member_if("Arch", package.arch);
  const bool has_source = !package.source.name.empty();
  if (is_os_package(package.kind)) {
    json.member("SrcName", has_source ? package.source.name : package.name);
    json.member_if("SrcVersion", has_source ? package.source.version : package.version);
  }
  if (!package.licence.empty()) {
    json.key("Licenses").begin_array();
    for (const std::string_view licence : licences_of(package)) json.value(licence);
    json.end_array();
  }
  json.member_if("Maintainer", package.maintainer);
  json.member_if("Modularitylabel", package.module);
  write_layer(json, sbom, package);
  if (!is_os_package(package.kind)) json.member_if("FilePath", package.location.path);
  json.end_object();
}

void write_cvss(JsonWriter& json, const std::vector<Cvss>& all) {
  struct Scores {
    const Cvss* two = nullptr;
    const Cvss* three = nullptr;
    const Cvss* four = nullptr;
  };
  std::map<std::string, Scores> by_source;
  for (const Cvss& cvss : all) {
    Scores& scores = by_source[cvss.source.empty() ? "unknown" : cvss.source];
    const Cvss*& slot = cvss.version.starts_with('4')   ? scores.four
                        : cvss.version.starts_with('3') ? scores.three
                                                        : scores.two;
    if (slot == nullptr) slot = &cvss;
  }
  if (by_source.empty()) return;
  json.key("CVSS").begin_object();
  for (const auto& [source, scores] : by_source) {
    json.key(source).begin_object();
    if (scores.two != nullptr) json.member("V2Vector", scores.two->vector);
    if (scores.three != nullptr) json.member("V3Vector", scores.three->vector);
    if (scores.four != nullptr) json.member("V40Vector", scores.four->vector);
    if (scores.two != nullptr) json.member("V2Score", scores.two->score);
    if (scores.three != nullptr) json.member("V3Score", scores.three->score);
    if (scores.four != nullptr) json.member("V40Score", scores.four->score);
    json.end_object();
  }
  json.end_object();
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

void write_vulnerability(JsonWriter& json, const Report& report, const Finding& finding,
                         const std::string& id) {
  const Sbom& sbom = report.sbom;
  const Package& package = sbom.packages[finding.package];
  json.begin_object().member("VulnerabilityID", finding.id);
  json.key("VendorIDs").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (advisory.id != finding.id) json.value(advisory.id);
  }
  json.end_array();
  json.member("PkgID", package_id(package)).member("PkgName", package.name);
  if (!is_os_package(package.kind)) json.member_if("PkgPath", package.location.path);
  write_identifier(json, "PkgIdentifier", package, id);
  json.member("InstalledVersion", package.version);
  json.member_if("FixedVersion", joined(finding.fixed_versions));
  json.member("Status", is_fixable(finding) || finding.state != FixState::kFixed
                            ? to_string(finding.state)
                            : to_string(FixState::kAffected));
  write_layer(json, sbom, package);
  json.member_if("SeveritySource", finding.severity_source);
  json.member_if("PrimaryURL", page_of(finding));
  if (!finding.advisories.empty()) {
    const MatchedAdvisory& first = finding.advisories[0];
    json.key("DataSource").begin_object().member("ID", first.source);
    json.member("Name", first.source).member("URL", first.url).end_object();
  }
  json.member_if("Fingerprint", finding.fingerprint);
  json.member("Severity", upper(to_string(finding.severity)));
  if (!finding.cwes.empty()) {
    json.key("CweIDs").begin_array();
    for (const std::string& cwe : finding.cwes) json.value(cwe);
    json.end_array();
  }
  write_cvss(json, finding.cvss);
  json.key("References").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (is_web_address(advisory.url)) json.value(advisory.url);
  }
  json.end_array();
  // The place that Trivy leaves to others (DetectedVulnerability.Custom, of any type).
  if (const PackageExposure* use = use_of(report, finding); use != nullptr) {
    json.key("Custom").begin_object().key("vigil");
    write_use_in_short(json, *report.exposure, *use);
    json.end_object();
  }
  json.member_if("PublishedDate", format_time(finding.published_at));
  json.member_if("LastModifiedDate", format_time(finding.modified_at));
  json.end_object();
}

// pkg/types/finding.go, ModifiedFinding.
void write_suppressed(JsonWriter& json, const Report& report,
                      const std::vector<const Suppressed*>& suppressed,
                      const std::vector<std::string>& ids) {
  json.key("ExperimentalModifiedFindings").begin_array();
  for (const Suppressed* one : suppressed) {
    json.begin_object().member("Type", "vulnerability").member("Status", "ignored");
    json.member("Statement", one->reason.empty() ? "N/A" : one->reason);
    json.member("Source", one->rule).key("Finding");
    write_vulnerability(json, report, one->finding, ids[one->finding.package]);
    json.end_object();
  }
  json.end_array();
}

std::string_view artifact_type(TargetKind kind) {
  switch (kind) {
    case TargetKind::kDockerArchive:
    case TargetKind::kOciArchive:
    case TargetKind::kOciDirectory:
      return "container_image";
    case TargetKind::kDirectory:
      return "filesystem";
    case TargetKind::kSbom:
    case TargetKind::kPurl:
      return "cyclonedx";
  }
  return "";
}

void write_metadata(JsonWriter& json, const Report& report) {
  const Sbom& sbom = report.sbom;
  json.key("Metadata").begin_object();
  if (sbom.distro.is_known()) {
    json.key("OS").begin_object().member("Family", family(sbom.distro));
    json.member("Name", sbom.distro.version);
    if (!report.end_of_life.empty()) json.member("EOSL", true);
    json.end_object();
  }
  json.member_if("ImageID", sbom.target.image_id);
  if (!sbom.layers.empty()) {
    json.key("DiffIDs").begin_array();
    for (const Layer& layer : sbom.layers) json.value(layer.diff_id);
    json.end_array();
  }
  if (!sbom.target.tags.empty()) {
    json.key("RepoTags").begin_array();
    for (const std::string& tag : sbom.target.tags) json.value(tag);
    json.end_array();
  }
  if (!sbom.layers.empty()) {
    json.key("Layers").begin_array();
    for (const Layer& layer : sbom.layers) {
      json.begin_object().member("Size", layer.bytes).member_if("Digest", layer.digest);
      json.member_if("DiffID", layer.diff_id).end_object();
    }
    json.end_array();
  }
  json.end_object();
}

Result<std::string> write_report(const Report& report, const WriteOptions&) {
  const Sbom& sbom = report.sbom;
  const std::vector<std::string> ids = package_ids(sbom);
  std::map<ResultKey, ResultContent> results;
  for (uint32_t i = 0; i < sbom.packages.size(); ++i) {
    results[key_of(sbom, sbom.packages[i])].packages.push_back(i);
  }
  for (const Finding& finding : report.findings) {
    results[key_of(sbom, sbom.packages[finding.package])].findings.push_back(&finding);
  }
  for (const Suppressed& one : report.suppressed) {
    results[key_of(sbom, sbom.packages[one.finding.package])].suppressed.push_back(&one);
  }
  JsonWriter json;
  json.begin_object().member("SchemaVersion", 2);
  json.member_if("CreatedAt", format_time(report.created_at));
  json.member("ArtifactName", sbom.target.name);
  json.member("ArtifactType", artifact_type(sbom.target.kind));
  write_metadata(json, report);
  json.key("Results").begin_array();
  for (const auto& [key, content] : results) {
    json.begin_object().member("Target", key.target);
    json.member("Class", key.is_language ? "lang-pkgs" : "os-pkgs").member("Type", key.type);
    json.key("Packages").begin_array();
    for (const uint32_t i : content.packages) write_package(json, sbom, sbom.packages[i], ids[i]);
    json.end_array();
    if (!content.findings.empty()) {
      json.key("Vulnerabilities").begin_array();
      for (const Finding* finding : content.findings) {
        write_vulnerability(json, report, *finding, ids[finding->package]);
      }
      json.end_array();
    }
    if (!content.suppressed.empty()) write_suppressed(json, report, content.suppressed, ids);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

}  // namespace

extern const Format trivy_json_format;
const Format trivy_json_format = {.name = "trivy-json",
                                  .summary = "as Trivy writes it, SchemaVersion 2",
                                  .reference = "aquasecurity/trivy 0.74",
                                  .write_report = write_report,
                                  .write_sbom = write_report};

}  // namespace vigil::report
