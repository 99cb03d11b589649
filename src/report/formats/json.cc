// vigil's own JSON: everything a Report holds. docs/formats.md has the fields, and
// docs/schema/report-1.schema.json the schema; report/report_reader.h reads it back. What is not
// known is left out.

#include "base/json.h"
#include "report/exposure_json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/live_root_json.h"
#include "report/report_reader.h"
#include "report/summary.h"

namespace vigil::report {

namespace {

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_texts_if(JsonWriter& json, std::string_view name,
                    const std::vector<std::string>& texts) {
  if (!texts.empty()) write_texts(json, name, texts);
}

void write_target(JsonWriter& json, const Target& target) {
  json.key("target").begin_object();
  json.member("kind", to_string(target.kind)).member("name", target.name);
  json.member_if("image_id", target.image_id);
  json.member_if("manifest_digest", target.manifest_digest);
  write_texts_if(json, "tags", target.tags);
  json.member_if("os", target.os);
  json.member_if("architecture", target.architecture);
  json.member_if("variant", target.variant);
  json.member_if("created", target.created);
  json.end_object();
}

void write_distro(JsonWriter& json, const Distro& distro) {
  json.key("distro").begin_object();
  json.member_if("id", distro.id);
  json.member_if("version", distro.version);
  json.member_if("codename", distro.codename);
  json.member_if("pretty_name", distro.pretty_name);
  write_texts_if(json, "id_like", distro.id_like);
  json.member_if("support_ends_at", format_date(distro.support_ends_at));
  json.end_object();
}

void write_layers(JsonWriter& json, const std::vector<Layer>& layers) {
  json.key("layers").begin_array();
  for (const Layer& layer : layers) {
    json.begin_object();
    json.member_if("digest", layer.digest);
    json.member_if("diff_id", layer.diff_id);
    json.member_if("created_by", layer.created_by);
    json.member("bytes", layer.bytes).member("is_verified", layer.is_verified);
    json.end_object();
  }
  json.end_array();
}

void write_package(JsonWriter& json, const Package& package, const PackageVerdict* verdict,
                   const PackageExposure* use) {
  json.begin_object();
  json.member("type", purl_type(package.kind)).member("name", package.name);
  json.member_if("version", package.version);
  json.member_if("arch", package.arch);
  if (package.source != SourcePackage{}) {
    json.key("source").begin_object();
    json.member("name", package.source.name).member_if("version", package.source.version);
    json.end_object();
  }
  json.member_if("maintainer", package.maintainer);
  json.member_if("licence", package.licence);
  json.member_if("module", package.module);
  json.member_if("origin", package.origin);
  json.member_if("installed_at", format_time(package.installed_at));
  if (package.install_order >= 0) json.member("install_order", package.install_order);
  if (package.location != Location{}) {
    json.key("location").begin_object().member_if("path", package.location.path);
    if (package.location.layer >= 0) json.member("layer", package.location.layer);
    json.end_object();
  }
  json.member_if("purl", package.purl);
  json.member_if("distro", package.distro);
  json.member_if("bom_ref", package.bom_ref);
  if (use != nullptr) write_use(json, *use);
  if (verdict != nullptr) {
    // Whether it was seen in use is the verdict where that is what the document tells.
    json.key(use == nullptr ? "verdict" : "checked").begin_object();
    json.member("state", to_string(verdict->state)).member_if("reason", verdict->reason);
    json.end_object();
  }
  json.end_object();
}

void write_packages(JsonWriter& json, const Report& report) {
  json.key("packages").begin_array();
  for (size_t i = 0; i < report.sbom.packages.size(); ++i) {
    const PackageVerdict* verdict = i < report.verdicts.size() ? &report.verdicts[i] : nullptr;
    const PackageExposure* use = report.exposure && i < report.exposure->packages.size()
                                     ? &report.exposure->packages[i]
                                     : nullptr;
    write_package(json, report.sbom.packages[i], verdict, use);
  }
  json.end_array();
}

void write_gaps(JsonWriter& json, const std::vector<Gap>& gaps) {
  json.key("gaps").begin_array();
  for (const Gap& gap : gaps) {
    json.begin_object().member("kind", to_string(gap.kind));
    json.member_if("path", gap.path);
    json.member("reason", gap.reason).member_if("limit", gap.limit);
    json.end_object();
  }
  json.end_array();
}

void write_files(JsonWriter& json, const std::vector<OwnedFile>& files) {
  json.key("files").begin_array();
  for (const OwnedFile& file : files) {
    json.begin_object().member("package", file.package).member("path", file.path);
    json.member_if("digest", file.digest);
    write_texts_if(json, "aliases", file.aliases);
    json.end_object();
  }
  json.end_array();
}

void write_database(JsonWriter& json, const DatabaseUse& database) {
  json.key("database").begin_object();
  json.member("path", database.path).member("is_starter", database.is_starter);
  json.member("is_signed", database.is_signed).member_if("signer", database.signer);
  json.member("serial", database.serial).member_if("built", database.built);
  json.member_if("notice", database.notice);
  json.member_if("oldest_source_at", format_time(database.oldest_source_at));
  json.member_if("epss_date", format_date(database.epss_at));
  json.key("shards").begin_array();
  for (const ShardUse& shard : database.shards) {
    json.begin_object().member("name", shard.name);
    json.member_if("source_date", shard.source_date);
    json.member_if("coverage", shard.coverage);
    json.member_if("digest", shard.digest);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_advisory(JsonWriter& json, const MatchedAdvisory& advisory) {
  json.begin_object().member("id", advisory.id).member("source", advisory.source);
  json.member_if("shard", advisory.shard);
  json.member_if("name_searched", advisory.name_searched);
  json.member_if("version_compared", advisory.version_compared);
  json.member("is_indirect", advisory.is_indirect);
  json.member_if("range", advisory.range);
  json.member_if("scheme", advisory.scheme);
  json.member_if("url", advisory.url);
  json.end_object();
}

void write_severity(JsonWriter& json, const Finding& finding) {
  json.member("severity", to_string(finding.severity));
  json.member_if("severity_source", finding.severity_source);
  json.member_if("vendor_severity", finding.vendor_severity);
  json.key("cvss").begin_array();
  for (const Cvss& cvss : finding.cvss) {
    json.begin_object().member("version", cvss.version).member("vector", cvss.vector);
    json.member("score", cvss.score).member_if("source", cvss.source);
    json.end_object();
  }
  json.end_array();
}

void write_threat(JsonWriter& json, const Finding& finding) {
  json.member("risk", finding.risk);
  if (finding.epss >= 0) json.member("epss", finding.epss);
  if (finding.epss_percentile >= 0) json.member("epss_percentile", finding.epss_percentile);
  json.member("is_known_exploited", finding.is_known_exploited);
  json.member_if("known_exploited_at", format_time(finding.known_exploited_at));
  json.member("is_ransomware_known", finding.is_ransomware_known);
}

void write_members(JsonWriter& json, const Report& report, const Finding& finding) {
  const Package& package = report.sbom.packages[finding.package];
  json.member("id", finding.id).member_if("fingerprint", finding.fingerprint);
  // Index into packages[]; the rest is there for the reader's comfort.
  json.key("package").begin_object().member("index", finding.package);
  json.member("name", package.name).member_if("version", package.version);
  json.member_if("purl", package.purl).end_object();
  if (const PackageExposure* use = use_of(report, finding); use != nullptr) {
    json.key("use").begin_object().member("verdict", to_string(use->verdict));
    json.member("tier", to_string(use->tier)).end_object();
  }
  if (finding.notice != NoticeKind::kNone) json.member("notice", to_string(finding.notice));
  write_severity(json, finding);
  write_threat(json, finding);
  json.key("fix").begin_object().member("state", to_string(finding.state));
  write_texts(json, "versions", finding.fixed_versions);
  json.member_if("available_at", format_time(finding.fixed_at));
  json.member_if("channel", finding.fix_channel).end_object();
  json.key("advisories").begin_array();
  for (const MatchedAdvisory& advisory : finding.advisories) write_advisory(json, advisory);
  json.end_array();
  write_texts(json, "aliases", finding.aliases);
  write_texts(json, "cwes", finding.cwes);
  json.member_if("published_at", format_time(finding.published_at));
  json.member_if("modified_at", format_time(finding.modified_at));
}

void write_suppressed(JsonWriter& json, const Report& report) {
  json.key("suppressed").begin_array();
  for (const Suppressed& one : report.suppressed) {
    json.begin_object();
    write_members(json, report, one.finding);
    json.key("suppression").begin_object().member("rule", one.rule);
    json.member_if("reason", one.reason);
    json.member_if("expires_at", format_time(one.expires_at)).end_object();
    json.end_object();
  }
  json.end_array();
}

void write_findings(JsonWriter& json, std::string_view name, const Report& report,
                    const std::vector<Finding>& findings) {
  json.key(name).begin_array();
  for (const Finding& finding : findings) {
    json.begin_object();
    write_members(json, report, finding);
    json.end_object();
  }
  json.end_array();
}

void write_summary(JsonWriter& json, const Report& report) {
  const Summary summary = summarize(report);
  json.key("summary").begin_object();
  json.key("packages").begin_object();
  for (size_t i = 0; i < summary.packages_count.size(); ++i) {
    json.member(to_string(static_cast<PackageState>(i)), summary.packages_count[i]);
  }
  json.end_object();
  json.key("findings").begin_object();
  for (size_t i = summary.findings_count.size(); i-- > 0;) {
    json.member(to_string(static_cast<Severity>(i)), summary.findings_count[i]);
  }
  json.end_object();
  json.member("fixable", summary.fixable_count);
  json.member("known_exploited", summary.known_exploited_count);
  json.member("notices", report.notices.size()).member("gaps", report.sbom.gaps.size());
  json.member("suppressed", report.suppressed.size());
  json.member("not_shown", report.not_shown_count);
  json.end_object();
}

void write_head(JsonWriter& json, const Report& report, std::string_view kind) {
  json.member("schema", kReportSchema).member("kind", kind);
  json.key("tool").begin_object().member("name", "vigil");
  json.member_if("version", report.tool_version).end_object();
  json.member_if("created_at", format_time(report.created_at));
  write_target(json, report.sbom.target);
  write_distro(json, report.sbom.distro);
}

Result<std::string> write_report(const Report& report, const WriteOptions& options) {
  JsonWriter json;
  json.begin_object();
  write_head(json, report, report.exposure ? "exposure" : "report");
  if (report.exposure) write_exposure(json, report);
  if (report.live_root) write_live_root(json, report);
  json.member_if("end_of_life", report.end_of_life);
  write_summary(json, report);
  write_database(json, report.database);
  write_findings(json, "findings", report, report.findings);
  write_findings(json, "notices", report, report.notices);
  write_suppressed(json, report);
  write_gaps(json, report.sbom.gaps);
  write_layers(json, report.sbom.layers);
  write_packages(json, report);
  if (options.with_files) write_files(json, report.files);
  json.end_object();
  return json.take() + "\n";
}

Result<std::string> write_sbom(const Report& report, const WriteOptions& options) {
  JsonWriter json;
  json.begin_object();
  write_head(json, report, "sbom");
  write_gaps(json, report.sbom.gaps);
  write_layers(json, report.sbom.layers);
  write_packages(json, report);
  if (options.with_files) write_files(json, report.files);
  json.end_object();
  return json.take() + "\n";
}

}  // namespace

extern const Format json_format;
const Format json_format = {.name = "json",
                            .summary = "everything, in vigil's own schema",
                            .reference = "docs/schema/report-1.schema.json",
                            .write_report = write_report,
                            .write_sbom = write_sbom};

}  // namespace vigil::report
