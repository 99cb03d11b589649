// Grype's JSON (anchore/grype 0.116, grype/presenter/models). Where Grype's GitHub data would name
// the GHSA record and relate the CVE to it, so does this. What Grype knows and we don't (prose,
// CPEs) is empty.

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "report/exposure_json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/peer_names.h"
#include "report/summary.h"

namespace vigil::report {

namespace {

std::string capitalised(std::string_view word) {
  std::string out(word);
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

// Grype has four states.
std::string_view fix_state(const Finding& finding) {
  if (is_fixable(finding)) return "fixed";
  switch (finding.state) {
    case FixState::kWillNotFix:
    case FixState::kEndOfLife:
      return "wont-fix";
    case FixState::kUnderInvestigation:
      return "unknown";
    default:
      return "not-fixed";
  }
}

std::string primary_id(const Package& package, const Finding& finding) {
  if (!is_os_package(package.kind)) {
    for (const MatchedAdvisory& advisory : finding.advisories) {
      if (advisory.id.starts_with("GHSA-")) return advisory.id;
    }
  }
  return finding.id;
}

// Grype's names of the provider and of the distribution, where they are not the distribution's id.
struct ProviderNames {
  std::string_view id;
  std::string_view provider;
  std::string_view distro;
};
constexpr ProviderNames kProviders[] = {
    {"amazon", "amazon", "amazonlinux"},
    {"arch", "archlinux", "archlinux"},
    {"azurelinux", "mariner", "azurelinux"},
    {"oracle", "oracle", "oraclelinux"},
    {"sles", "suse", "sles"},
};

// "debian:distro:debian:12", "wolfi:distro:wolfi:rolling", "github:language:python".
std::string namespace_of(const Sbom& sbom, const Package& package,
                         const MatchedAdvisory& advisory) {
  if (!is_os_package(package.kind)) {
    const std::string provider = advisory.id.starts_with("GHSA-") ? "github" : advisory.source;
    return provider + ":language:" + std::string(peer_names(package.kind).syft_language);
  }
  const Distro distro = package.distro.empty() ? sbom.distro : parse_distro(package.distro);
  const ProviderNames* names = std::ranges::find(kProviders, distro.id, &ProviderNames::id);
  const bool is_named = names != std::end(kProviders);
  const std::string release = feed_release(distro);
  std::string out(is_named ? names->provider : distro.id);
  out += ":distro:";
  out += is_named ? names->distro : distro.id;
  return out + ":" + (release.empty() ? "rolling" : release);
}

// grype/version/format.go: the order that a constraint is of.
std::string_view format_of(PackageKind kind) {
  switch (kind) {
    case PackageKind::kDeb:
      return "deb";
    case PackageKind::kRpm:
      return "rpm";
    case PackageKind::kApk:
      return "apk";
    case PackageKind::kPypi:
      return "python";
    case PackageKind::kMaven:
      return "maven";
    case PackageKind::kGem:
      return "gem";
    case PackageKind::kGo:
      return "go";
    default:
      return "semantic";
  }
}

void write_cvss(JsonWriter& json, const Cvss& cvss) {
  // NVD is the one whose score is primary; its name is its address.
  const bool is_nvd = cvss.source == "nvd";
  json.begin_object().member_if("source", is_nvd ? "nvd@nist.gov" : cvss.source);
  json.member("type", is_nvd ? "Primary" : "Secondary");
  json.member("version", cvss.version).member("vector", cvss.vector);
  json.key("metrics").begin_object().member("baseScore", cvss.score);
  if (const std::optional<CvssHalves> halves = cvss_halves(cvss.vector)) {
    json.member("exploitabilityScore", halves->exploitability);
    json.member("impactScore", halves->impact);
  }
  json.end_object().key("vendorMetadata").begin_object().end_object().end_object();
}

// The part of a vulnerability that its relatives have too.
void write_metadata(JsonWriter& json, const Report& report, const std::string& id,
                    std::string_view name_space, const std::string& page, const Finding& finding) {
  json.member("id", id).member("dataSource", page);
  json.member_if("namespace", name_space);
  json.member("severity", capitalised(to_string(finding.severity)));
  json.key("urls").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (is_web_address(advisory.url)) json.value(advisory.url);
  }
  json.end_array();
  json.key("cvss").begin_array();
  for (const Cvss& cvss : finding.cvss) write_cvss(json, cvss);
  json.end_array();
  if (finding.is_known_exploited) {
    json.key("knownExploited").begin_array().begin_object().member("cve", finding.id);
    json.member_if("dateAdded", format_date(finding.known_exploited_at));
    json.member("knownRansomwareCampaignUse", finding.is_ransomware_known ? "Known" : "Unknown");
    json.end_object().end_array();
  }
  if (finding.epss >= 0) {
    json.key("epss").begin_array().begin_object().member("cve", finding.id);
    json.member("epss", finding.epss);
    json.member("percentile", std::max(finding.epss_percentile, 0.0));
    json.member("date", format_date(report.database.epss_at)).end_object().end_array();
  }
  if (!finding.cwes.empty()) {
    json.key("cwes").begin_array();
    for (const std::string& cwe : finding.cwes) {
      json.begin_object().member("cve", finding.id).member("cwe", cwe).end_object();
    }
    json.end_array();
  }
}

void write_vulnerability(JsonWriter& json, const Report& report, const Finding& finding) {
  const Package& package = report.sbom.packages[finding.package];
  const std::string name_space =
      finding.advisories.empty() ? "" : namespace_of(report.sbom, package, finding.advisories[0]);
  json.key("vulnerability").begin_object();
  write_metadata(json, report, primary_id(package, finding), name_space, page_of(finding), finding);
  json.key("fix").begin_object().key("versions").begin_array();
  for (const std::string& version : finding.fixed_versions) json.value(version);
  json.end_array().member("state", fix_state(finding));
  if (is_fixable(finding) && finding.fixed_at != 0) {
    json.key("available").begin_array().begin_object();
    json.member("version", finding.fixed_versions[0]);
    json.member("date", format_date(finding.fixed_at)).member("kind", "advisory");
    json.end_object().end_array();
  }
  json.end_object();
  json.key("advisories").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (advisory.id == primary_id(package, finding)) continue;
    json.begin_object().member("id", advisory.id).member("link", advisory.url).end_object();
  }
  json.end_array();
  json.member("risk", finding.risk).end_object();
}

// NVD's record of the CVE, then the other names.
void write_related(JsonWriter& json, const Report& report, const Finding& finding) {
  const Package& package = report.sbom.packages[finding.package];
  json.key("relatedVulnerabilities").begin_array();
  if (is_cve(finding.id)) {
    json.begin_object();
    write_metadata(json, report, finding.id, "nvd:cpe",
                   "https://nvd.nist.gov/vuln/detail/" + finding.id, finding);
    json.end_object();
  }
  const std::string primary = primary_id(package, finding);
  for (const std::string& id : finding.aliases) {
    if (id == primary) continue;
    json.begin_object().member("id", id).member("dataSource", "");
    json.key("urls").begin_array().end_array().key("cvss").begin_array().end_array();
    json.end_object();
  }
  json.end_array();
}

void write_match_details(JsonWriter& json, const Report& report, const Finding& finding) {
  const Package& package = report.sbom.packages[finding.package];
  const PeerNames& names = peer_names(package.kind);
  json.key("matchDetails").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    json.begin_object();
    json.member("type", advisory.is_indirect ? "exact-indirect-match" : "exact-direct-match");
    json.member("matcher", names.grype_matcher);
    json.key("searchedBy").begin_object();
    if (is_os_package(package.kind)) {
      json.key("distro").begin_object().member("type", report.sbom.distro.id);
      json.member("version", report.sbom.distro.version).end_object();
    } else {
      json.member("language", names.syft_language);
    }
    json.member("namespace", namespace_of(report.sbom, package, advisory));
    json.key("package").begin_object().member("name", advisory.name_searched);
    json.member("version", advisory.version_compared).end_object().end_object();
    json.key("found").begin_object();
    json.member("versionConstraint",
                advisory.range + " (" + std::string(format_of(package.kind)) + ")");
    json.member("vulnerabilityID", advisory.id).end_object();
    if (is_fixable(finding)) {
      json.key("fix").begin_object();
      json.member("suggestedVersion", finding.fixed_versions[0]).end_object();
    }
    json.end_object();
  }
  json.end_array();
}

// rpm's epoch as a number; null where it has none.
void write_rpm_metadata(JsonWriter& json, const Package& package) {
  json.key("epoch");
  const size_t colon = package.version.find(':');
  const bool has_epoch =
      colon != std::string::npos && colon > 0 && colon < 10 &&
      std::all_of(
          package.version.begin(), package.version.begin() + static_cast<int64_t>(colon),
          [](char c) { return c >= '0' && c <= '9'; });
  if (has_epoch) {
    json.value(static_cast<int64_t>(std::stol(package.version.substr(0, colon))));
  } else {
    json.null();
  }
  json.key("modularityLabel");
  package.module.empty() ? json.null() : json.value(package.module);
  json.member("architecture", package.arch);
}

// Of any type to Grype's readers, who look into what they know by its name: beside what Grype has
// for rpm, our evidence.
void write_package_metadata(JsonWriter& json, const Report& report, const Package& package,
                            const PackageExposure* use) {
  const bool is_rpm = package.kind == PackageKind::kRpm;
  if (!is_rpm && use == nullptr) return;
  json.member("metadataType", is_rpm ? "RpmMetadata" : "VigilMetadata");
  json.key("metadata").begin_object();
  if (is_rpm) write_rpm_metadata(json, package);
  if (use != nullptr) {
    json.key("vigil");
    write_use_in_short(json, *report.exposure, *use);
  }
  json.end_object();
}

void write_artifact(JsonWriter& json, const Report& report, const Finding& finding,
                    const std::string& id) {
  const Sbom& sbom = report.sbom;
  const Package& package = sbom.packages[finding.package];
  const PeerNames& names = peer_names(package.kind);
  json.key("artifact").begin_object().member("id", id);
  json.member("name", package.name).member("version", package.version);
  json.member("type", names.syft_type);
  json.key("locations").begin_array();
  if (!package.location.path.empty()) {
    json.begin_object().member("path", "/" + package.location.path);
    json.member_if("layerID", layer_of(sbom, package));
    json.member("accessPath", "/" + package.location.path).end_object();
  }
  json.end_array().member("language", names.syft_language);
  json.key("licenses").begin_array();
  for (const std::string_view licence : licences_of(package)) json.value(licence);
  json.end_array().key("cpes").begin_array().end_array().member("purl", package.purl);
  json.key("upstreams").begin_array();
  if (!package.source.name.empty()) {
    json.begin_object().member("name", package.source.name);
    if (package.source.version != package.version) {
      json.member_if("version", package.source.version);
    }
    json.end_object();
  }
  json.end_array();
  write_package_metadata(json, report, package, use_of(report, finding));
  json.end_object();
}

void write_image(JsonWriter& json, const Sbom& sbom) {
  const Target& target = sbom.target;
  uint64_t bytes = 0;
  for (const Layer& layer : sbom.layers) bytes += layer.bytes;
  json.begin_object().member("userInput", target.name).member("imageID", target.image_id);
  json.member("manifestDigest", target.manifest_digest).member("mediaType", "");
  json.key("tags").begin_array();
  for (const std::string& tag : target.tags) json.value(tag);
  json.end_array().member("imageSize", bytes).key("layers").begin_array();
  for (const Layer& layer : sbom.layers) {
    json.begin_object().member("mediaType", "");
    json.member("digest", layer.diff_id).member("size", layer.bytes).end_object();
  }
  json.end_array().key("manifest").null().key("config").null();
  json.key("repoDigests").begin_array().end_array();
  json.member("architecture", target.architecture).member("os", target.os).end_object();
}

void write_source(JsonWriter& json, const Sbom& sbom) {
  json.key("source").begin_object();
  switch (sbom.target.kind) {
    case TargetKind::kDockerArchive:
    case TargetKind::kOciArchive:
    case TargetKind::kOciDirectory:
      json.member("type", "image").key("target");
      write_image(json, sbom);
      break;
    case TargetKind::kDirectory:
      json.member("type", "directory").member("target", sbom.target.name);
      break;
    case TargetKind::kSbom:
      json.member("type", "sbom-file").member("target", sbom.target.name);
      break;
    case TargetKind::kPurl:
      json.member("type", "purl").member("target", sbom.target.name);
      break;
  }
  json.end_object();
}

void write_tail(JsonWriter& json, const Report& report) {
  const Distro& distro = report.sbom.distro;
  json.key("distro").begin_object().member("name", distro.id).member("version", distro.version);
  json.key("idLike").begin_array();
  for (const std::string& id : distro.id_like) json.value(id);
  json.end_array().end_object();
  json.key("descriptor").begin_object().member("name", "vigil");
  json.member("version", report.tool_version);
  json.key("db").begin_object().key("status").begin_object();
  json.member("path", report.database.path).member("built", report.database.built);
  json.member("valid", true).end_object().end_object();
  json.member_if("timestamp", format_time(report.created_at)).end_object();
}

void write_match(JsonWriter& json, const Report& report, const Finding& finding,
                 const std::string& artifact_id) {
  write_vulnerability(json, report, finding);
  write_related(json, report, finding);
  write_match_details(json, report, finding);
  write_artifact(json, report, finding, artifact_id);
}

Result<std::string> write_report(const Report& report, const WriteOptions&) {
  const std::vector<std::string> ids = package_ids(report.sbom);
  JsonWriter json;
  json.begin_object().key("matches").begin_array();
  for (const Finding& finding : report.findings) {
    json.begin_object();
    write_match(json, report, finding, ids[finding.package]);
    json.end_object();
  }
  json.end_array();
  if (!report.suppressed.empty()) {
    json.key("ignoredMatches").begin_array();
    for (const Suppressed& one : report.suppressed) {
      json.begin_object();
      write_match(json, report, one.finding, ids[one.finding.package]);
      json.key("appliedIgnoreRules").begin_array().begin_object();
      json.member("vulnerability", one.finding.id).member("reason", one.reason);
      json.member("namespace", "").end_object().end_array();
      json.end_object();
    }
    json.end_array();
  }
  write_source(json, report.sbom);
  write_tail(json, report);
  json.end_object();
  return json.take() + "\n";
}

}  // namespace

extern const Format grype_json_format;
const Format grype_json_format = {.name = "grype-json",
                                  .summary = "as Grype writes it",
                                  .reference = "anchore/grype 0.116",
                                  .write_report = write_report,
                                  .write_sbom = nullptr};

}  // namespace vigil::report
