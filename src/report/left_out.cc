#include "report/left_out.h"

#include <fmt/format.h>

#include <vector>

namespace vigil::report {

std::string left_out_line(const Report& report, const WriteOptions& options) {
  std::vector<std::string> texts;
  if (!report.suppressed.empty()) {
    texts.push_back(fmt::format("{} more set aside by rules{}", report.suppressed.size(),
                                options.shows_suppressed ? "" : " (--show-suppressed)"));
  }
  if (report.not_shown_count > 0) {
    texts.push_back(fmt::format("{} more filtered out", report.not_shown_count));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string suppressed_table(const Report& report, const TableStyle& style) {
  std::vector<Row> rows;
  for (const Suppressed& one : report.suppressed) {
    const Package& package = report.sbom.packages[one.finding.package];
    const std::string until =
        one.expires_at == 0 ? "" : " (until " + format_date(one.expires_at) + ")";
    rows.push_back(
        {{terminal_text(package.name)},
         {terminal_text(package.version)},
         {terminal_text(one.finding.id)},
         {std::string(to_string(one.finding.severity)), severity_colour(one.finding.severity)},
         {terminal_text(one.reason) + until},
         {terminal_text(one.rule), Colour::kDim}});
  }
  return text_table({{.title = "PACKAGE", .width_min = 8},
                     {.title = "INSTALLED", .width_min = 8},
                     {.title = "ID"},
                     {.title = "SEVERITY"},
                     {.title = "REASON", .width_min = 8},
                     {.title = "RULE", .width_min = 8, .drop_order = 1}},
                    rows, style);
}

}  // namespace vigil::report
