// For people. A summary first, then what to do first, then the findings, most urgent first, then
// what could not be checked. On a terminal findings that one upgrade ends are one line, and they
// stop after a screenful, so that the summary stays in sight; in a pipe, or with `lists_all`, each
// is there. Everything from outside passes terminal_text.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "report/display_width.h"
#include "report/exposure_page.h"
#include "report/format.h"
#include "report/left_out.h"
#include "report/live_root_text.h"
#include "report/summary.h"
#include "report/text_table.h"

namespace vigil::report {

namespace {

constexpr size_t kUpgradesShown = 5;
constexpr size_t kNamesOfUpgrade = 3;
constexpr size_t kUnfixableShown = 3;
constexpr size_t kFindingsOnTerminal = 15;
constexpr int64_t kFindingLinesOnTerminal = 24;
constexpr size_t kFindingsAtLeast = 5;
constexpr size_t kReasonsInSummary = 3;
constexpr size_t kChangesOnTerminal = 10;
constexpr size_t kLabelCells = 11;  // Of the summary.

std::string counted(size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

// "2 critical, 13 high, 40 more": the worst severities that there are, `names_max` of them.
std::string severities_text(const SeverityCounts& counts, size_t names_max) {
  std::vector<std::string> parts;
  size_t rest = 0;
  for (const Severity severity : {Severity::kCritical, Severity::kHigh, Severity::kMedium,
                                  Severity::kLow, Severity::kNegligible, Severity::kUnknown}) {
    const size_t count = counts[static_cast<size_t>(severity)];
    if (count > 0 && parts.size() < names_max) {
      parts.push_back(fmt::format("{} {}", count, to_string(severity)));
    } else {
      rest += count;
    }
  }
  if (rest > 0) parts.push_back(fmt::format("{} more", rest));
  return joined(parts, ", ");
}

// Why there is no version to upgrade to, in the words of the state.
std::string_view state_words(FixState state) {
  switch (state) {
    case FixState::kWillNotFix:
      return "won't fix";
    case FixState::kFixDeferred:
      return "deferred";
    case FixState::kEndOfLife:
      return "end of life";
    case FixState::kUnderInvestigation:
      return "investigating";
    case FixState::kAffected:
    case FixState::kFixed:
    case FixState::kNotAffected:
      return "no fix yet";
  }
  return "";
}

std::string with_channel(const std::string& version, const std::string& channel) {
  return channel.empty() ? version : fmt::format("{} ({})", version, channel);
}

std::string fix_text(const Finding& finding) {
  if (!is_fixable(finding)) return std::string(state_words(finding.state));
  return with_channel(joined(finding.fixed_versions, ", "), finding.fix_channel);
}

// The vendor's word where it is another one than ours.
std::string_view vendor_word(const Finding& finding) {
  const bool is_same = parse_severity(finding.vendor_severity) == finding.severity &&
                       finding.vendor_severity.size() == to_string(finding.severity).size();
  return is_same ? "" : std::string_view(finding.vendor_severity);
}

std::string percent_text(double share) {
  if (share < 0) return "-";
  if (share > 0 && share < 0.001) return "<0.1%";
  return fmt::format("{:.1f}%", share * 100);
}

std::string risk_text(const Finding& finding) {
  if (finding.epss < 0 && !finding.is_known_exploited) return "-";  // Nobody measured its threat.
  if (finding.risk > 0 && finding.risk < 0.05) return "<0.1";
  return fmt::format("{:.1f}", finding.risk);
}

std::string_view mark_of(const Finding& finding) {
  if (finding.is_ransomware_known) return "KEV ransomware";
  return finding.is_known_exploited ? "KEV" : "";
}

class TableWriter {
 public:
  TableWriter(const Report& report, const WriteOptions& options)
      : report_(report), options_(options), summary_(summarize(report)) {}

  std::string write_report() {
    add_title();
    add_field("Packages", packages_text());
    for (size_t i = 0; i < summary_.not_checkable.size(); ++i) {
      if (i == kReasonsInSummary) {
        add_field("", fmt::format("and {} more reasons, below", summary_.not_checkable.size() - i));
        break;
      }
      const NotCheckable& one = summary_.not_checkable[i];
      add_field("", fmt::format("not checkable {}: {}", one.packages.size(), safe(one.reason)));
    }
    add_live_root();
    add_field("Findings", findings_text(), findings_colour());
    if (!report_.findings.empty()) add_field("", chances_text());
    if (report_.live_root) add_field("", image_findings_text(*report_.live_root));
    add_field("", left_out_line(report_, options_));
    add_gaps_field();
    add_field("Database", database_text());
    add_field("", safe(report_.database.notice), Colour::kYellow);
    add_to_do();
    add_findings();
    add_notices();
    add_since_start();
    if (options_.shows_suppressed) add_suppressed();
    add_not_checkable();
    add_gaps();
    return std::move(out_);
  }

  std::string write_sbom() {
    add_title();
    std::map<std::string_view, size_t> kinds;
    for (const Package& package : report_.sbom.packages) ++kinds[purl_type(package.kind)];
    std::vector<std::string> parts;
    for (const auto& [kind, count] : kinds) parts.push_back(fmt::format("{} {}", count, kind));
    add_field("Packages", fmt::format("{}{}{}", report_.sbom.packages.size(),
                                      parts.empty() ? "" : ": ", joined(parts, ", ")));
    add_gaps_field();
    add_packages();
    add_gaps();
    return std::move(out_);
  }

 private:
  static std::string safe(std::string_view text) { return terminal_text(text); }

  // ---- The summary ----

  void add_title() {
    const Target& target = report_.sbom.target;
    std::vector<std::string> parts = {std::string(to_string(target.kind))};
    if (!target.os.empty() || !target.architecture.empty()) {
      parts.push_back(safe(target.os + "/" + target.architecture +
                           (target.variant.empty() ? "" : "/" + target.variant)));
    }
    for (const std::string& tag : target.tags) parts.push_back(safe(tag));
    add_field("Target", fmt::format("{} ({})", safe(target.name), joined(parts, ", ")),
              Colour::kBold);
    if (!std::ranges::all_of(report_.sbom.layers, &Layer::is_verified)) {
      add_field("", "the digests of its layers are as it claims them, not verified");
    }
    const Distro& distro = report_.sbom.distro;
    const std::string name = distro.pretty_name.empty() ? distro.text() : distro.pretty_name;
    add_field("System", name.empty() ? "no distribution recognised" : safe(name));
    add_field("", safe(report_.end_of_life), Colour::kYellow);
  }

  std::string packages_text() const {
    const auto count = [&](PackageState state) {
      return summary_.packages_count[static_cast<size_t>(state)];
    };
    return fmt::format("{}: {} matched, {} clean, {} no known fix missing, {} not checkable",
                       report_.sbom.packages.size(), count(PackageState::kMatched),
                       count(PackageState::kClean), count(PackageState::kNoKnownFixMissing),
                       count(PackageState::kNotCheckable));
  }

  size_t unchecked_count() const {
    return summary_.packages_count[static_cast<size_t>(PackageState::kNotCheckable)];
  }

  std::string findings_text() const {
    if (report_.findings.empty()) {
      if (report_.sbom.packages.empty()) return "not known: no package was found";
      const size_t unchecked = unchecked_count();
      if (unchecked == 0) return "none";
      if (unchecked == report_.sbom.packages.size()) return "not known: nothing could be checked";
      return fmt::format("none, but {} could not be checked", counted(unchecked, "package"));
    }
    return fmt::format("{}: {}", report_.findings.size(),
                       severities_text(summary_.findings_count, 6));
  }

  std::string chances_text() const {
    std::string text = fmt::format("{} fixable, {} known to be exploited", summary_.fixable_count,
                                   summary_.known_exploited_count);
    if (summary_.ransomware_count > 0) {
      text += fmt::format(" ({} by ransomware)", summary_.ransomware_count);
    }
    return text;
  }

  // With findings that of the worst.
  Colour findings_colour() const {
    for (size_t i = summary_.findings_count.size(); i-- > 0;) {
      if (summary_.findings_count[i] > 0) return severity_colour(static_cast<Severity>(i));
    }
    return unchecked_count() > 0 ? Colour::kYellow : Colour::kNone;
  }

  void add_gaps_field() {
    if (report_.sbom.gaps.empty()) return;
    add_field("Gaps",
              fmt::format("{}: the result is incomplete, see below", report_.sbom.gaps.size()),
              Colour::kYellow);
  }

  std::string database_text() const {
    const DatabaseUse& database = report_.database;
    std::string text = fmt::format("data of {} or later", format_date(database.oldest_source_at));
    if (database.oldest_source_at == 0) text = "of unknown date";
    if (database.shards.empty()) text = "nothing in it speaks of these packages";
    text +=
        database.is_starter ? ", embedded starter" : fmt::format(", serial {}", database.serial);
    return text + (database.is_signed ? ", signed by " + safe(database.signer) : ", not signed");
  }

  void add_live_root() {
    if (!report_.live_root) return;
    const LiveRoot& root = *report_.live_root;
    if (!root.workload.id.empty()) add_field("Running", safe(workload_line(root.workload)));
    add_field("Changes",
              since_start_text(root) + (root.not_compared.empty() ? " since its start" : ""));
    if (root.deleted.empty()) return;
    add_field(
        "",
        fmt::format("{} of deleted code still run{}: patched on disk is not patched in "
                    "memory, see below",
                    counted(root.deleted.size(), "file"), root.deleted.size() == 1 ? "s" : ""),
        Colour::kYellow);
  }

  // A line of the summary; nothing where the text is empty.
  void add_field(std::string_view label, const std::string& text, Colour colour = Colour::kNone) {
    if (text.empty()) return;
    std::string head = fmt::format("{:<{}}", label, kLabelCells);
    out_ += coloured(head, Colour::kBold, options_.is_coloured && !label.empty());
    std::string lines = wrapped(text, kLabelCells, options_.columns);
    lines.pop_back();
    out_ += coloured(lines, colour, options_.is_coloured) + "\n";
  }

  void add_heading(std::string_view text) {
    out_ += "\n";
    std::string lines = wrapped(text, 0, options_.columns);
    lines.pop_back();
    out_ += coloured(lines, Colour::kBold, options_.is_coloured) + "\n";
  }
  void add_line(const std::string& text, Colour colour = Colour::kNone) {
    std::string lines = wrapped(text, 2, options_.columns);
    lines.pop_back();
    out_ += "  " + coloured(lines, colour, options_.is_coloured) + "\n";
  }
  void add_table(const std::vector<Column>& columns, const std::vector<Row>& rows) {
    out_ += text_table(columns, rows, style());
  }
  TableStyle style() const {
    return {.width_max = options_.columns, .indent = 2, .is_coloured = options_.is_coloured};
  }

  // ---- What to do first ----

  void add_to_do() {
    if (report_.findings.empty()) return;
    add_heading("What to do first: what is known to be exploited, then what removes most risk");
    if (!report_.end_of_life.empty()) {
      add_line("Plan the move to a supported release: this one is past its end of life.",
               Colour::kYellow);
    }
    add_upgrades();
    std::vector<const Finding*> unfixable;
    for (const Finding& finding : report_.findings) {
      if (finding.is_known_exploited && !is_fixable(finding)) unfixable.push_back(&finding);
    }
    for (size_t i = 0; i < std::min(unfixable.size(), kUnfixableShown); ++i) {
      const Finding& finding = *unfixable[i];
      add_line(
          fmt::format("Remove or shield {}: {} is being exploited ({}).",
                      safe(package_of(finding).name), safe(finding.id), state_words(finding.state)),
          Colour::kRed);
    }
    if (unfixable.size() > kUnfixableShown) {
      add_line(fmt::format("{} more are being exploited and have no fix: marked KEV below.",
                           unfixable.size() - kUnfixableShown));
    }
  }

  void add_upgrades() {
    const std::vector<Upgrade> upgrades = upgrades_of(report_);
    if (upgrades.empty()) {
      add_line("No upgrade helps: no finding has a fix yet.");
      return;
    }
    std::vector<Row> rows;
    size_t shown_findings_count = 0;
    const size_t shown = std::min(upgrades.size(), kUpgradesShown);
    for (size_t i = 0; i < shown; ++i) {
      const Upgrade& upgrade = upgrades[i];
      shown_findings_count += upgrade.findings_count;
      rows.push_back({{safe(installed_names(upgrade)), Colour::kBold},
                      {safe(upgrade.version)},
                      {safe(with_channel(upgrade.to, upgrade.channel)), Colour::kGreen},
                      {upgrade.known_exploited_count > 0 ? "KEV" : "", Colour::kBoldRed},
                      {severities_text(upgrade.ids_count, 2)},
                      {fmt::format("{:.1f}", upgrade.risk)}});
    }
    add_table({{.title = "UPGRADE", .width_min = 8, .width_readable = 40},
               {.title = "INSTALLED", .width_min = 8, .drop_order = 1},
               {.title = "TO", .width_min = 10},
               {.title = ""},
               {.title = "FIXES", .width_min = 24},
               {.title = "RISK SUM", .is_right = true}},
              rows);
    if (upgrades.size() > shown) {
      add_line(fmt::format("These fix {} of {} fixable findings; {} fix the rest.",
                           shown_findings_count, summary_.fixable_count,
                           counted(upgrades.size() - shown, "more upgrade")));
    }
  }

  // What a package manager is asked to upgrade; where there is no room for that, what all of it was
  // built from.
  std::string installed_names(const Upgrade& upgrade) const {
    constexpr size_t kColumnsForNames = 160;
    const bool is_narrow = options_.columns != 0 && options_.columns < kColumnsForNames;
    if (is_narrow && upgrade.packages.size() > 1) {
      return fmt::format("{} ({} packages)", upgrade.name, upgrade.packages.size());
    }
    const size_t shown = std::min(upgrade.packages.size(), kNamesOfUpgrade);
    std::string names;
    for (size_t i = 0; i < shown; ++i) {
      names += (i == 0 ? "" : ", ") + report_.sbom.packages[upgrade.packages[i]].name;
    }
    if (shown < upgrade.packages.size()) {
      names += fmt::format(" and {} more", upgrade.packages.size() - shown);
    }
    return names;
  }

  // ---- Findings ----

  const Package& package_of(const Finding& finding) const {
    return report_.sbom.packages[finding.package];
  }

  bool shows_all() const { return options_.shows_all(); }

  // Findings that one upgrade ends: one issue of what was built from one source.
  struct Group {
    const Finding* first = nullptr;
    size_t count = 0;
  };

  // The most urgent, as far as a terminal has room for them; elsewhere every finding by itself.
  std::vector<Group> groups() const {
    std::vector<Group> all;
    std::map<std::tuple<std::string_view, std::string_view, std::string_view, std::string>, size_t>
        known;
    for (const Finding& finding : report_.findings) {
      if (!shows_all()) {
        const Package& package = package_of(finding);
        const bool has_source = !package.source.name.empty();
        const auto [place, is_new] = known.emplace(
            std::tuple(std::string_view(finding.id),
                       std::string_view(has_source ? package.source.name : package.name),
                       std::string_view(has_source ? package.source.version : package.version),
                       fix_text(finding)),
            all.size());
        if (!is_new) {
          ++all[place->second].count;
          continue;
        }
      }
      all.push_back({&finding, 1});
    }
    if (!shows_all() && all.size() > kFindingsOnTerminal) all.resize(kFindingsOnTerminal);
    return all;
  }

  void add_findings() {
    if (report_.findings.empty()) return;
    std::vector<Group> shown = groups();
    std::string table = findings_table(shown);
    // Broken lines need room, too.
    while (!shows_all() && shown.size() > kFindingsAtLeast &&
           std::ranges::count(table, '\n') > kFindingLinesOnTerminal) {
      shown.pop_back();
      table = findings_table(shown);
    }
    size_t shown_count = 0;
    for (const Group& group : shown) shown_count += group.count;
    const bool is_grouped = shown_count > shown.size();
    add_heading(fmt::format("Findings, most urgent first{}",
                            is_grouped ? "; +1 is one more package of the same source" : ""));
    out_ += table;
    if (shown_count < report_.findings.size()) {
      add_line(fmt::format("{} more, less urgent: --all lists each.",
                           report_.findings.size() - shown_count));
    }
  }

  std::string findings_table(const std::vector<Group>& shown) const {
    std::vector<Row> rows;
    for (const Group& group : shown) {
      rows.push_back(row_of(*group.first));
      if (group.count > 1) rows.back()[0].text += fmt::format(" +{}", group.count - 1);
    }
    return text_table(finding_columns(), rows, style());
  }

  static std::vector<Column> finding_columns() {
    return {{.title = "PACKAGE", .width_min = 8},
            {.title = "INSTALLED", .width_min = 8},
            {.title = "FIXED IN", .width_min = 8},
            {.title = "ID"},
            {.title = "SEVERITY"},
            {.title = "VENDOR", .width_min = 8, .drop_order = 3},
            {.title = "EPSS", .is_right = true, .drop_order = 2},
            {.title = "RISK", .is_right = true, .drop_order = 1},
            {.title = "", .width_min = 3}};
  }

  Row row_of(const Finding& finding) const {
    const Package& package = package_of(finding);
    return {{safe(package.name)},
            {safe(package.version)},
            {safe(fix_text(finding)), is_fixable(finding) ? Colour::kGreen : Colour::kDim},
            {safe(finding.id)},
            {std::string(to_string(finding.severity)), severity_colour(finding.severity)},
            {safe(vendor_word(finding))},
            {percent_text(finding.epss)},
            {risk_text(finding)},
            {std::string(mark_of(finding)), Colour::kBoldRed}};
  }

  void add_notices() {
    if (report_.notices.empty()) return;
    add_heading("Notices, which are no vulnerabilities");
    const size_t shown = shows_all() ? report_.notices.size()
                                     : std::min(report_.notices.size(), kFindingsOnTerminal / 2);
    std::vector<Row> rows;
    for (size_t i = 0; i < shown; ++i) {
      const Finding& notice = report_.notices[i];
      rows.push_back({{safe(package_of(notice).name)},
                      {safe(package_of(notice).version)},
                      {safe(notice.id)},
                      {std::string(to_string(notice.notice))}});
    }
    add_table({{.title = "PACKAGE", .width_min = 8},
               {.title = "INSTALLED", .width_min = 8},
               {.title = "ID"},
               {.title = "NOTICE"}},
              rows);
    if (shown < report_.notices.size()) {
      add_line(fmt::format("{} more: --all lists each.", report_.notices.size() - shown));
    }
  }

  void add_suppressed() {
    if (report_.suppressed.empty()) return;
    add_heading("Set aside by ignore rules");
    out_ += suppressed_table(report_, style());
  }

  // ---- What was not seen ----

  void add_not_checkable() {
    if (summary_.not_checkable.empty()) return;
    const size_t names_max = shows_all() ? 40 : 8;
    add_heading("Packages that could not be checked");
    for (const NotCheckable& one : summary_.not_checkable) {
      const size_t shown = std::min(one.packages.size(), names_max);
      std::vector<std::string> names;
      for (size_t i = 0; i < shown; ++i) {
        names.push_back(safe(report_.sbom.packages[one.packages[i]].name));
      }
      if (shown < one.packages.size()) {
        names.push_back(fmt::format("{} more", one.packages.size() - shown));
      }
      add_line(fmt::format("{}: {}", safe(one.reason), joined(names, ", ")));
    }
  }

  void add_gaps() {
    const std::vector<Gap>& gaps = report_.sbom.gaps;
    if (gaps.empty()) return;
    const size_t shown = std::min<size_t>(gaps.size(), shows_all() ? 100 : 10);
    add_heading("Gaps: what could not be read");
    for (size_t i = 0; i < shown; ++i) {
      const Gap& gap = gaps[i];
      const std::string limit = gap.limit.empty() ? "" : " (" + gap.limit + ")";
      add_line(safe(fmt::format("{}{}{}: {}{}", gap.path, gap.path.empty() ? "" : ": ",
                                to_string(gap.kind), gap.reason, limit)));
    }
    if (shown < gaps.size()) {
      add_line(fmt::format("{} more: -o json lists all.", gaps.size() - shown));
    }
  }

  // ---- What a running root has that its image has not ----

  void add_since_start() {
    if (!report_.live_root) return;
    add_deleted(report_.live_root->deleted);
    add_packages_since_start();
    add_findings_of_one("Findings that its image has not", report_.live_root->findings_come);
    add_findings_of_one("Findings of its image that are not here, and back when it is made anew",
                        report_.live_root->findings_gone);
    add_drift();
  }

  size_t shown_of(size_t count) const {
    return shows_all() ? count : std::min(count, kChangesOnTerminal);
  }
  void add_more(size_t count, std::string_view what) {
    if (count > 0) add_line(fmt::format("{} more {}: --all lists each.", count, what));
  }

  void add_deleted(const std::vector<DeletedCode>& deleted) {
    if (deleted.empty()) return;
    add_heading("Deleted code that still runs, as it was, until its processes are started again");
    std::vector<Row> rows;
    const size_t shown = shown_of(deleted.size());
    for (size_t i = 0; i < shown; ++i) {
      const DeletedCode& one = deleted[i];
      rows.push_back({{safe("/" + one.path), Colour::kBold},
                      {safe(one.package)},
                      {safe(one.version)},
                      {safe(one.image_version)},
                      {safe(processes_text(one))}});
    }
    add_table({{.title = "FILE", .width_min = 16},
               {.title = "PACKAGE", .width_min = 8},
               {.title = "INSTALLED", .width_min = 8, .drop_order = 1},
               {.title = "IN THE IMAGE", .width_min = 8, .drop_order = 2},
               {.title = "RUN BY", .width_min = 16}},
              rows);
    add_more(deleted.size() - shown, "files");
  }

  void add_packages_since_start() {
    const LiveRoot& root = *report_.live_root;
    if (root.packages.empty() && root.packages_removed.empty()) return;
    add_heading("Packages that are not as its image has them");
    std::vector<Row> rows;
    for (const PackageSinceStart& one : root.packages) {
      const Package& package = report_.sbom.packages[one.package];
      rows.push_back({{safe(package.name), Colour::kBold},
                      {safe(package.version)},
                      {one.image_version.empty() ? "not there" : safe(one.image_version)}});
    }
    for (const PackageRemoved& one : root.packages_removed) {
      rows.push_back({{safe(one.name), Colour::kBold}, {"removed"}, {safe(one.version)}});
    }
    const size_t count = rows.size();
    rows.resize(shown_of(count));
    add_table({{.title = "PACKAGE", .width_min = 8},
               {.title = "NOW", .width_min = 8},
               {.title = "IN THE IMAGE", .width_min = 8}},
              rows);
    add_more(count - rows.size(), "packages");
  }

  void add_findings_of_one(std::string_view heading, const std::vector<FindingOfOne>& findings) {
    if (findings.empty()) return;
    add_heading(heading);
    std::vector<Row> rows;
    const size_t shown = shown_of(findings.size());
    for (size_t i = 0; i < shown; ++i) {
      const FindingOfOne& one = findings[i];
      rows.push_back({{safe(one.package), Colour::kBold},
                      {safe(one.version)},
                      {safe(one.id)},
                      {std::string(to_string(one.severity)), severity_colour(one.severity)}});
    }
    add_table({{.title = "PACKAGE", .width_min = 8},
               {.title = "VERSION", .width_min = 8},
               {.title = "ID"},
               {.title = "SEVERITY"}},
              rows);
    add_more(findings.size() - shown, "findings");
  }

  void add_drift() {
    const LiveRoot& root = *report_.live_root;
    if (root.drift.empty()) return;
    add_heading("Files that are not as its image and its packages have them");
    std::vector<Row> rows;
    for (size_t i = 0; i < shown_of(root.drift.size()); ++i) {
      const DriftedFile& one = root.drift[i];
      const std::string owner =
          one.package < 0 ? "" : report_.sbom.packages[static_cast<size_t>(one.package)].name;
      rows.push_back({{std::string(to_string(one.drift)),
                       one.drift == Drift::kAdded ? Colour::kYellow : Colour::kNone},
                      {safe("/" + one.path), Colour::kBold},
                      {safe(owner)},
                      {format_time(one.modified_at)}});
    }
    uint64_t count = 0;
    for (const uint64_t one : root.drift_counts) count += one;
    add_table({{.title = "WHAT"},
               {.title = "FILE", .width_min = 16},
               {.title = "PACKAGE", .width_min = 8},
               {.title = "MODIFIED", .drop_order = 1}},
              rows);
    add_more(count - rows.size(), "files");
  }

  // ---- An inventory ----

  void add_packages() {
    if (report_.sbom.packages.empty()) return;
    std::vector<Row> rows;
    for (const Package& package : report_.sbom.packages) {
      const std::string source =
          package.source.name.empty() ? "" : package.source.name + " " + package.source.version;
      const int32_t layer = package.location.layer;
      rows.push_back({{safe(package.name)},
                      {safe(package.version)},
                      {safe(package.arch)},
                      {std::string(purl_type(package.kind))},
                      {safe(source)},
                      {safe(package.licence)},
                      {layer < 0 ? "" : std::to_string(layer)}});
    }
    add_heading("Packages");
    add_table({{.title = "PACKAGE", .width_min = 8},
               {.title = "VERSION", .width_min = 8},
               {.title = "ARCH", .drop_order = 2},
               {.title = "TYPE"},
               {.title = "SOURCE", .width_min = 8, .drop_order = 3},
               {.title = "LICENCE", .width_min = 8, .drop_order = 4},
               {.title = "LAYER", .is_right = true, .drop_order = 1}},
              rows);
  }

  const Report& report_;
  const WriteOptions& options_;
  const Summary summary_;
  std::string out_;
};

Result<std::string> write_report(const Report& report, const WriteOptions& options) {
  if (report.exposure) return exposure_page(report, options);
  return TableWriter(report, options).write_report();
}

Result<std::string> write_sbom(const Report& report, const WriteOptions& options) {
  return TableWriter(report, options).write_sbom();
}

}  // namespace

extern const Format table_format;
const Format table_format = {.name = "table",
                             .summary = "for people: a summary, what to do first, the findings",
                             .reference = "vigil",
                             .write_report = write_report,
                             .write_sbom = write_sbom};

}  // namespace vigil::report
