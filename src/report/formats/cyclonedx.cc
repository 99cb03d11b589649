// CycloneDX 1.6 JSON (ECMA-424), with the vulnerabilities where there are any. What CycloneDX has
// no member for stands in properties: those that Trivy and Syft write by their names, so that they
// and sbom_reader understand them; ours begin with "vigil:".

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/live_root_text.h"
#include "report/peer_names.h"
#include "report/summary.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

void write_property(JsonWriter& json, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  json.begin_object().member("name", name).member("value", value).end_object();
}

std::string_view component_type(TargetKind kind) {
  switch (kind) {
    case TargetKind::kDockerArchive:
    case TargetKind::kOciArchive:
    case TargetKind::kOciDirectory:
      return "container";
    case TargetKind::kDirectory:
      return "file";
    case TargetKind::kSbom:
    case TargetKind::kPurl:
      return "application";
  }
  return "application";
}

void write_target(JsonWriter& json, const Sbom& sbom) {
  const Target& target = sbom.target;
  json.key("component").begin_object().member("bom-ref", "target");
  json.member("type", component_type(target.kind)).member("name", target.name);
  json.member_if("version", target.manifest_digest);
  json.key("properties").begin_array();
  write_property(json, "aquasecurity:trivy:ImageID", target.image_id);
  for (const std::string& tag : target.tags) {
    write_property(json, "aquasecurity:trivy:RepoTag", tag);
  }
  for (const Layer& layer : sbom.layers) {
    write_property(json, "aquasecurity:trivy:DiffID", layer.diff_id);
  }
  json.end_array().end_object();
}

void write_metadata(JsonWriter& json, const Report& report) {
  json.key("metadata").begin_object();
  json.member_if("timestamp", format_time(report.created_at));
  json.key("tools").begin_object().key("components").begin_array().begin_object();
  json.member("type", "application").member("name", "vigil");
  json.member_if("version", report.tool_version).end_object().end_array().end_object();
  write_target(json, report.sbom);
  json.key("properties").begin_array();
  for (const Gap& gap : report.sbom.gaps) {
    write_property(json, "vigil:gap",
                   fmt::format("{}: {}: {}", gap.path, to_string(gap.kind), gap.reason));
  }
  write_property(json, "vigil:database:notice", report.database.notice);
  write_property(json, "vigil:endOfLife", report.end_of_life);
  for (const std::string& text : left_out_texts(report)) {
    write_property(json, "vigil:furtherFindings", text);
  }
  if (report.exposure) {
    write_property(json, "vigil:workload", report.exposure->workload.id);
    write_property(json, "vigil:watched", coverage_text(*report.exposure));
  }
  if (report.live_root) {
    write_property(json, "vigil:workload", report.live_root->workload.id);
    write_property(json, "vigil:sinceStart", since_start_text(*report.live_root));
    write_property(json, "vigil:imageFindings", image_findings_text(*report.live_root));
    for (const DeletedCode& one : report.live_root->deleted) {
      write_property(json, "vigil:deletedCode", deleted_text(one));
    }
  }
  json.end_array().end_object();
}

void write_operating_system(JsonWriter& json, const Distro& distro) {
  if (!distro.is_known()) return;
  json.begin_object().member("bom-ref", "operating-system").member("type", "operating-system");
  json.member("name", distro.id).member_if("version", distro.version);
  json.member_if("description", distro.pretty_name);
  json.key("properties").begin_array();
  write_property(json, "syft:distro:prettyName", distro.pretty_name);
  write_property(json, "syft:distro:versionCodename", distro.codename);
  json.end_array().end_object();
}

void write_component(JsonWriter& json, const Sbom& sbom, const Package& package,
                     const std::string& id, const PackageVerdict* verdict) {
  json.begin_object().member("bom-ref", id).member("type", "library");
  if (!package.maintainer.empty()) json.member("publisher", package.maintainer);
  json.member("name", package.name).member_if("version", package.version);
  if (!package.licence.empty()) {
    json.key("licenses").begin_array();
    for (const std::string_view licence : licences_of(package)) {
      json.begin_object().key("license").begin_object();
      json.member("name", licence).end_object().end_object();
    }
    json.end_array();
  }
  json.member_if("purl", package.purl);
  json.key("properties").begin_array();
  write_property(json, "syft:package:type", peer_names(package.kind).syft_type);
  if (!package.location.path.empty()) {
    write_property(json, "syft:location:0:path", "/" + package.location.path);
  }
  write_property(json, "syft:location:0:layerID", layer_of(sbom, package));
  write_property(json, "syft:metadata:source", package.source.name);
  write_property(json, "syft:metadata:sourceVersion", package.source.version);
  write_property(json, "syft:metadata:modularityLabel", package.module);
  if (verdict != nullptr) {
    write_property(json, "vigil:verdict", to_string(verdict->state));
    write_property(json, "vigil:verdict:reason", verdict->reason);
  }
  json.end_array().end_object();
}

// CycloneDX has "info" where we say negligible.
std::string_view severity_word(Severity severity) {
  return severity == Severity::kNegligible ? "info" : to_string(severity);
}

std::string_view method_of(const Cvss& cvss) {
  if (cvss.version == "2.0") return "CVSSv2";
  if (cvss.version == "3.0") return "CVSSv3";
  if (cvss.version == "3.1") return "CVSSv31";
  return cvss.version == "4.0" ? "CVSSv4" : "other";
}

void write_ratings(JsonWriter& json, const Finding& finding) {
  json.key("ratings").begin_array().begin_object();
  if (!finding.severity_source.empty()) {
    json.key("source").begin_object().member("name", finding.severity_source).end_object();
  }
  json.member("severity", severity_word(finding.severity)).member("method", "other");
  json.member_if("justification", finding.vendor_severity).end_object();
  for (const Cvss& cvss : finding.cvss) {
    json.begin_object();
    if (!cvss.source.empty()) {
      json.key("source").begin_object().member("name", cvss.source).end_object();
    }
    json.member("score", cvss.score).member("severity", severity_word(severity_of(cvss)));
    json.member("method", method_of(cvss)).member("vector", cvss.vector).end_object();
  }
  if (finding.epss >= 0) {
    json.begin_object().key("source").begin_object().member("name", "EPSS");
    json.member("url", "https://www.first.org/epss").end_object();
    json.member("score", finding.epss).member("method", "other").end_object();
  }
  json.end_array();
}

// Numbers alone: "CWE-79" is 79.
void write_cwes(JsonWriter& json, const std::vector<std::string>& cwes) {
  std::vector<uint64_t> numbers;
  for (const std::string& cwe : cwes) {
    uint32_t number = 0;
    if (!cwe.starts_with("CWE-")) continue;
    const char* end = cwe.data() + cwe.size();
    const auto parsed = std::from_chars(cwe.data() + 4, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number > 0) numbers.push_back(number);
  }
  if (numbers.empty()) return;
  json.key("cwes").begin_array();
  for (const uint64_t number : numbers) json.value(number);
  json.end_array();
}

void write_vulnerability_properties(JsonWriter& json, const Finding& finding,
                                    const PackageExposure* use) {
  json.key("properties").begin_array();
  write_property(json, "vigil:fingerprint", finding.fingerprint);
  write_property(json, "vigil:fix:state", to_string(finding.state));
  write_property(json, "vigil:risk", fmt::format("{}", finding.risk));
  if (finding.epss_percentile >= 0) {
    write_property(json, "vigil:epss:percentile", fmt::format("{}", finding.epss_percentile));
  }
  if (finding.is_known_exploited) write_property(json, "vigil:kev", "true");
  if (finding.is_ransomware_known) write_property(json, "vigil:kev:ransomware", "true");
  write_property(json, "vigil:notice", to_string(finding.notice));
  if (use != nullptr) {
    write_property(json, "vigil:use:verdict", to_string(use->verdict));
    write_property(json, "vigil:use:tier", to_string(use->tier));
    write_property(json, "vigil:use:facets", facets_text(use->facets));
  }
  json.end_array();
}

// What is known beyond the match: that a rule set the finding aside, or whether the code was seen
// in use. In use is the one thing that says "exploitable"; what was not seen in use may be so
// tomorrow.
void write_analysis(JsonWriter& json, const Suppressed* suppression, const PackageExposure* use) {
  if (suppression == nullptr && use == nullptr) return;
  json.key("analysis").begin_object();
  if (suppression != nullptr) {
    json.member("detail", suppression->reason.empty()
                              ? "Set aside by " + suppression->rule
                              : suppression->reason + " (" + suppression->rule + ")");
    json.key("response").begin_array().value("will_not_fix").end_array().end_object();
    return;
  }
  json.member("state", use->verdict == UseVerdict::kInUse ? "exploitable" : "in_triage");
  json.member("detail", std::string(to_string(use->verdict)) + ": " + use_text(*use)).end_object();
}

// `suppression`: what set the finding aside; null where nothing did. A rule says why it may be
// ignored and not that it does no harm, so that the analysis has no state.
void write_vulnerability(JsonWriter& json, const Report& report, const Finding& finding,
                         const std::vector<std::string>& ids, const Suppressed* suppression) {
  const Package& package = report.sbom.packages[finding.package];
  json.begin_object().member("id", finding.id);
  if (!finding.advisories.empty()) {
    json.key("source").begin_object().member("name", finding.advisories[0].source);
    if (const std::string page = page_of(finding); !page.empty()) json.member("url", page);
    json.end_object();
  }
  if (!finding.aliases.empty()) {
    json.key("references").begin_array();
    for (const std::string& alias : finding.aliases) {
      json.begin_object().member("id", alias).key("source").begin_object();
      json.member("name", alias.substr(0, alias.find('-'))).end_object().end_object();
    }
    json.end_array();
  }
  write_ratings(json, finding);
  write_cwes(json, finding.cwes);
  json.member("recommendation", advice(package, finding));
  json.key("advisories").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) {
    if (!is_web_address(advisory.url)) continue;
    json.begin_object().member("title", advisory.id).member("url", advisory.url).end_object();
  }
  json.end_array();
  json.member_if("published", format_time(finding.published_at));
  json.member_if("updated", format_time(finding.modified_at));
  write_analysis(json, suppression, use_of(report, finding));
  json.key("affects").begin_array().begin_object().member("ref", ids[finding.package]);
  json.key("versions").begin_array().begin_object().member("version", package.version);
  json.member("status", "affected").end_object().end_array().end_object().end_array();
  write_vulnerability_properties(json, finding, use_of(report, finding));
  json.end_object();
}

// All but the serial number, which follows from it.
std::string write_body(const Report& report, bool has_findings, const WriteOptions& options) {
  const Sbom& sbom = report.sbom;
  const std::vector<std::string> ids = package_ids(sbom);
  JsonWriter json;
  json.begin_object();
  write_metadata(json, report);
  json.key("components").begin_array();
  write_operating_system(json, sbom.distro);
  for (size_t i = 0; i < sbom.packages.size(); ++i) {
    const bool has_verdict = has_findings && i < report.verdicts.size();
    write_component(json, sbom, sbom.packages[i], ids[i],
                    has_verdict ? &report.verdicts[i] : nullptr);
  }
  json.end_array();
  // What could not be read may hold further packages.
  json.key("compositions").begin_array().begin_object();
  json.member("aggregate", sbom.gaps.empty() ? "unknown" : "incomplete");
  json.key("assemblies").begin_array().value("target").end_array().end_object().end_array();
  if (has_findings) {
    json.key("vulnerabilities").begin_array();
    for (const std::vector<Finding>* list : {&report.findings, &report.notices}) {
      for (const Finding& finding : *list) {
        write_vulnerability(json, report, finding, ids, nullptr);
      }
    }
    if (options.shows_suppressed) {
      for (const Suppressed& one : report.suppressed) {
        write_vulnerability(json, report, one.finding, ids, &one);
      }
    }
    json.end_array();
  }
  json.end_object();
  return json.take();
}

std::string write_document(const Report& report, bool has_findings, const WriteOptions& options) {
  const std::string body = write_body(report, has_findings, options);
  JsonWriter head;
  head.begin_object().member("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
  head.member("bomFormat", "CycloneDX").member("specVersion", "1.6");
  head.member("serialNumber", "urn:uuid:" + document_uuid(body)).member("version", 1);
  head.end_object();
  return joined_objects(head.text(), body);
}

Result<std::string> write_report(const Report& report, const WriteOptions& options) {
  return write_document(report, true, options);
}

Result<std::string> write_sbom(const Report& report, const WriteOptions& options) {
  return write_document(report, false, options);
}

}  // namespace

extern const Format cyclonedx_format;
const Format cyclonedx_format = {.name = "cyclonedx",
                                 .summary = "CycloneDX 1.6 JSON, with vulnerabilities",
                                 .reference = "ECMA-424",
                                 .write_report = write_report,
                                 .write_sbom = write_sbom};

}  // namespace vigil::report
