#include "report/report_reader.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "report/exposure_json.h"
#include "report/json_values.h"
#include "report/live_root_json.h"
#include "report/sbom_reader.h"

namespace vigil::report {

namespace {

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

UnixSeconds time_of(JsonView view) {
  return parse_time_or_zero(view.text());
}

// An index below `count`.
Result<uint32_t> read_index(JsonView view, std::string_view name, size_t count) {
  const int64_t index = view.integer(-1);
  if (index < 0 || static_cast<uint64_t>(index) >= count) {
    return malformed(std::string(name) + " is no index of the document");
  }
  return static_cast<uint32_t>(index);
}

Result<Target> read_target(JsonView view) {
  Target target;
  target.kind = TRY(read_word(view["kind"], "target.kind", TargetKind::kPurl));
  target.name = text_of(view["name"]);
  target.image_id = text_of(view["image_id"]);
  target.manifest_digest = text_of(view["manifest_digest"]);
  target.tags = texts_of(view["tags"]);
  target.os = text_of(view["os"]);
  target.architecture = text_of(view["architecture"]);
  target.variant = text_of(view["variant"]);
  target.created = text_of(view["created"]);
  return target;
}

Distro read_distro(JsonView view) {
  Distro distro;
  distro.id = text_of(view["id"]);
  distro.version = text_of(view["version"]);
  distro.codename = text_of(view["codename"]);
  distro.pretty_name = text_of(view["pretty_name"]);
  distro.id_like = texts_of(view["id_like"]);
  distro.support_ends_at = parse_time_or_zero(text_of(view["support_ends_at"]));
  return distro;
}

Layer read_layer(JsonView view) {
  Layer layer;
  layer.digest = text_of(view["digest"]);
  layer.diff_id = text_of(view["diff_id"]);
  layer.created_by = text_of(view["created_by"]);
  layer.bytes = count_of(view["bytes"]);
  layer.is_verified = view["is_verified"].boolean();
  return layer;
}

Result<Package> read_package(JsonView view, size_t layers_count) {
  Package package;
  package.kind = package_kind(view["type"].text());
  package.name = text_of(view["name"]);
  package.version = text_of(view["version"]);
  package.arch = text_of(view["arch"]);
  package.source.name = text_of(view["source"]["name"]);
  package.source.version = text_of(view["source"]["version"]);
  package.maintainer = text_of(view["maintainer"]);
  package.licence = text_of(view["licence"]);
  package.module = text_of(view["module"]);
  package.origin = text_of(view["origin"]);
  package.installed_at = time_of(view["installed_at"]);
  if (view["install_order"]) {
    package.install_order = static_cast<int32_t>(
        TRY(read_index(view["install_order"], "install_order", limits::kPackagesMax)));
  }
  const JsonView location = view["location"];
  package.location.path = text_of(location["path"]);
  if (location["layer"]) {
    package.location.layer =
        static_cast<int32_t>(TRY(read_index(location["layer"], "location.layer", layers_count)));
  }
  package.purl = text_of(view["purl"]);
  package.distro = text_of(view["distro"]);
  package.bom_ref = text_of(view["bom_ref"]);
  return package;
}

Result<PackageVerdict> read_verdict(JsonView view) {
  PackageVerdict verdict;
  verdict.state = TRY(read_word(view["state"], "verdict.state", PackageState::kNotCheckable));
  verdict.reason = text_of(view["reason"]);
  return verdict;
}

Result<Gap> read_gap(JsonView view) {
  Gap gap;
  gap.kind = TRY(read_word(view["kind"], "kind", GapKind::kUnverified));
  gap.path = text_of(view["path"]);
  gap.reason = text_of(view["reason"]);
  gap.limit = text_of(view["limit"]);
  return gap;
}

Result<OwnedFile> read_file(JsonView view, size_t packages_count) {
  OwnedFile file;
  file.package = TRY(read_index(view["package"], "package", packages_count));
  file.path = text_of(view["path"]);
  file.digest = text_of(view["digest"]);
  file.aliases = texts_of(view["aliases"]);
  return file;
}

DatabaseUse read_database(JsonView view) {
  DatabaseUse database;
  database.path = text_of(view["path"]);
  database.is_starter = view["is_starter"].boolean();
  database.is_signed = view["is_signed"].boolean();
  database.signer = text_of(view["signer"]);
  database.serial = count_of(view["serial"]);
  database.built = text_of(view["built"]);
  database.notice = text_of(view["notice"]);
  database.oldest_source_at = time_of(view["oldest_source_at"]);
  database.epss_at = parse_time_or_zero(text_of(view["epss_date"]));
  view["shards"].each([&](JsonView one) {
    ShardUse shard;
    shard.name = text_of(one["name"]);
    shard.source_date = text_of(one["source_date"]);
    shard.coverage = text_of(one["coverage"]);
    shard.digest = text_of(one["digest"]);
    database.shards.push_back(std::move(shard));
  });
  return database;
}

MatchedAdvisory read_advisory(JsonView view) {
  MatchedAdvisory advisory;
  advisory.id = text_of(view["id"]);
  advisory.source = text_of(view["source"]);
  advisory.shard = text_of(view["shard"]);
  advisory.name_searched = text_of(view["name_searched"]);
  advisory.version_compared = text_of(view["version_compared"]);
  advisory.is_indirect = view["is_indirect"].boolean();
  advisory.range = text_of(view["range"]);
  advisory.scheme = text_of(view["scheme"]);
  advisory.url = text_of(view["url"]);
  return advisory;
}

Result<Finding> read_finding(JsonView view, size_t packages_count) {
  Finding finding;
  finding.id = text_of(view["id"]);
  finding.fingerprint = text_of(view["fingerprint"]);
  finding.package = TRY(read_index(view["package"]["index"], "package.index", packages_count));
  if (view["notice"]) {
    finding.notice = TRY(read_word(view["notice"], "notice", NoticeKind::kNotice));
  }
  finding.severity = TRY(read_word(view["severity"], "severity", Severity::kCritical));
  finding.severity_source = text_of(view["severity_source"]);
  finding.vendor_severity = text_of(view["vendor_severity"]);
  view["cvss"].each([&](JsonView one) {
    finding.cvss.push_back({.vector = text_of(one["vector"]),
                            .version = text_of(one["version"]),
                            .score = one["score"].number(),
                            .source = text_of(one["source"])});
  });
  finding.risk = view["risk"].number();
  finding.epss = view["epss"].number(-1);
  finding.epss_percentile = view["epss_percentile"].number(-1);
  finding.is_known_exploited = view["is_known_exploited"].boolean();
  finding.known_exploited_at = time_of(view["known_exploited_at"]);
  finding.is_ransomware_known = view["is_ransomware_known"].boolean();
  const JsonView fix = view["fix"];
  finding.state = TRY(read_word(fix["state"], "fix.state", FixState::kUnderInvestigation));
  finding.fixed_versions = texts_of(fix["versions"]);
  finding.fixed_at = time_of(fix["available_at"]);
  finding.fix_channel = text_of(fix["channel"]);
  view["advisories"].each([&](JsonView one) { finding.advisories.push_back(read_advisory(one)); });
  finding.aliases = texts_of(view["aliases"]);
  finding.cwes = texts_of(view["cwes"]);
  finding.published_at = time_of(view["published_at"]);
  finding.modified_at = time_of(view["modified_at"]);
  return finding;
}

Result<Suppressed> read_suppressed(JsonView view, size_t packages_count) {
  const JsonView suppression = view["suppression"];
  return Suppressed{.finding = TRY(read_finding(view, packages_count)),
                    .rule = text_of(suppression["rule"]),
                    .reason = text_of(suppression["reason"]),
                    .expires_at = time_of(suppression["expires_at"])};
}

Result<Sbom> read_inventory(JsonView root) {
  Sbom sbom;
  sbom.target = TRY(read_target(root["target"]));
  sbom.distro = read_distro(root["distro"]);
  root["layers"].each([&](JsonView one) { sbom.layers.push_back(read_layer(one)); });
  if (root["packages"].size() > limits::kPackagesMax) {
    return fail(ErrorCode::kTooLarge, "a report of more than kPackagesMax packages");
  }
  sbom.packages = TRY(read_each<Package>(root["packages"], "packages", [&](JsonView one) {
    return read_package(one, sbom.layers.size());
  }));
  sbom.gaps = TRY(read_each<Gap>(root["gaps"], "gaps", read_gap));
  return sbom;
}

bool is_inventory(JsonView root) {
  return root["kind"].text() == "sbom";
}

}  // namespace

bool is_report(JsonView root) {
  return root["schema"].text().starts_with("vigil/");
}

Result<Report> read_report(std::string_view text) {
  if (text.size() > limits::kDocumentBytesMax) {
    return fail(ErrorCode::kTooLarge, "a report past kDocumentBytesMax");
  }
  JsonDocument document;
  return report_of_json(TRY(document.parse(text)));
}

Result<Document> read_document(std::string_view text) {
  JsonDocument json;
  const Result<JsonView> root = json.parse(text);
  Document document;
  if (root && is_report(*root)) {
    document.is_inventory = is_inventory(*root);
    document.report = TRY(report_of_json(*root));
  } else {
    document.is_inventory = true;
    document.report.sbom = TRY(read_sbom(text));
  }
  return document;
}

Result<Report> report_of_json(JsonView root) {
  if (!is_report(root)) return malformed("not a JSON report of vigil");
  const std::string_view schema = root["schema"].text();
  if (schema != kReportSchema) {
    return fail(ErrorCode::kUnsupported, "a report of schema " + std::string(schema) +
                                             "; this program reads " + std::string(kReportSchema));
  }
  Report report;
  report.tool_version = text_of(root["tool"]["version"]);
  report.created_at = time_of(root["created_at"]);
  report.sbom = TRY(read_inventory(root));
  const size_t packages_count = report.sbom.packages.size();
  report.files = TRY(read_each<OwnedFile>(
      root["files"], "files", [&](JsonView one) { return read_file(one, packages_count); }));
  if (is_inventory(root)) return report;
  const bool is_exposure = root["kind"].text() == "exposure";
  report.end_of_life = text_of(root["end_of_life"]);
  report.database = read_database(root["database"]);
  report.verdicts = TRY(read_each<PackageVerdict>(root["packages"], "packages", [&](JsonView one) {
    return read_verdict(one[is_exposure ? "checked" : "verdict"]);
  }));
  if (is_exposure) report.exposure = TRY(read_exposure(root));
  if (root["live_root"]) report.live_root = TRY(read_live_root(root["live_root"], packages_count));
  const auto finding_of = [&](JsonView one) { return read_finding(one, packages_count); };
  report.findings = TRY(read_each<Finding>(root["findings"], "findings", finding_of));
  report.notices = TRY(read_each<Finding>(root["notices"], "notices", finding_of));
  report.suppressed =
      TRY(read_each<Suppressed>(root["suppressed"], "suppressed", [&](JsonView one) {
        return read_suppressed(one, packages_count);
      }));
  report.not_shown_count = count_of(root["summary"]["not_shown"]);
  return report;
}

}  // namespace vigil::report
