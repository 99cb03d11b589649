#include "report/exposure_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/time.h"
#include "report/funnel.h"
#include "report/left_out.h"
#include "report/summary.h"
#include "report/text_table.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

constexpr size_t kLabelCells = 11;
constexpr size_t kPackagesOnTerminal = 12;
constexpr size_t kIdsOfPackage = 4;  // On a terminal; a pipe gets all.

std::string safe(std::string_view text) {
  return terminal_text(text);
}

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string severities_text(const SeverityCounts& counts) {
  std::string text;
  for (size_t i = counts.size(); i-- > 0;) {
    if (counts[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[i],
                        to_string(static_cast<Severity>(i)));
  }
  return text;
}

std::string threat_text(const Finding& finding) {
  std::string text;
  if (finding.is_known_exploited) text += finding.is_ransomware_known ? "KEV ransomware" : "KEV";
  if (finding.epss >= 0) {
    const double percent = finding.epss * 100;
    text += (text.empty() ? "" : ", ") +
            (percent < 0.1 ? std::string("EPSS <0.1%") : fmt::format("EPSS {:.1f}%", percent));
  }
  return text;
}

std::string fix_text(const Finding& finding) {
  if (is_fixable(finding)) {
    std::string text = "fix " + finding.fixed_versions[0];
    if (!finding.fix_channel.empty()) text += " (" + finding.fix_channel + ")";
    return text;
  }
  return finding.state == FixState::kWillNotFix ? "won't be fixed" : "no fix yet";
}

bool is_named(const Finding& finding, std::string_view id) {
  return finding.id == id || std::ranges::find(finding.aliases, id) != finding.aliases.end() ||
         std::ranges::find(finding.advisories, id, &MatchedAdvisory::id) !=
             finding.advisories.end();
}

// The findings of one package.
struct PackageFindings {
  uint32_t package = 0;
  std::vector<const Finding*> findings;
  SeverityCounts counts = {};
};

class Page {
 public:
  Page(const Report& report, const WriteOptions& options)
      : report_(report), exposure_(*report.exposure), options_(options) {}

  std::string write() {
    add_head();
    add_funnel();
    add_in_use();
    add_drift();
    add_not_observed();
    add_unknown();
    add_unowned();
    if (options_.shows_suppressed) add_suppressed();
    add_gaps();
    return std::move(out_);
  }

  std::string why(std::string_view id) {
    for (const Finding& finding : report_.findings) {
      if (is_named(finding, id)) add_why(finding);
    }
    for (const Suppressed& one : report_.suppressed) {
      if (!is_named(one.finding, id)) continue;
      add_why(one.finding);
      add_field("Set aside", safe(fmt::format("by {}{}{}", one.rule, one.reason.empty() ? "" : ": ",
                                              one.reason)));
    }
    return std::move(out_);
  }

 private:
  // ---- Lines ----

  void add_field(std::string_view label, const std::string& text, Colour colour = Colour::kNone) {
    if (text.empty()) return;
    out_ += coloured(fmt::format("{:<{}}", label, kLabelCells), Colour::kBold,
                     options_.is_coloured && !label.empty());
    add_wrapped(text, kLabelCells, colour);
  }
  void add_heading(std::string_view text) {
    out_ += "\n";
    add_wrapped(text, 0, Colour::kBold);
  }
  void add_line(size_t indent, const std::string& text, Colour colour = Colour::kNone) {
    out_ += std::string(indent, ' ');
    add_wrapped(text, indent, colour);
  }
  // Behind what stands on the line already; later lines are indented by as much and two more.
  void add_wrapped(std::string_view text, size_t indent, Colour colour) {
    std::string lines = wrapped(text, indent, options_.columns);
    lines.pop_back();
    out_ += coloured(lines, colour, options_.is_coloured) + "\n";
  }

  bool shows_all() const { return options_.shows_all(); }
  const Package& package(uint32_t index) const { return report_.sbom.packages[index]; }

  // ---- The head ----

  void add_head() {
    const Workload& workload = exposure_.workload;
    add_field("Workload", safe(workload_line(workload)), Colour::kBold);
    const Distro& distro = report_.sbom.distro;
    add_field(
        "System",
        safe(fmt::format("{}, {}", distro.pretty_name.empty() ? distro.text() : distro.pretty_name,
                         counted(report_.sbom.packages.size(), "package"))));
    add_field("", safe(report_.end_of_life), Colour::kYellow);
    add_packages();
    add_field("Watched", safe(coverage_text(exposure_)),
              is_fully_watched(exposure_) ? Colour::kNone : Colour::kYellow);
    add_field("Sensor", safe(exposure_.coverage.sensor));
    for (const std::string& spot : exposure_.coverage.blind_spots) add_field("", safe(spot));
    add_field("Left out", left_out_line(report_, options_));
    add_field("Database", safe(report_.database.notice), Colour::kYellow);
  }

  // What could not be checked is in no step of the funnel.
  void add_packages() {
    for (const NotCheckable& one : summarize(report_).not_checkable) {
      add_field("",
                safe(fmt::format("{} not checkable: {}", counted(one.packages.size(), "package"),
                                 one.reason)),
                Colour::kYellow);
    }
  }

  // ---- The funnel ----

  void add_funnel() {
    const std::vector<FunnelStep> steps = funnel_of(report_);
    constexpr size_t kNumberCells = 7;
    constexpr size_t kStepCells = 18;
    const size_t all = std::max<size_t>(steps[0].count, 1);
    const size_t width = options_.columns == 0 ? 100 : options_.columns;
    const size_t bar_max = width > 80    ? std::min<size_t>(width - 60, 40)
                           : width >= 60 ? width - 56
                                         : 0;
    out_ += "\n";
    for (const FunnelStep& step : steps) {
      if (width < kStepCells + kNumberCells + 2) {
        add_line(2, fmt::format("{}: {}", step.label, step.count));
        continue;
      }
      const std::string line =
          fmt::format("  {:<{}}{:>{}}", step.label, kStepCells, step.count, kNumberCells);
      size_t cells = (step.count * bar_max + all - 1) / all;
      std::string bar;
      for (; cells > 0; --cells) bar += "\u2588";
      std::string note;
      if (&step - steps.data() >= 2 && step.count > 0) {
        note = fmt::format("{} with a fix", step.fixable_count);
      }
      if (&step - steps.data() >= 2 && step.unknown_count > 0) {
        note += fmt::format("{}+{} unknown", note.empty() ? "" : ", ", step.unknown_count);
      }
      const bool is_last = &step == &steps.back();
      out_ += coloured(line, is_last && step.count > 0 ? Colour::kBoldRed : Colour::kBold,
                       options_.is_coloured);
      if (!bar.empty()) out_ += "  " + coloured(bar, Colour::kBlue, options_.is_coloured);
      if (!note.empty() && (options_.columns == 0 || options_.columns >= 56)) {
        out_ += "  " + coloured(note, Colour::kDim, options_.is_coloured);
      }
      out_ += "\n";
    }
  }

  void add_suppressed() {
    if (report_.suppressed.empty()) return;
    add_heading("Set aside by ignore rules");
    out_ += suppressed_table(
        report_, {.width_max = options_.columns, .indent = 2, .is_coloured = options_.is_coloured});
  }

  // ---- Findings by package ----

  std::vector<PackageFindings> packages_with(UseVerdict verdict) const {
    std::vector<PackageFindings> packages;
    std::map<uint32_t, size_t> place_of;
    for (const size_t index : by_exposure(report_)) {
      const Finding& finding = report_.findings[index];
      if (use_verdict(report_, finding) != verdict) continue;
      const auto [place, is_new] = place_of.emplace(finding.package, packages.size());
      if (is_new) packages.emplace_back().package = finding.package;
      PackageFindings& one = packages[place->second];
      one.findings.push_back(&finding);
      ++one.counts[static_cast<size_t>(finding.severity)];
    }
    return packages;
  }

  void add_in_use() {
    const std::vector<PackageFindings> packages = packages_with(UseVerdict::kInUse);
    if (packages.empty()) {
      add_heading("Nothing that is known to be vulnerable was seen in use");
      return;
    }
    size_t findings_count = 0;
    for (const PackageFindings& one : packages) findings_count += one.findings.size();
    add_heading(fmt::format("In use: {} in {}, what matters most first",
                            counted(findings_count, "finding"),
                            counted(packages.size(), "package")));
    const size_t shown =
        shows_all() ? packages.size() : std::min(packages.size(), kPackagesOnTerminal);
    for (size_t i = 0; i < shown; ++i) add_package_in_use(packages[i]);
    if (shown < packages.size()) {
      add_line(2, fmt::format("{} more, less urgent: --all lists each.",
                              counted(packages.size() - shown, "package")));
    }
  }

  void add_package_in_use(const PackageFindings& one) {
    const PackageExposure& use = exposure_.packages[one.package];
    add_line(2,
             safe(fmt::format("{} {}: {}{}{}", package(one.package).name,
                              package(one.package).version, to_string(use.tier),
                              use.facets == 0 ? "" : ", ", facets_text(use.facets))),
             (use.facets & Facet::kExposed) != 0 ? Colour::kBoldRed : Colour::kBold);
    if (!use.evidence.empty()) add_proof(use.evidence[0]);
    if (!use.reason.empty()) add_line(4, safe(use.reason), Colour::kYellow);
    add_ids(one);
  }

  // Which file, who runs it, when: a line each.
  void add_proof(const Evidence& evidence) {
    add_line(4, safe(fmt::format("/{}{}", evidence.path, evidence.is_deleted ? " (deleted)" : "")));
    add_line(4, safe(process_text(evidence)));
    add_line(4, seen_text(evidence));
  }

  void add_ids(const PackageFindings& one) {
    const size_t shown =
        shows_all() ? one.findings.size() : std::min(one.findings.size(), kIdsOfPackage);
    std::vector<Row> rows;
    SeverityCounts rest = {};
    for (size_t i = 0; i < one.findings.size(); ++i) {
      const Finding& finding = *one.findings[i];
      if (i >= shown) {
        ++rest[static_cast<size_t>(finding.severity)];
        continue;
      }
      rows.push_back(
          {{safe(finding.id)},
           {std::string(to_string(finding.severity)), severity_colour(finding.severity)},
           {safe(fix_text(finding)), is_fixable(finding) ? Colour::kGreen : Colour::kDim},
           {threat_text(finding), finding.is_known_exploited ? Colour::kBoldRed : Colour::kNone}});
    }
    // The columns tell themselves: a table without titles has no line of them.
    const std::string table = text_table(
        {{.title = ""},
         {.title = ""},
         {.title = "", .width_min = 12},
         {.title = "", .width_min = 8}},
        rows, {.width_max = options_.columns, .indent = 4, .is_coloured = options_.is_coloured});
    out_ += table;
    if (shown < one.findings.size()) {
      add_line(4,
               fmt::format("and {} more: {}", one.findings.size() - shown, severities_text(rest)));
    }
  }

  // ---- The rest ----

  void add_evidence(std::string_view heading, const std::vector<Evidence>& evidence) {
    if (evidence.empty()) return;
    add_heading(heading);
    const size_t shown = shows_all() ? evidence.size() : std::min<size_t>(evidence.size(), 5);
    for (size_t i = 0; i < shown; ++i) {
      add_line(2, safe(fmt::format("{} /{}, by {}", to_string(evidence[i].tier), evidence[i].path,
                                   process_text(evidence[i]))));
    }
    if (shown < evidence.size()) add_line(2, fmt::format("{} more.", evidence.size() - shown));
  }
  void add_drift() {
    add_evidence("Drift: code in use that the image did not bring, or that was changed since",
                 exposure_.drift);
  }
  void add_unowned() {
    if (!shows_all()) return;
    add_evidence("Code in use that belongs to no package", exposure_.unowned);
  }

  void add_not_observed() {
    const std::vector<PackageFindings> packages = packages_with(UseVerdict::kNotObserved);
    if (packages.empty()) return;
    size_t findings_count = 0;
    for (const PackageFindings& one : packages) findings_count += one.findings.size();
    add_heading(fmt::format("Not observed in use in {}: {} in {}; less urgent, not absent",
                            format_length(exposure_.window), counted(findings_count, "finding"),
                            counted(packages.size(), "package")));
    const size_t shown = shows_all() ? packages.size() : std::min<size_t>(packages.size(), 8);
    std::vector<Row> rows;
    for (size_t i = 0; i < shown; ++i) {
      const PackageFindings& one = packages[i];
      rows.push_back({{safe(package(one.package).name)},
                      {safe(package(one.package).version)},
                      {std::string(to_string(exposure_.packages[one.package].tier))},
                      {severities_text(one.counts)}});
    }
    out_ += text_table(
        {{.title = "PACKAGE", .width_min = 8},
         {.title = "INSTALLED", .width_min = 8, .drop_order = 1},
         {.title = "SEEN"},
         {.title = "FINDINGS", .width_min = 16}},
        rows, {.width_max = options_.columns, .indent = 2, .is_coloured = options_.is_coloured});
    if (shown < packages.size()) {
      add_line(2, fmt::format("{} more.", counted(packages.size() - shown, "package")));
    }
  }

  void add_unknown() {
    const std::vector<PackageFindings> packages = packages_with(UseVerdict::kUnknown);
    if (packages.empty()) return;
    std::map<std::string_view, std::vector<const PackageFindings*>> by_reason;
    size_t findings_count = 0;
    for (const PackageFindings& one : packages) {
      by_reason[exposure_.packages[one.package].reason].push_back(&one);
      findings_count += one.findings.size();
    }
    add_heading(fmt::format("Unknown, which counts as in use: {} in {}",
                            counted(findings_count, "finding"),
                            counted(packages.size(), "package")));
    for (const auto& [reason, those] : by_reason) {
      std::string names;
      const size_t shown = shows_all() ? those.size() : std::min<size_t>(those.size(), 8);
      for (size_t i = 0; i < shown; ++i) {
        names += (i == 0 ? "" : ", ") + package(those[i]->package).name;
      }
      if (shown < those.size()) names += fmt::format(" and {} more", those.size() - shown);
      add_line(2, safe(fmt::format("{}: {}", reason, names)));
    }
  }

  void add_gaps() {
    const std::vector<WatchGap>& gaps = exposure_.coverage.gaps;
    if (!gaps.empty()) {
      add_heading("Gaps: when nobody looked, or not everything was seen");
      const size_t shown = shows_all() ? gaps.size() : std::min<size_t>(gaps.size(), 5);
      for (size_t i = gaps.size() - shown; i < gaps.size(); ++i) {
        const WatchGap& gap = gaps[i];
        add_line(2, safe(fmt::format(
                        "{} to {}: {}{}", instant_text(gap.from), instant_text(gap.to), gap.reason,
                        gap.events_count == 0
                            ? ""
                            : fmt::format(", {} lost", counted(gap.events_count, "event")))));
      }
    }
    if (report_.sbom.gaps.empty()) return;
    add_heading("Gaps of the inventory: what could not be read");
    const size_t shown =
        shows_all() ? report_.sbom.gaps.size() : std::min<size_t>(report_.sbom.gaps.size(), 5);
    for (size_t i = 0; i < shown; ++i) {
      const Gap& gap = report_.sbom.gaps[i];
      add_line(2, safe(fmt::format("{}: {}: {}", gap.path, to_string(gap.kind), gap.reason)));
    }
  }

  // ---- One finding ----

  void add_why(const Finding& finding) {
    const Package& owner = package(finding.package);
    const PackageExposure& use = exposure_.packages[finding.package];
    if (!out_.empty()) out_ += "\n";
    add_field("Finding", safe(fmt::format("{} in {} {}", finding.id, owner.name, owner.version)),
              Colour::kBold);
    for (const MatchedAdvisory& advisory : finding.advisories) {
      add_field("Advisory", safe(fmt::format("{} of {} speaks of {} {}, and {} is installed",
                                             advisory.id, advisory.source, advisory.name_searched,
                                             advisory.range, advisory.version_compared)));
    }
    add_field("Severity",
              fmt::format("{}{}{}", to_string(finding.severity),
                          threat_text(finding).empty() ? "" : "; ", threat_text(finding)));
    add_field("Fix", safe(fix_text(finding)));
    add_field("Workload", safe(workload_line(exposure_.workload)));
    add_field("Verdict",
              safe(fmt::format("{}: {}{}{}", to_string(use.verdict), to_string(use.tier),
                               use.facets == 0 ? "" : ", ", facets_text(use.facets))),
              use.verdict == UseVerdict::kNotObserved ? Colour::kNone : Colour::kRed);
    add_field("Because", safe(use.reason));
    for (const Evidence& evidence : use.evidence) {
      add_field("Proof", safe(fmt::format("{} /{}{}", to_string(evidence.tier), evidence.path,
                                          evidence.is_deleted ? " (deleted)" : "")));
      add_field("", safe(process_text(evidence)));
      add_field("", seen_text(evidence));
    }
    add_field("Watched", safe(coverage_text(exposure_)));
  }

  const Report& report_;
  const Exposure& exposure_;
  const WriteOptions& options_;
  std::string out_;
};

}  // namespace

std::string short_id(std::string_view id) {
  constexpr size_t kLong = 32;
  const bool is_hex =
      id.size() >= kLong && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return std::string(is_hex ? id.substr(0, 12) : id);
}

std::string workload_line(const Workload& workload) {
  std::string text = workload.name.empty() ? short_id(workload.id) : workload.name;
  text += fmt::format(" ({}", to_string(workload.runtime));
  if (!workload.image.empty()) text += ", image " + workload.image;
  if (!workload.name.empty() && workload.id != workload.name) {
    text += ", id " + short_id(workload.id);
  }
  if (workload.started_at != 0) text += ", started " + instant_text(workload.started_at);
  text +=
      workload.ended_at != 0 ? ", ended " + instant_text(workload.ended_at) + ")" : ", running)";
  return text;
}

std::string exposure_page(const Report& report, const WriteOptions& options) {
  return Page(report, options).write();
}

std::string exposure_why(const Report& report, std::string_view id, const WriteOptions& options) {
  return Page(report, options).why(id);
}

}  // namespace vigil::report
