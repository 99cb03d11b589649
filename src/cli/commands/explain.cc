// explain: why a finding is there, or why it is not.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/command.h"
#include "cli/database_flags.h"
#include "cli/scan_flags.h"
#include "cli/text_input.h"
#include "match/risk.h"
#include "report/report_reader.h"
#include "report/summary.h"
#include "scan/scan.h"
#include "version/version.h"

namespace vigil::cli {

namespace {

// "Label       text" with the text made safe: most of it comes from the target or from a feed.
class Page {
 public:
  void line(std::string_view label, std::string_view text) {
    out_ += fmt::format("{:<13}{}\n", label, report::terminal_text(text));
  }
  void line_if(std::string_view label, std::string_view text) {
    if (!text.empty()) line(label, text);
  }
  void blank() { out_ += "\n"; }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

bool is_about(const Finding& finding, const std::string& id) {
  const auto is_it = [&](std::string_view other) { return is_same_id(other, id); };
  return is_it(finding.id) || std::ranges::any_of(finding.aliases, is_it) ||
         std::ranges::any_of(finding.advisories, is_it, &MatchedAdvisory::id);
}

// "1.2.12-r0 < 1.2.12-r2" for each bound of ">= 1.2, < 1.2.12-r2".
std::string comparisons(const MatchedAdvisory& advisory) {
  const version::Scheme* scheme = version::find_scheme(advisory.scheme);
  if (scheme == nullptr) return "";
  std::string out;
  std::string_view rest = advisory.range;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(", "), rest.size());
    std::string_view bound = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const size_t blank = bound.find(' ');
    if (blank == std::string_view::npos || bound.find_first_of("<>=") != 0) continue;
    bound.remove_prefix(blank + 1);
    const auto order = version::compare(*scheme, advisory.version_compared, bound);
    if (!order) continue;
    const std::string_view sign = *order < 0 ? "<" : *order > 0 ? ">" : "=";
    out +=
        fmt::format("{}{} {} {}", out.empty() ? "" : ", ", advisory.version_compared, sign, bound);
  }
  return out.empty() ? "" : out + ", by the order of " + advisory.scheme;
}

void add_package(Page& page, const Sbom& sbom, const Package& package) {
  page.line("Package", package.purl.empty() ? package.name + " " + package.version : package.purl);
  if (!package.source.name.empty()) {
    page.line("Source", package.source.name + " " + package.source.version);
  }
  page.line_if("Found in", package.location.path);
  if (package.location.layer < 0) return;
  const Layer& layer = sbom.layers[static_cast<size_t>(package.location.layer)];
  page.line("Layer",
            fmt::format("{} (of {}, counted from 0), {}{}", package.location.layer,
                        sbom.layers.size(), layer.digest.empty() ? layer.diff_id : layer.digest,
                        layer.is_verified ? "" : " (claimed, not verified)"));
  page.line_if("Instruction", layer.created_by);
}

void add_advisory(Page& page, const MatchedAdvisory& advisory) {
  page.line("Advisory",
            fmt::format("{} of {} (shard {})", advisory.id, advisory.source, advisory.shard));
  page.line("  speaks of", fmt::format("{}{}", advisory.name_searched,
                                       advisory.is_indirect ? ", the source package" : ""));
  page.line("  range", advisory.range);
  page.line_if("  compared", comparisons(advisory));
  page.line_if("  see", advisory.url);
}

std::string fix_of(const Finding& finding) {
  std::string out(to_string(finding.state));
  if (!finding.fixed_versions.empty()) out += " in " + joined(finding.fixed_versions);
  if (finding.fixed_at != 0) out += " of " + format_date(finding.fixed_at);
  if (!finding.fix_channel.empty()) out += ", from " + finding.fix_channel;
  return out;
}

std::string threat_of(const Finding& finding) {
  std::string out = finding.epss < 0 ? "no EPSS score"
                                     : fmt::format("EPSS {:.5f}, above {:.1f} % of all CVEs",
                                                   finding.epss, finding.epss_percentile * 100);
  if (!finding.is_known_exploited) return out + "; not in CISA's KEV catalog";
  out += "; in CISA's KEV catalog since " + format_date(finding.known_exploited_at);
  return finding.is_ransomware_known ? out + ", used by ransomware" : out;
}

void add_finding(Page& page, const Report& report, const Finding& finding) {
  page.line("Finding", finding.id + (finding.notice == NoticeKind::kNone ? "" : " (a notice)"));
  page.line_if("Aliases", joined(finding.aliases));
  add_package(page, report.sbom, report.sbom.packages[finding.package]);
  for (const MatchedAdvisory& advisory : finding.advisories) add_advisory(page, advisory);
  page.line("Fix", fix_of(finding));
  std::string severity(to_string(finding.severity));
  if (!finding.severity_source.empty()) severity += ", by " + finding.severity_source;
  if (!finding.vendor_severity.empty()) {
    severity += "; the vendor's word: " + finding.vendor_severity;
  }
  page.line("Severity", severity);
  for (const Cvss& cvss : finding.cvss) {
    page.line("  CVSS", fmt::format("{:.1f} {}{}", cvss.score, cvss.vector,
                                    cvss.source.empty() ? "" : " by " + cvss.source));
  }
  page.line_if("CWE", joined(finding.cwes));
  page.line("Threat", threat_of(finding));
  const match::RiskParts parts = match::risk_parts(finding);
  page.line("Risk", fmt::format("{:.2f} = min(threat {:.5f} × severity {:.3f} × exploited {:.2f}, "
                                "1) × 100",
                                finding.risk, parts.threat, parts.severity, parts.exploited));
  page.line("Fingerprint", finding.fingerprint);
}

std::string ranges_of(const Affected& affected) {
  std::string out;
  for (const AffectedRange& range : affected.ranges) {
    out += (out.empty() ? "" : "; ") + version::range_text(range);
  }
  for (const std::string& one : affected.versions) out += (out.empty() ? "= " : "; = ") + one;
  return out.empty() ? "all versions" : out;
}

// What the shards that were looked into say under the id of packages that the target has.
Status add_near_misses(Page& page, const Report& report, const advisory::Database& database,
                       const std::string& id) {
  for (const ShardUse& use : report.database.shards) {
    const advisory::Shard* shard = TRY(database.shard(use.name));
    if (shard == nullptr) continue;
    const std::vector<Advisory> records = TRY(shard->find_id(id));
    for (const Advisory& record : records) {
      for (const Affected& affected : record.affected) {
        for (const Package& package : report.sbom.packages) {
          const bool is_its_name =
              affected.package == normal_package_name(use.name, package.name) ||
              affected.package == normal_package_name(use.name, package.source.name);
          if (!is_its_name) continue;
          const std::string arch = package.arch.empty() ? "" : " " + package.arch;
          page.line("Not found", fmt::format("{} {}{}: {} says {} {}, {}", package.name,
                                             package.version, arch, record.source, affected.package,
                                             ranges_of(affected), to_string(affected.state)));
        }
      }
    }
  }
  return {};
}

// Of a scan, or as a file holds it.
Result<Report> report_for(const Arguments& arguments) {
  const bool has_file = arguments.has("report");
  if (arguments.operands().size() != (has_file ? 1 : 2)) {
    return fail(ErrorCode::kMalformed,
                "explain wants an ID and a TARGET, or an ID and --report FILE; --help says more");
  }
  if (has_file) {
    const std::string path = arguments.value("report");
    const std::string text = TRY(read_text(path));
    return with_context(report::read_report(text), path);
  }
  scan::ScanOptions options = TRY(scan_options(arguments));
  options.target = arguments.operands()[1];
  options.database = TRY(database_options(arguments));
  scan::ScanOutcome outcome = TRY(scan::run_scan(options));
  tell(outcome, arguments);
  return std::move(outcome.report);
}

Result<ExitCode> run(const Arguments& arguments) {
  const Report report = TRY(report_for(arguments));
  const std::string& id = arguments.operands()[0];
  Page page;
  for (const std::vector<Finding>* findings : {&report.findings, &report.notices}) {
    for (const Finding& finding : *findings) {
      if (!is_about(finding, id)) continue;
      if (!page.text().empty()) page.blank();
      add_finding(page, report, finding);
    }
  }
  if (!page.text().empty()) {
    TRY(print(page.text()));
    return ExitCode::kPassed;
  }
  const advisory::OpenDatabaseOptions options = TRY(database_options(arguments));
  const std::unique_ptr<advisory::Database> database = TRY(advisory::open_database(options));
  TRY(add_near_misses(page, report, *database, id));
  TRY(print(page.text()));
  const std::string unchecked = report::unchecked_text(report);
  if (report::is_unknown(report)) {
    return fail(ErrorCode::kNotFound, "whether " + id + " is in " + report.sbom.target.name +
                                          " is not known: " + unchecked);
  }
  return fail(ErrorCode::kNotFound,
              "there is no finding " + id + " in " + report.sbom.target.name +
                  (page.text().empty() ? "; no advisory that was looked into names it for a "
                                         "package of the target"
                                       : "") +
                  (unchecked.empty() ? "" : "; " + unchecked));
}

constexpr Flag kFlags[] = {
    {"report", 0, "FILE", "Take the findings of this result (-o json) and scan nothing."},
    kDbFlag,
    kKeyFlag,
    kPlatformFlag,
    kDistroFlag,
    kVerifyFlag,
    kThreadsFlag,
    kCacheFlag,
    kNoCacheFlag,
    kStatsFlag,
    kQuietFlag,
};

}  // namespace

extern const Command explain_command;
const Command explain_command = {
    .name = "explain",
    .operands = "ID [TARGET]",
    .summary = "Tell why a finding is there, or why it is not.",
    .details =
        "Scans TARGET as 'vigil scan' does and tells of each finding under ID (a CVE, an alias or "
        "an\n"
        "advisory): the package, the database it stands in, the layer that brought it and its "
        "build\n"
        "instruction, the advisory, its range and how the versions compare, the fix, what the\n"
        "severity comes from, and the risk with all its factors. Where there is none, it tells "
        "what\n"
        "the advisories say of the target's packages. Exit code 1 where there is no such "
        "finding.\n\n"
        "  vigil explain CVE-2022-37434 app.tar\n"
        "  vigil explain CVE-2022-37434 --report result.json",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
