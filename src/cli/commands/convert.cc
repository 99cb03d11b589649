// convert: a result written in another format, without a scan.
#include <fmt/format.h>

#include <utility>

#include "cli/command.h"
#include "cli/database_flags.h"
#include "cli/scan_flags.h"
#include "cli/text_input.h"
#include "report/report_reader.h"

namespace vigil::cli {

namespace {

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.operands().size() != 1) {
    return fail(ErrorCode::kMalformed, "one file to convert is wanted, or - for standard input");
  }
  const report::DisplayFilter filter = TRY(display_filter(arguments));
  const std::string& path = arguments.operands()[0];
  const std::string text = TRY(read_text(path));
  report::Document document = TRY(with_context(report::read_document(text), path));
  const Content content = document.is_inventory ? Content::kSbom : Content::kReport;
  const std::vector<Output> outputs = TRY(outputs_of(arguments, content));
  // A document of others has neither; ours keeps its own.
  if (document.report.tool_version.empty()) document.report.tool_version = VIGIL_VERSION;
  if (document.report.created_at == 0) document.report.created_at = now();
  const Report report = report::filtered(std::move(document.report), filter);
  TRY(write_outputs(outputs, content, report, arguments));
  return ExitCode::kPassed;
}

constexpr Flag kFlags[] = {
    {"output", 'o', "FORMAT[=FILE]",
     "How the result is written, and where; may be repeated.\n'vigil list formats' names them. "
     "Default: table."},
    kSeverityFlag,
    kOnlyFixedFlag,
    kOnlyNotFixedFlag,
    kIgnoreStatesFlag,
    kShowSuppressedFlag,
    kAllFlag,
    kShortFlag,
    kFilesFlag,
};

}  // namespace

extern const Command convert_command;
const Command convert_command = {
    .name = "convert",
    .operands = "FILE",
    .summary = "Write a saved result in another format.",
    .details =
        "FILE is what 'vigil scan -o json' or 'vigil sbom -o json' wrote, or an SBOM (CycloneDX\n"
        "JSON, SPDX JSON, Syft JSON); - is standard input. A report can be written in every "
        "format,\n"
        "an SBOM in those that hold an inventory.\n"
        "Exit codes: 0 done, 1 the file could not be read or written.\n\n"
        "  vigil convert result.json -o sarif=result.sarif -o cyclonedx=result.cdx.json\n"
        "  syft app.tar -o json | vigil convert - -o spdx",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
