// SPDX 2.3 JSON. Findings stand as external references of category SECURITY (SPDX 2.3 annex F.2)
// at their packages. Licences are what the package databases say, which need not be SPDX
// expressions: they are referred to (LicenseRef-…) and given in hasExtractedLicensingInfos.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/live_root_text.h"
#include "report/summary.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

constexpr std::string_view kRootId = "SPDXRef-DocumentRoot";
constexpr std::string_view kSystemId = "SPDXRef-OperatingSystem";

std::string tool_of(const Report& report) {
  return "Tool: vigil" + (report.tool_version.empty() ? "" : "-" + report.tool_version);
}

// SPDX demands a date; without one it is the epoch's.
std::string date_of(const Report& report) {
  return report.created_at == 0 ? "1970-01-01T00:00:00Z" : format_time(report.created_at);
}

// Suppliers are one line.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '\n' || c == '\r' ? ' ' : c;
  return out;
}

std::string licence_reference(const std::string& licence) {
  return "LicenseRef-" + document_uuid(licence);
}

std::string_view purpose_of(TargetKind kind) {
  switch (kind) {
    case TargetKind::kDockerArchive:
    case TargetKind::kOciArchive:
    case TargetKind::kOciDirectory:
      return "CONTAINER";
    case TargetKind::kDirectory:
      return "FILE";
    case TargetKind::kSbom:
    case TargetKind::kPurl:
      return "OTHER";
  }
  return "OTHER";
}

void write_annotation(JsonWriter& json, const Report& report, const std::string& comment) {
  json.begin_object().member("annotationDate", date_of(report)).member("annotationType", "OTHER");
  json.member("annotator", tool_of(report)).member("comment", comment).end_object();
}

// "The unique string with no spaces" (SPDX 2.3 §7.21).
bool is_locator(std::string_view text) {
  const auto is_space = [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f; };
  return !text.empty() && std::ranges::none_of(text, is_space);
}

// What every package has.
void begin_package(JsonWriter& json, std::string_view id, const std::string& name,
                   const std::string& version) {
  json.begin_object().member("SPDXID", id).member("name", name.empty() ? "unnamed" : name);
  json.member_if("versionInfo", version);
  json.member("downloadLocation", "NOASSERTION").member("filesAnalyzed", false);
  json.member("licenseConcluded", "NOASSERTION").member("copyrightText", "NOASSERTION");
}

void write_root(JsonWriter& json, const Report& report) {
  const Target& target = report.sbom.target;
  begin_package(json, kRootId, target.name, target.manifest_digest);
  json.member("licenseDeclared", "NOASSERTION");
  json.member("primaryPackagePurpose", purpose_of(target.kind));
  json.key("annotations").begin_array();
  if (!target.image_id.empty()) write_annotation(json, report, "ImageID: " + target.image_id);
  for (const std::string& tag : target.tags) write_annotation(json, report, "RepoTag: " + tag);
  for (const Layer& layer : report.sbom.layers) {
    write_annotation(json, report, "DiffID: " + layer.diff_id);
  }
  for (const Gap& gap : report.sbom.gaps) {
    write_annotation(json, report,
                     fmt::format("Gap: {}: {}: {}", gap.path, to_string(gap.kind), gap.reason));
  }
  for (const std::string& text : left_out_texts(report)) {
    write_annotation(json, report, "Further findings: " + text);
  }
  if (report.exposure) {
    write_annotation(json, report, "Workload: " + report.exposure->workload.id);
    write_annotation(json, report, "Watched: " + coverage_text(*report.exposure));
  }
  if (report.live_root) {
    write_annotation(json, report, "Since start: " + since_start_text(*report.live_root));
    if (const std::string text = image_findings_text(*report.live_root); !text.empty()) {
      write_annotation(json, report, "Image findings: " + text);
    }
    for (const DeletedCode& one : report.live_root->deleted) {
      write_annotation(json, report, "Deleted code: " + deleted_text(one));
    }
  }
  json.end_array().end_object();
}

void write_system(JsonWriter& json, const Distro& distro) {
  if (!distro.is_known()) return;
  begin_package(json, kSystemId, distro.id, distro.version);
  json.member("licenseDeclared", "NOASSERTION");
  json.member("primaryPackagePurpose", "OPERATING_SYSTEM").end_object();
}

void write_external_references(JsonWriter& json, const Report& report, const Package& package,
                               const std::vector<const Finding*>& findings) {
  json.key("externalRefs").begin_array();
  if (is_locator(package.purl)) {
    json.begin_object().member("referenceCategory", "PACKAGE-MANAGER");
    json.member("referenceType", "purl").member("referenceLocator", package.purl).end_object();
  }
  for (const Finding* finding : findings) {
    const std::string page = page_of(*finding);
    if (page.empty()) continue;
    json.begin_object().member("referenceCategory", "SECURITY");
    json.member("referenceType", "advisory").member("referenceLocator", page);
    std::string comment = fmt::format("{}, {}: {}", finding->id, to_string(finding->severity),
                                      advice(package, *finding));
    if (const PackageExposure* use = use_of(report, *finding); use != nullptr) {
      comment += fmt::format("; {}, {}", to_string(use->verdict), use_text(*use));
    }
    json.member("comment", comment);
    json.end_object();
  }
  json.end_array();
}

void write_package(JsonWriter& json, const Report& report, const Package& package,
                   const std::string& id, const std::vector<const Finding*>& findings) {
  begin_package(json, "SPDXRef-Package-" + id, package.name, package.version);
  json.member("licenseDeclared",
              package.licence.empty() ? "NOASSERTION" : licence_reference(package.licence));
  json.member("supplier", package.maintainer.empty()
                              ? "NOASSERTION"
                              : "Organization: " + one_line(package.maintainer));
  if (!package.source.name.empty()) {
    json.member("sourceInfo",
                "built package from: " + package.source.name + " " + package.source.version);
  }
  write_external_references(json, report, package, findings);
  if (const std::string_view layer = layer_of(report.sbom, package); !layer.empty()) {
    json.key("annotations").begin_array();
    write_annotation(json, report, "LayerDiffID: " + std::string(layer));
    json.end_array();
  }
  json.end_object();
}

void write_relationship(JsonWriter& json, std::string_view from, std::string_view type,
                        std::string_view to) {
  json.begin_object().member("spdxElementId", from).member("relationshipType", type);
  json.member("relatedSpdxElement", to).end_object();
}

void write_relationships(JsonWriter& json, const Sbom& sbom, const std::vector<std::string>& ids) {
  json.key("relationships").begin_array();
  write_relationship(json, "SPDXRef-DOCUMENT", "DESCRIBES", kRootId);
  if (sbom.distro.is_known()) write_relationship(json, kRootId, "CONTAINS", kSystemId);
  for (const std::string& id : ids) {
    write_relationship(json, kRootId, "CONTAINS", "SPDXRef-Package-" + id);
  }
  json.end_array();
}

void write_licences(JsonWriter& json, const std::vector<Package>& packages) {
  std::set<std::string> licences;
  for (const Package& package : packages) {
    if (!package.licence.empty()) licences.insert(package.licence);
  }
  if (licences.empty()) return;
  json.key("hasExtractedLicensingInfos").begin_array();
  for (const std::string& licence : licences) {
    json.begin_object().member("licenseId", licence_reference(licence));
    json.member("name", one_line(licence)).member("extractedText", licence).end_object();
  }
  json.end_array();
}

// All but the namespace, which follows from it.
std::string write_body(const Report& report, bool has_findings) {
  const Sbom& sbom = report.sbom;
  const std::vector<std::string> ids = package_ids(sbom);
  std::map<uint32_t, std::vector<const Finding*>> findings;
  if (has_findings) {
    for (const Finding& finding : report.findings) findings[finding.package].push_back(&finding);
  }
  JsonWriter json;
  json.begin_object();
  json.key("creationInfo").begin_object().member("created", date_of(report));
  json.key("creators").begin_array().value(tool_of(report)).end_array().end_object();
  json.key("packages").begin_array();
  write_root(json, report);
  write_system(json, sbom.distro);
  for (uint32_t i = 0; i < sbom.packages.size(); ++i) {
    write_package(json, report, sbom.packages[i], ids[i], findings[i]);
  }
  json.end_array();
  write_licences(json, sbom.packages);
  write_relationships(json, sbom, ids);
  json.end_object();
  return json.take();
}

std::string write_document(const Report& report, bool has_findings) {
  const std::string body = write_body(report, has_findings);
  const std::string& name = report.sbom.target.name;
  JsonWriter head;
  head.begin_object().member("spdxVersion", "SPDX-2.3").member("dataLicense", "CC0-1.0");
  head.member("SPDXID", "SPDXRef-DOCUMENT").member("name", name.empty() ? "unnamed" : name);
  head.member("documentNamespace", "urn:uuid:" + document_uuid(body));
  head.end_object();
  return joined_objects(head.text(), body);
}

Result<std::string> write_report(const Report& report, const WriteOptions&) {
  return write_document(report, true);
}

Result<std::string> write_sbom(const Report& report, const WriteOptions&) {
  return write_document(report, false);
}

}  // namespace

extern const Format spdx_format;
const Format spdx_format = {.name = "spdx",
                            .summary = "SPDX 2.3 JSON, findings as security references",
                            .reference = "SPDX 2.3",
                            .write_report = write_report,
                            .write_sbom = write_sbom};

}  // namespace vigil::report
