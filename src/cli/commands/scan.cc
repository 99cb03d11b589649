// scan: from a target to its findings, the gates, the exit code.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/command.h"
#include "cli/database_flags.h"
#include "cli/gate_flags.h"
#include "cli/ignore_files.h"
#include "cli/install_database.h"
#include "cli/scan_flags.h"
#include "match/match.h"
#include "report/summary.h"
#include "scan/container_target.h"
#include "scan/scan.h"

namespace vigil::cli {

namespace {

constexpr UnixSeconds kDaySeconds = 86400;

// What a failed gate ends with.
Result<ExitCode> exit_code_of(const Arguments& arguments) {
  constexpr uint64_t kHighest = 255;
  const uint64_t code = TRY(arguments.number("exit-code", static_cast<uint64_t>(ExitCode::kGate)));
  if (code <= kHighest) return static_cast<ExitCode>(code);
  return fail(ErrorCode::kMalformed, "--exit-code wants a number from 0 to 255");
}

// Why the data is too old; "" where it is not.
Result<std::string> too_old(const Report& report, const Arguments& arguments) {
  if (!arguments.has("max-db-age") || report.sbom.packages.empty()) return "";
  const uint64_t days = TRY(arguments.number("max-db-age", 0));
  if (report.database.shards.empty()) {
    return "no advisories speak of these packages, and --max-db-age was given";
  }
  const UnixSeconds oldest = report.database.oldest_source_at;
  if (oldest == 0) return "the advisories used have no date, and --max-db-age was given";
  const UnixSeconds age_days = (report.created_at - oldest) / kDaySeconds;
  if (age_days < 0 || static_cast<uint64_t>(age_days) <= days) return "";
  return fmt::format("the oldest advisories used are of {}, {} days ago; --max-db-age allows {}",
                     format_date(oldest), age_days, days);
}

// Why the gate fails; "" where it does not. `report` is what is shown.
std::string failed_gate(const Report& report, const std::vector<scan::Gate>& gates,
                        size_t failing_count, const Arguments& arguments) {
  if (gates.empty()) {
    // As Trivy has it: without a gate, what is shown is one.
    if (!arguments.has("exit-code") || report.findings.empty()) return "";
    return fmt::format("{} findings, and --exit-code was given", report.findings.size());
  }
  return failed_gate_text(gates, failing_count, report.findings.size() + report.not_shown_count);
}

// 1 before 4 before 2 before 3, each told. `gate`: why it fails, or "".
Result<ExitCode> judge(const Report& report, const std::string& gate, ExitCode gate_code,
                       const Arguments& arguments) {
  ExitCode code = ExitCode::kPassed;
  const bool is_quiet = arguments.has("quiet");
  const auto fail_with = [&](ExitCode one, const std::string& why) {
    if (code == ExitCode::kPassed) code = one;
    if (!is_quiet) complain(why);
  };
  const auto damaged = std::ranges::find_if(report.verdicts, match::is_damage);
  if (damaged != report.verdicts.end()) {
    fail_with(ExitCode::kFailed, damaged->reason +
                                     "; 'vigil db verify' says more, and "
                                     "'vigil db update' replaces it");
  }
  const bool has_gate = arguments.has("fail-on") || arguments.has("exit-code");
  const std::string unchecked = report::unchecked_text(report);
  // Of all that run, some have no package: what is one static program.
  const bool may_be_empty = arguments.has("running") && report.verdicts.empty();
  if (has_gate && report::is_unknown(report) && !may_be_empty) {
    code = ExitCode::kFailed;
    complain("no gate can be answered: " + unchecked);
  } else if (has_gate && gate.empty() && !unchecked.empty() && !is_quiet) {
    complain("no gate failed; " + unchecked);
  }
  const std::string age = TRY(too_old(report, arguments));
  if (!age.empty()) fail_with(ExitCode::kDataTooOld, age);
  if (!gate.empty()) fail_with(gate_code, gate);
  if (arguments.has("fail-on-gaps") && !report.sbom.gaps.empty()) {
    fail_with(ExitCode::kGaps,
              fmt::format("{} gaps: not everything could be read", report.sbom.gaps.size()));
  }
  return code;
}

// All that was typed, checked before the work begins.
struct Job {
  std::vector<Output> outputs;
  std::vector<scan::Gate> gates;
  report::DisplayFilter filter;
  ExitCode gate_code = ExitCode::kGate;
  std::vector<std::string> notes;  // Of the ignore files, told once.
  scan::ScanOptions options;
};

Result<Job> job_of(const Arguments& arguments) {
  Job job;
  job.outputs = TRY(outputs_of(arguments, Content::kReport));
  job.gates = TRY(gates_of(arguments));
  job.filter = TRY(display_filter(arguments));
  job.gate_code = TRY(exit_code_of(arguments));
  IgnoreFiles ignoring = TRY(ignore_files(arguments));
  TRY(arguments.number("max-db-age", 0));
  job.options = TRY(scan_options(arguments));
  job.options.compares_image = true;
  job.options.database = TRY(database_options(arguments));
  job.options.ignore_rules = std::move(ignoring.rules);
  job.notes = std::move(ignoring.notes);
  if (arguments.has("update")) {
    job.options.database.folder = database_folder(arguments);
    job.options.update = [&arguments]() -> Status {
      TRY(install(arguments, arguments.value("update")));
      return {};
    };
  }
  return job;
}

Result<ExitCode> scan_target(Job& job, const std::string& target, const Arguments& arguments) {
  job.options.target = target;
  scan::ScanOutcome outcome = TRY(scan::run_scan(job.options));
  std::ranges::move(std::exchange(job.notes, {}), std::back_inserter(outcome.notes));
  job.options.update = nullptr;
  // Gates see every finding, shown or not.
  const size_t failing_count = scan::failing_count(job.gates, outcome.report);
  note_unwatched(job.gates, arguments);
  const Report report = report::filtered(std::move(outcome.report), job.filter);
  const bool is_shown = std::ranges::any_of(job.outputs, [](const Output& output) {
    return output.file.empty() && output.format->name == "table";
  });
  if (!is_shown && !arguments.has("quiet") && !report.database.notice.empty()) {
    complain(report.database.notice);
  }
  {
    const Phase phase(outcome.phases, "write");
    TRY(write_outputs(job.outputs, Content::kReport, report, arguments));
  }
  tell(outcome, arguments);
  return judge(report, failed_gate(report, job.gates, failing_count, arguments), job.gate_code,
               arguments);
}

// One result after the other. A container that ends meanwhile fails alone.
Result<ExitCode> scan_running(Job& job, const Arguments& arguments) {
  if (!arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "--running scans every running container: leave TARGET out");
  }
  for (const Output& output : job.outputs) {
    if (output.file.empty()) continue;
    return fail(ErrorCode::kMalformed,
                "--running writes one result after the other to standard output, and none to " +
                    output.file);
  }
  const std::vector<std::string> names = scan::running_container_names();
  if (names.empty()) {
    return fail(ErrorCode::kNotFound, scan::nothing_runs_text());
  }
  // Which code counts where several apply: as among the reasons of one result.
  const auto weight = [&](ExitCode code) {
    if (code == ExitCode::kPassed) return 0;
    if (code == ExitCode::kGaps) return 1;
    if (code == job.gate_code) return 2;
    return code == ExitCode::kDataTooOld ? 3 : 4;
  };
  ExitCode worst = ExitCode::kPassed;
  bool is_first = true;
  for (const std::string& name : names) {
    if (!std::exchange(is_first, false) && job.outputs[0].format->name == "table") {
      TRY(print("\n"));
    }
    const Result<ExitCode> code = scan_target(job, "container:" + name, arguments);
    if (!code) complain(code.error().text());
    const ExitCode one = code.value_or(ExitCode::kFailed);
    if (weight(one) > weight(worst)) worst = one;
  }
  return worst;
}

Result<ExitCode> run(const Arguments& arguments) {
  Job job = TRY(job_of(arguments));
  if (arguments.has("running")) return scan_running(job, arguments);
  const std::string target = TRY(target_operand(arguments));
  return scan_target(job, target, arguments);
}

constexpr Flag kFlags[] = {
    {"output", 'o', "FORMAT[=FILE]",
     "How the result is written, and where; may be repeated.\n'vigil list formats' names them. "
     "Default: table."},
    {"running", 0, "", "Scan the root of every running container instead of a TARGET; takes root."},
    kFailOnFlag,
    {"exit-code", 0, "N",
     "The exit code of a failed gate instead of 2. Without --fail-on every finding that is shown "
     "is a failure."},
    {"fail-on-gaps", 0, "", "Exit code 3 where something could not be read."},
    kSeverityFlag,
    kOnlyFixedFlag,
    kOnlyNotFixedFlag,
    kIgnoreStatesFlag,
    kIgnoreFileFlag,
    kNoIgnoreFileFlag,
    kShowSuppressedFlag,
    kAllFlag,
    kShortFlag,
    {"update", 0, "URL|DIR",
     "Bring the database up to date from there first, as 'vigil db update --from' does. Without "
     "this flag the network is never used."},
    {"max-db-age", 0, "DAYS", "Exit code 4 where the oldest advisories used are older."},
    kDbFlag,
    kKeyFlag,
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

extern const Command scan_command;
const Command scan_command = {
    .name = "scan",
    .operands = "TARGET|--running",
    .summary = "Find the known vulnerabilities of an image, a root filesystem or an SBOM.",
    .details =
        "TARGET is one of\n"
        "  docker-archive:FILE[:TAG]           what docker save and podman save write\n"
        "  oci-archive:FILE[:TAG|@sha256:D]    an OCI image layout in a tar\n"
        "  oci-dir:FOLDER[:TAG|@sha256:D]      an OCI image layout in a folder\n"
        "  dir:FOLDER                          a root filesystem; dir:/ is this machine\n"
        "  container:NAME                      the root of a running container, by name or id\n"
        "  pid:N                               the root that a process sees\n"
        "  sbom:FILE, sbom:-                   CycloneDX, SPDX or Syft JSON; - is standard input\n"
        "  purl:PURL, purl:FILE, purl:-        one package URL, or one a line\n"
        "Without a prefix the kind is told by what is there. ./NAME is a path, whatever its "
        "colons.\n"
        "\n"
        "Packages that could not be checked are counted, never clean. The network is used with\n"
        "--update only.\n"
        "--severity and its like choose what is shown; --fail-on sees all but what ignore rules "
        "set aside.\n"
        "Exit codes: 0 passed, 1 the job could not be done, 2 a gate failed, 3 gaps with\n"
        "--fail-on-gaps, 4 data too old. Where several apply: 1, 4, 2, 3. The result is written\n"
        "all the same.\n"
        "\n"
        "  vigil scan app.tar --fail-on high\n"
        "  vigil scan / -o table -o json=result.json\n"
        "  vigil scan purl:pkg:apk/alpine/zlib@1.2.11-r3?distro=alpine-3.12",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
