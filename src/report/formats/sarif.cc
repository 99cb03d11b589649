// SARIF 2.1.0 (OASIS, errata 01) as GitHub's code scanning reads it: one rule an id, one result a
// finding, security-severity as text, fingerprints that stay between scans.
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "report/format.h"
#include "report/funnel.h"
#include "report/identity.h"
#include "report/live_root_text.h"
#include "report/summary.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

// GitHub refuses a run with more results; the most urgent come first.
constexpr size_t kResultsMax = 25'000;

std::string_view level_of(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
    case Severity::kHigh:
      return "error";
    case Severity::kMedium:
      return "warning";
    case Severity::kLow:
    case Severity::kNegligible:
    case Severity::kUnknown:
      return "note";
  }
  return "note";
}

// GitHub shows the number's band (9.0, 7.0, 4.0, 0.1), so that it must lie in our severity's: the
// highest CVSS score that does, else the band's middle. "" where the severity is not known.
std::string security_severity(const Finding& finding) {
  double best = 0;
  for (const Cvss& cvss : finding.cvss) {
    if (severity_of(cvss) == finding.severity) best = std::max(best, cvss.score);
  }
  if (best > 0) return fmt::format("{:.1f}", best);
  switch (finding.severity) {
    case Severity::kCritical:
      return "9.5";
    case Severity::kHigh:
      return "8.0";
    case Severity::kMedium:
      return "5.5";
    case Severity::kLow:
      return "2.0";
    case Severity::kNegligible:
      return "0.1";
    case Severity::kUnknown:
      return "";
  }
  return "";
}

// Messages are plain text in which brackets make links (§3.11.6).
std::string message_text(std::string_view text) {
  std::string out;
  for (const char c : terminal_text(text)) {
    if (c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// In a cell of a table in Markdown.
std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : terminal_text(text)) {
    if (std::string_view("\\`*_{}[]<>()#+!|~&").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// A relative reference: what is not unreserved (RFC 3986 §2.3) or a slash is escaped.
std::string relative_uri(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= 'a' && byte <= 'z') ||
                          std::string_view("-._~/").find(c) != std::string_view::npos;
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out.empty() ? "unknown" : out;
}

constexpr size_t kNamesOfRule = 10;

struct Rule {
  const Finding* worst = nullptr;     // The finding that gives the rule its severity.
  std::vector<std::string> packages;  // Names, in the order of the findings; kNamesOfRule at most.
  bool has_more = false;
};

void write_text(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key).begin_object().member("text", text).end_object();
}

void write_rule(JsonWriter& json, const Report& report, const Rule& rule) {
  const Finding& finding = *rule.worst;
  const Package& package = report.sbom.packages[finding.package];
  const std::string packages =
      fmt::format("{}{}", fmt::join(rule.packages, ", "), rule.has_more ? " and others" : "");
  const std::string page = page_of(finding);
  std::string severity(to_string(finding.severity));
  json.begin_object().member("id", finding.id);
  json.member("name", is_os_package(package.kind) ? "OsPackageVulnerability"
                                                  : "LanguageSpecificPackageVulnerability");
  write_text(json, "shortDescription", message_text(finding.id + " in " + packages));
  write_text(json, "fullDescription",
             message_text(finding.id + " (" + severity + ") affects " + packages + "."));
  json.key("defaultConfiguration").begin_object();
  json.member("level", level_of(finding.severity)).end_object();
  json.member_if("helpUri", page);
  json.key("help").begin_object();
  json.member("text", message_text(finding.id) + "\nSeverity: " + severity + "\nPackages: " +
                          message_text(packages) + (page.empty() ? "" : "\n" + message_text(page)));
  json.member(
      "markdown",
      fmt::format("**{}**\n\n| Severity | Packages | EPSS | Known exploited |\n"
                  "| --- | --- | --- | --- |\n| {} | {} | {} | {} |\n\n{}",
                  markdown_text(finding.id), severity, markdown_text(packages),
                  finding.epss < 0 ? "-" : fmt::format("{:.1f}%", finding.epss * 100),
                  finding.is_known_exploited ? "yes" : "no", page.empty() ? "" : "<" + page + ">"));
  json.end_object();
  json.key("properties").begin_object().member("precision", "very-high");
  json.member_if("security-severity", security_severity(finding));
  json.key("tags").begin_array().value("vulnerability").value("security").value(severity);
  if (finding.is_known_exploited) json.value("known-exploited");
  for (const std::string& cwe : finding.cwes)
    json.value("external/cwe/cwe-" + cwe.substr(std::min<size_t>(cwe.size(), 4)));
  json.end_array().end_object().end_object();
}

// Of one result or of all (§3.27.23): an empty list says that nothing sets it aside.
void write_suppressions(JsonWriter& json, const Suppressed* suppression) {
  json.key("suppressions").begin_array();
  if (suppression != nullptr) {
    json.begin_object().member("kind", "external").member("status", "accepted");
    json.member_if("justification", suppression->reason);
    json.key("properties").begin_object().member("rule", suppression->rule);
    json.member_if("expiresAt", format_time(suppression->expires_at));
    json.end_object().end_object();
  }
  json.end_array();
}

struct Listed {
  const Finding* finding = nullptr;
  const Suppressed* suppression = nullptr;  // What sets it aside; null where nothing does.
};

void write_result(JsonWriter& json, const Report& report, const Listed& listed, size_t rule,
                  bool has_suppressions) {
  const Finding& finding = *listed.finding;
  const Package& package = report.sbom.packages[finding.package];
  const std::string place =
      package.location.path.empty() ? report.sbom.target.name : package.location.path;
  json.begin_object().member("ruleId", finding.id).member("ruleIndex", rule);
  json.member("level", level_of(finding.severity));
  write_text(
      json, "message",
      message_text(fmt::format("{} {} has {} ({}). {}", package.name, package.version, finding.id,
                               to_string(finding.severity), advice(package, finding))));
  json.key("locations").begin_array().begin_object();
  json.key("physicalLocation").begin_object().key("artifactLocation").begin_object();
  json.member("uri", relative_uri(place)).member("uriBaseId", "ROOTPATH").end_object();
  json.key("region").begin_object().member("startLine", 1).member("startColumn", 1);
  json.member("endLine", 1).member("endColumn", 1).end_object().end_object();
  json.key("logicalLocations").begin_array().begin_object();
  json.member("name", package.name).member("kind", "package");
  json.member("fullyQualifiedName", package.purl.empty() ? package.name : package.purl);
  json.end_object().end_array().end_object().end_array();
  json.key("partialFingerprints").begin_object();
  json.member("vigil/v1", finding.fingerprint);
  json.member("primaryLocationLineHash", finding.fingerprint + ":1").end_object();
  if (has_suppressions) write_suppressions(json, listed.suppression);
  json.key("properties").begin_object().member("risk", finding.risk);
  json.member("fixState", to_string(finding.state));
  if (const PackageExposure* use = use_of(report, finding); use != nullptr) {
    json.member("useVerdict", to_string(use->verdict)).member("useTier", to_string(use->tier));
    json.member_if("useFacets", facets_text(use->facets)).member("useEvidence", use_text(*use));
  }
  json.end_object().end_object();
}

void write_notification(JsonWriter& json, const std::string& text) {
  json.begin_object().member("level", "warning");
  write_text(json, "message", message_text(text));
  json.end_object();
}

// What a reader must know beside the results: gaps, and results that are left out.
void write_invocation(JsonWriter& json, const Report& report) {
  json.key("invocations").begin_array().begin_object().member("executionSuccessful", true);
  json.key("toolExecutionNotifications").begin_array();
  if (report.findings.size() > kResultsMax) {
    write_notification(json, fmt::format("{} findings, of which the {} most urgent are here: "
                                         "GitHub takes no more (kResultsMax).",
                                         report.findings.size(), kResultsMax));
  }
  for (const std::string& text : left_out_texts(report)) {
    write_notification(json, "Further findings: " + text + ".");
  }
  for (const Gap& gap : report.sbom.gaps) {
    write_notification(
        json, fmt::format("Not read: {}: {}: {}", gap.path, to_string(gap.kind), gap.reason));
  }
  for (const NotCheckable& one : summarize(report).not_checkable) {
    write_notification(
        json, fmt::format("{} packages could not be checked: {}", one.packages.size(), one.reason));
  }
  if (!report.database.notice.empty()) write_notification(json, report.database.notice);
  json.end_array().end_object().end_array();
}

// The findings, and behind them what was set aside, where that is wanted: GitHub opens an alert for
// a result with a suppression, too.
std::vector<Listed> listed(const Report& report, const WriteOptions& options) {
  std::vector<Listed> all;
  for (const Finding& finding : report.findings) all.push_back({&finding, nullptr});
  if (options.shows_suppressed) {
    for (const Suppressed& one : report.suppressed) all.push_back({&one.finding, &one});
  }
  if (all.size() > kResultsMax) all.resize(kResultsMax);
  return all;
}

Result<std::string> write_report(const Report& report, const WriteOptions& options) {
  const std::vector<Listed> results = listed(report, options);
  std::vector<Rule> rules;
  std::map<std::string_view, size_t> rule_of_id;
  for (const Listed& one : results) {
    const Finding& finding = *one.finding;
    const auto [place, is_new] = rule_of_id.emplace(finding.id, rules.size());
    if (is_new) rules.emplace_back();
    Rule& rule = rules[place->second];
    if (rule.worst == nullptr || finding.severity > rule.worst->severity) rule.worst = &finding;
    const std::string& name = report.sbom.packages[finding.package].name;
    if (std::ranges::find(rule.packages, name) != rule.packages.end()) continue;
    if (rule.packages.size() < kNamesOfRule) {
      rule.packages.push_back(name);
    } else {
      rule.has_more = true;
    }
  }
  JsonWriter json;
  json.begin_object().member("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
  json.member("version", "2.1.0").key("runs").begin_array().begin_object();
  json.key("tool").begin_object().key("driver").begin_object().member("name", "vigil");
  json.member("fullName", "vigil vulnerability scanner");
  if (!report.tool_version.empty()) json.member("version", report.tool_version);
  json.key("rules").begin_array();
  for (const Rule& rule : rules) write_rule(json, report, rule);
  json.end_array().end_object().end_object();
  write_invocation(json, report);
  json.key("originalUriBaseIds").begin_object().key("ROOTPATH").begin_object();
  json.member("uri", "file:///").end_object().end_object();
  json.key("results").begin_array();
  for (const Listed& one : results) {
    write_result(json, report, one, rule_of_id[one.finding->id], options.shows_suppressed);
  }
  json.end_array().member("columnKind", "utf16CodeUnits");
  json.key("properties").begin_object().member("target", report.sbom.target.name);
  json.member_if("imageID", report.sbom.target.image_id);
  if (report.exposure) {
    json.member("workload", report.exposure->workload.id);
    json.member("watched", coverage_text(*report.exposure));
  }
  if (report.live_root) {
    json.member("workload", report.live_root->workload.id);
    json.member("sinceStart", since_start_text(*report.live_root));
    json.member_if("imageFindings", image_findings_text(*report.live_root));
    json.key("deletedCode").begin_array();
    for (const DeletedCode& one : report.live_root->deleted) json.value(deleted_text(one));
    json.end_array();
  }
  json.end_object();
  json.end_object().end_array().end_object();
  return json.take() + "\n";
}

}  // namespace

extern const Format sarif_format;
const Format sarif_format = {.name = "sarif",
                             .summary = "SARIF 2.1.0, as GitHub's code scanning reads it",
                             .reference = "OASIS SARIF 2.1.0",
                             .write_report = write_report,
                             .write_sbom = nullptr};

}  // namespace vigil::report
