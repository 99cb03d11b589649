// sbom: the inventory of a target, without a look at any advisory.
#include "cli/command.h"
#include "cli/scan_flags.h"
#include "scan/scan.h"

namespace vigil::cli {

namespace {

Result<ExitCode> run(const Arguments& arguments) {
  const std::vector<Output> outputs = TRY(outputs_of(arguments, Content::kSbom));
  scan::ScanOptions options = TRY(scan_options(arguments));
  options.target = TRY(target_operand(arguments));
  scan::ScanOutcome outcome = TRY(scan::run_sbom(options));
  {
    const Phase phase(outcome.phases, "write");
    TRY(write_outputs(outputs, Content::kSbom, outcome.report, arguments));
  }
  tell(outcome, arguments);
  const bool has_gaps = !outcome.report.sbom.gaps.empty();
  return has_gaps && arguments.has("fail-on-gaps") ? ExitCode::kGaps : ExitCode::kPassed;
}

constexpr Flag kFlags[] = {
    {"output", 'o', "FORMAT[=FILE]",
     "How the inventory is written, and where; may be repeated.\n'vigil list formats' names them. "
     "Default: table."},
    {"fail-on-gaps", 0, "", "Exit code 3 where something could not be read."},
    kPlatformFlag,
    kDistroFlag,
    kFilesFlag,
    kVerifyFlag,
    kThreadsFlag,
    kCacheFlag,
    kNoCacheFlag,
    kStatsFlag,
    kQuietFlag,
};

}  // namespace

extern const Command sbom_command;
const Command sbom_command = {
    .name = "sbom",
    .operands = "TARGET",
    .summary = "Write the inventory of an image or a root filesystem: its packages.",
    .details =
        "TARGET is what 'vigil scan' takes. What could not be read is in the result as a gap.\n"
        "Exit codes: 0 done, 1 the target could not be read, 3 gaps with --fail-on-gaps.\n\n"
        "  vigil sbom app.tar -o cyclonedx=app.cdx.json\n"
        "  vigil sbom / -o json --files",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
