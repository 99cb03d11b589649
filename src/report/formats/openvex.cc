// OpenVEX 0.2.0: a statement a finding, and never more than is known. What was seen in use is
// "affected", with the evidence; anything else is "under_investigation": that code was not seen in
// use says that it is less urgent, not that the product is not affected. So the document never says
// "not_affected".
// https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md

#include <set>

#include "base/json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

void write_product(JsonWriter& json, const Package& package, const std::string& id) {
  json.key("products").begin_array().begin_object();
  json.member("@id", package.purl.empty() ? "urn:vigil:package:" + id : package.purl);
  if (!package.purl.empty()) {
    json.key("identifiers").begin_object().member("purl", package.purl).end_object();
  }
  json.end_object().end_array();
}

std::string notes_of(const Report& report, const PackageExposure* use) {
  if (use == nullptr) {
    return "Matched by name and version; whether its code is in use was not watched.";
  }
  const std::string_view said = use->verdict == UseVerdict::kInUse         ? "Seen in use"
                                : use->verdict == UseVerdict::kNotObserved ? "Not seen in use"
                                                                           : "Use not known";
  return std::string(said) + " in workload " + report.exposure->workload.id + ". Watched " +
         coverage_text(*report.exposure) + ".";
}

std::string statement_of(const Report& report, const Finding& finding, const std::string& id) {
  const Package& package = report.sbom.packages[finding.package];
  const PackageExposure* use = use_of(report, finding);
  const bool is_in_use = use != nullptr && use->verdict == UseVerdict::kInUse;
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object().key("vulnerability").begin_object();
  const std::string page = page_of(finding);
  if (is_web_address(page)) json.member("@id", page);
  json.member("name", finding.id);
  if (!finding.aliases.empty()) {
    json.key("aliases").begin_array();
    for (const std::string& alias : finding.aliases) json.value(alias);
    json.end_array();
  }
  json.end_object();
  write_product(json, package, id);
  json.member("status", is_in_use ? "affected" : "under_investigation");
  json.member("status_notes", notes_of(report, use));
  if (use != nullptr) json.member("impact_statement", use_text(*use));
  if (is_in_use) json.member("action_statement", advice(package, finding));
  json.end_object();
  return json.take();
}

Result<std::string> write_report(const Report& report, const WriteOptions&) {
  if (report.findings.empty()) return "";
  const std::vector<std::string> ids = package_ids(report.sbom);
  JsonWriter body;
  body.begin_object().member("author", "vigil").member("role", "vulnerability scanner");
  body.member("timestamp", format_time(report.created_at)).member("version", 1);
  body.member("tooling", "vigil " + report.tool_version);
  body.key("statements").begin_array();
  std::set<std::string> written;  // Two packages of one purl would say the same.
  for (const Finding& finding : report.findings) {
    const std::string statement = statement_of(report, finding, ids[finding.package]);
    if (written.insert(statement).second) body.raw(statement);
  }
  body.end_array().end_object();
  const std::string text = body.take();
  JsonWriter head;
  head.begin_object().member("@context", "https://openvex.dev/ns/v0.2.0");
  head.member("@id", "urn:uuid:" + document_uuid(text)).end_object();
  return joined_objects(head.text(), text);
}

}  // namespace

extern const Format openvex_format;
const Format openvex_format = {
    .name = "openvex",
    .summary = "OpenVEX 0.2.0: affected where seen in use, with proof",
    .reference = "OpenVEX 0.2.0",
    .write_report = write_report,
    .write_sbom = nullptr,
    .why_empty = "no finding, and a document of OpenVEX has a statement or more"};

}  // namespace vigil::report
