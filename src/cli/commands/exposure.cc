// exposure: which of the vulnerable packages are in use, from what the agent saw.
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "base/json.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/database_flags.h"
#include "cli/gate_flags.h"
#include "cli/ignore_files.h"
#include "cli/length_flag.h"
#include "cli/scan_flags.h"
#include "cli/state_flag.h"
#include "exposure/evidence_store.h"
#include "report/exposure_json.h"
#include "report/exposure_page.h"
#include "report/funnel.h"
#include "report/report_reader.h"
#include "report/summary.h"
#include "report/text_table.h"
#include "scan/exposure_report.h"

namespace vigil::cli {

namespace {

using exposure::EvidenceStore;
using exposure::WorkloadRecord;

constexpr UnixNanoseconds kSecond = 1'000'000'000;

UnixNanoseconds now_nanoseconds() {
  if (!environment("SOURCE_DATE_EPOCH").empty()) return now() * kSecond;
  timespec time = {};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

std::string title_of(const Workload& workload) {
  return workload.name.empty() ? report::short_id(workload.id) : workload.name;
}

// ---- Which workload ----

Result<Workload> workload_of_pid(const std::vector<Workload>& workloads, const std::string& pid) {
  struct stat its = {};
  struct stat own = {};
  const std::string path = "/proc/" + pid + "/ns/mnt";
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) {
    return fail(ErrorCode::kMalformed, "--pid wants a process id");
  }
  if (::stat(path.c_str(), &its) != 0) return fail_errno(path, errno);
  const bool is_own = ::stat("/proc/self/ns/mnt", &own) == 0 && own.st_ino == its.st_ino;
  for (const Workload& workload : workloads) {
    if (workload.ended_at != 0) continue;
    if (is_own ? workload.runtime == Runtime::kHost
               : workload.mount_namespace == static_cast<uint32_t>(its.st_ino)) {
      return workload;
    }
  }
  return fail(ErrorCode::kNotFound, "no workload that is watched has the process " + pid);
}

Result<Workload> workload_named(const std::vector<Workload>& workloads, const std::string& name) {
  for (const Workload& workload : workloads) {
    if (workload.id == name) return workload;
  }
  for (const Workload& workload : workloads) {  // Running ones come first, newest first.
    if (workload.name == name) return workload;
  }
  constexpr size_t kPrefixMin = 3;
  std::vector<const Workload*> found;
  for (const Workload& workload : workloads) {
    if (name.size() >= kPrefixMin && workload.id.starts_with(name)) found.push_back(&workload);
  }
  if (found.size() == 1) return *found[0];
  std::string names;
  constexpr size_t kNamesMax = 10;
  for (size_t i = 0; i < std::min(workloads.size(), kNamesMax); ++i) {
    names += (i == 0 ? "; there are: " : ", ") + title_of(workloads[i]);
  }
  if (workloads.size() > kNamesMax) {
    names += fmt::format(" and {} more", workloads.size() - kNamesMax);
  }
  return fail(ErrorCode::kNotFound,
              found.empty() ? "no workload is called " + name + names
                            : fmt::format("{} workloads have ids that begin with {}: type more of "
                                          "it",
                                          found.size(), name));
}

// The one that was asked for; an empty id where all are.
Result<Workload> wanted_workload(EvidenceStore& store, const Arguments& arguments) {
  const std::vector<std::string>& names = arguments.operands();
  if (names.size() + arguments.has("host") + arguments.has("pid") > 1) {
    return fail(ErrorCode::kMalformed, "one workload at a time: WORKLOAD, --host or --pid");
  }
  const std::vector<Workload> workloads = TRY(store.workloads());
  if (!names.empty()) return workload_named(workloads, names[0]);
  if (arguments.has("pid")) return workload_of_pid(workloads, arguments.value("pid"));
  if (!arguments.has("host")) return Workload{};
  const auto host = std::ranges::find(workloads, Runtime::kHost, &Workload::runtime);
  if (host != workloads.end()) return *host;
  return fail(ErrorCode::kNotFound, "the agent does not watch the host itself");
}

// ---- What was asked ----

struct Question {
  std::string workload;  // Its id; "": all.
  std::vector<Output> outputs;
  std::vector<scan::Gate> gates;
  report::DisplayFilter filter;
};

// Gates see every finding, shown or not.
std::string failed_gate(const Report& report, const std::vector<scan::Gate>& gates) {
  return failed_gate_text(gates, scan::failing_count(gates, report), report.findings.size());
}

// ---- All workloads ----

struct Summary {
  Report report;        // What is shown of it.
  std::string gate;     // Why a gate fails; "" where none does.
  std::string trouble;  // Why nothing is known of its packages.
  UnixNanoseconds looked_at = 0;
};

std::string trouble_of(const WorkloadRecord& record) {
  return record.inventory.empty() ? "no inventory" : "";
}

Result<std::vector<Summary>> all_reports(EvidenceStore& store, scan::ExposureReports& reports,
                                         const Question& question) {
  std::vector<Summary> out;
  for (const Workload& workload : TRY(store.workloads())) {
    Result<WorkloadRecord> read = store.read(workload.id);
    // The agent drops and renames what has ended.
    if (!read && read.error().code == ErrorCode::kNotFound) continue;
    const WorkloadRecord record = TRY(std::move(read));
    Result<Report> report = reports.report(record);
    if (report) {
      std::string gate = failed_gate(*report, question.gates);
      out.push_back({.report = report::filtered(*std::move(report), question.filter),
                     .gate = std::move(gate),
                     .trouble = trouble_of(record),
                     .looked_at = record.watched_to});
    } else {
      Summary& summary = out.emplace_back();
      summary.report.exposure.emplace().workload = workload;
      summary.trouble = report.error().text();
    }
  }
  return out;
}

std::string watched_text(const Report& report) {
  const WatchCoverage& coverage = report.exposure->coverage;
  if (coverage.attach == Attach::kNone) return "never";
  std::string text = format_length(coverage.to - coverage.from);
  if (coverage.share < 0.995) text += fmt::format(" ({:.0f} %)", coverage.share * 100);
  if (coverage.events_lost > 0) text += fmt::format(", {} lost", coverage.events_lost);
  return text;
}

std::string all_page(const std::vector<Summary>& all, const report::WriteOptions& options) {
  if (all.empty()) return "No workload was seen yet.\n";
  std::vector<report::Row> rows;
  for (const Summary& one : all) {
    const Workload& workload = one.report.exposure->workload;
    report::Row row = {{report::terminal_text(title_of(workload)), report::Colour::kBold},
                       {std::string(to_string(workload.runtime))},
                       {workload.ended_at == 0 ? "running" : "ended"}};
    const std::vector<report::FunnelStep> steps = report::funnel_of(one.report);
    for (size_t i = 0; i < steps.size(); ++i) {
      const bool is_last = i + 1 == steps.size();
      row.push_back(
          {one.trouble.empty() ? std::to_string(steps[i].count) : "?",
           is_last && steps[i].count > 0 ? report::Colour::kBoldRed : report::Colour::kNone});
    }
    row.push_back({one.trouble.empty() ? std::to_string(steps[2].unknown_count) : "?"});
    row.push_back(
        {one.trouble.empty() ? watched_text(one.report) : report::terminal_text(one.trouble)});
    row.push_back({report::terminal_text(workload.image)});
    rows.push_back(std::move(row));
  }
  const std::string table =
      report::text_table({{.title = "WORKLOAD", .width_min = 10},
                          {.title = "RUNTIME", .drop_order = 3},
                          {.title = "STATE", .drop_order = 2},
                          {.title = "FINDINGS", .is_right = true},
                          {.title = "FIXABLE", .is_right = true},
                          {.title = "IN USE", .is_right = true},
                          {.title = "EXPLOITABLE", .is_right = true},
                          {.title = "EXPOSED", .is_right = true},
                          {.title = "UNKNOWN", .is_right = true},
                          {.title = "WATCHED", .width_min = 8, .drop_order = 4},
                          {.title = "IMAGE", .width_min = 10, .drop_order = 5}},
                         rows, {.width_max = options.columns, .is_coloured = options.is_coloured});
  size_t suppressed_count = 0;
  size_t not_shown_count = 0;
  for (const Summary& one : all) {
    suppressed_count += one.report.suppressed.size();
    not_shown_count += one.report.not_shown_count;
  }
  if (suppressed_count + not_shown_count == 0) return table;
  return table + fmt::format("\nNot counted: {} set aside by ignore rules, {} filtered out\n",
                             suppressed_count, not_shown_count);
}

std::string all_json(const std::vector<Summary>& all) {
  JsonWriter json;
  json.begin_object().member("schema", report::kReportSchema).member("kind", "exposures");
  json.key("tool").begin_object().member("name", "vigil").member("version", VIGIL_VERSION);
  json.end_object().key("workloads").begin_array();
  for (const Summary& one : all) {
    json.begin_object();
    report::write_exposure_head(json, one.report);
    json.member("suppressed", one.report.suppressed.size());
    json.member("not_shown", one.report.not_shown_count);
    json.member_if("trouble", one.trouble).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

// ---- The command ----

// What the gates asked for say of a workload. `gate`: why one fails; `trouble`: why nothing is
// known of its packages.
ExitCode code_of(const Report& report, const std::string& gate, std::string trouble,
                 const Question& question, const Arguments& arguments) {
  if (question.gates.empty()) return ExitCode::kPassed;
  const std::string title = title_of(report.exposure->workload);
  const std::string unchecked = report::unchecked_text(report);
  // Of all that run, some have none: a pod's infrastructure container, what is one static program.
  const bool may_be_empty = question.workload.empty() && report.verdicts.empty();
  if (trouble.empty() && report::is_unknown(report) && !may_be_empty) trouble = unchecked;
  if (!trouble.empty()) {
    complain(title + ": no gate can be answered: " + trouble);
    return ExitCode::kFailed;
  }
  const std::string& said = gate.empty() ? unchecked : gate;
  if (!said.empty() && !arguments.has("quiet")) complain(title + ": " + said);
  return gate.empty() ? ExitCode::kPassed : ExitCode::kGate;
}

// Why the store does not say what runs now; "" where it does.
std::string blind_text(const std::vector<Summary>& all) {
  constexpr UnixNanoseconds kLookSlack = 60'000'000'000;
  UnixNanoseconds looked_at = 0;
  for (const Summary& one : all) looked_at = std::max(looked_at, one.looked_at);
  if (looked_at + kLookSlack >= now_nanoseconds()) return "";
  return "the agent is not running, and what was started since it looked is not known";
}

Result<ExitCode> answer_all(EvidenceStore& store, scan::ExposureReports& reports,
                            const Question& question, const Arguments& arguments) {
  const std::vector<Summary> all = TRY(all_reports(store, reports, question));
  const std::string name(question.outputs[0].format->name);
  if (question.outputs.size() != 1 || !question.outputs[0].file.empty() ||
      (name != "table" && name != "json")) {
    return fail(ErrorCode::kMalformed,
                "of all workloads there is -o table and -o json; name a WORKLOAD for others");
  }
  TRY(print(name == "json" ? all_json(all) : all_page(all, terminal_options())));
  ExitCode code = ExitCode::kPassed;
  if (!question.gates.empty()) {
    const std::string blind = blind_text(all);
    if (!blind.empty()) return fail(ErrorCode::kUnavailable, "no gate can be answered: " + blind);
  }
  for (const Summary& one : all) {
    if (one.report.exposure->workload.ended_at != 0) continue;
    const ExitCode of_one = code_of(one.report, one.gate, one.trouble, question, arguments);
    if (of_one != ExitCode::kPassed && code != ExitCode::kFailed) code = of_one;
  }
  return code;
}

Result<ExitCode> answer_one(EvidenceStore& store, scan::ExposureReports& reports,
                            const Question& question, const Arguments& arguments) {
  const WorkloadRecord record = TRY(store.read(question.workload));
  Report report = TRY(reports.report(record));
  if (arguments.has("why")) {
    const std::string text =
        report::exposure_why(report, arguments.value("why"), terminal_options());
    if (text.empty()) {
      return fail(ErrorCode::kNotFound, "there is no finding " + arguments.value("why") + " in " +
                                            title_of(record.workload) +
                                            "; 'vigil explain' tells what advisories say");
    }
    TRY(print(text));
    return ExitCode::kPassed;
  }
  const std::string gate = failed_gate(report, question.gates);
  report = report::filtered(std::move(report), question.filter);
  TRY(write_outputs(question.outputs, Content::kReport, report, arguments));
  return code_of(report, gate, trouble_of(record), question, arguments);
}

Result<ExitCode> answer(EvidenceStore& store, scan::ExposureReports& reports,
                        const Question& question, const Arguments& arguments) {
  return question.workload.empty() ? answer_all(store, reports, question, arguments)
                                   : answer_one(store, reports, question, arguments);
}

// Again each second, until somebody presses q or a signal ends it.
Result<ExitCode> keep_showing(EvidenceStore& store, scan::ExposureReports& reports,
                              const Question& question, const Arguments& arguments) {
  for (;;) {
    reports.set_now(now_nanoseconds());
    TRY(print("\x1b[H\x1b[2J"));
    TRY(answer(store, reports, question, arguments));
    constexpr int kMilliseconds = 1000;
    pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, kMilliseconds) <= 0) continue;
    char key = 'q';
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q') return ExitCode::kPassed;
  }
}

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.operands().size() > 1) {
    return fail(ErrorCode::kMalformed, "one workload at a time; --help says more");
  }
  Question question;
  question.outputs = TRY(outputs_of(arguments, Content::kReport));
  question.gates = TRY(gates_of(arguments));
  question.filter = TRY(display_filter(arguments));
  IgnoreFiles ignoring = TRY(ignore_files(arguments));
  const UnixNanoseconds window = TRY(length_of(arguments, "window", "24h"));
  const uint64_t threads_count = TRY(arguments.number("threads", 0));
  const std::string folder = arguments.value("state", kDefaultState);
  const std::unique_ptr<EvidenceStore> store = TRY(EvidenceStore::open_for_reading(folder));
  question.workload = TRY(wanted_workload(*store, arguments)).id;
  if (!question.gates.empty() && (arguments.has("why") || arguments.has("live"))) {
    return fail(ErrorCode::kMalformed, "--fail-on goes with neither --why nor --live");
  }
  if (arguments.has("why") && question.workload.empty()) {
    return fail(ErrorCode::kMalformed, "--why wants a WORKLOAD, --host or --pid");
  }
  const advisory::OpenDatabaseOptions database_of = TRY(database_options(arguments));
  const std::unique_ptr<advisory::Database> database = TRY(advisory::open_database(database_of));
  std::ranges::move(match::expired_texts(ignoring.rules, now()),
                    std::back_inserter(ignoring.notes));
  if (!arguments.has("quiet")) {
    for (const std::string& note : ignoring.notes) complain(note);
  }
  scan::ExposureReports reports(*database, {.state_folder = folder,
                                            .now = now_nanoseconds(),
                                            .window = window,
                                            .threads_count = threads_count,
                                            .ignore_rules = std::move(ignoring.rules)});
  if (!arguments.has("live")) return answer(*store, reports, question, arguments);
  if (::isatty(STDOUT_FILENO) == 0) {
    return fail(ErrorCode::kMalformed, "--live wants a terminal");
  }
  return keep_showing(*store, reports, question, arguments);
}

constexpr Flag kFlags[] = {
    {"host", 0, "", "The machine itself."},
    {"pid", 0, "PID", "The workload that has this process, as the host counts."},
    {"window", 0, "LENGTH",
     "How long a package must have been watched without being seen in use, to be called not "
     "observed: 24h (default), 90m, 7d."},
    {"why", 0, "ID",
     "Tell of one finding all there is, from the advisory to the process that runs the code."},
    {"live", 0, "", "Show it again each second, until q and Enter, or Ctrl-C."},
    {"output", 'o', "FORMAT[=FILE]",
     "How the result is written, and where; may be repeated.\n'vigil list formats' names them. "
     "Default: table."},
    kFailOnFlag,
    kSeverityFlag,
    kOnlyFixedFlag,
    kOnlyNotFixedFlag,
    kIgnoreStatesFlag,
    kIgnoreFileFlag,
    kNoIgnoreFileFlag,
    kShowSuppressedFlag,
    kAllFlag,
    kShortFlag,
    kStateFlag,
    kDbFlag,
    kKeyFlag,
    kThreadsFlag,
    kQuietFlag,
};

}  // namespace

extern const Command exposure_command;
const Command exposure_command = {
    .name = "exposure",
    .operands = "[WORKLOAD]",
    .summary = "Tell which vulnerable packages of running workloads are in use, with proof.",
    .details =
        "Reads what 'vigil watch' keeps, at any time, also while it runs. WORKLOAD is the name of "
        "a\n"
        "container, its id or the beginning of it; without one, all workloads are listed with "
        "their\n"
        "numbers. Of one workload it tells how many findings there are, with a fix, in use, also\n"
        "exploitable (known to be exploited, or an EPSS of 10 % or more), and also exposed (the\n"
        "process listens on an address that others can reach); then what is in use, each with its\n"
        "proof; what was not observed; and what is unknown and why. Unknown counts as in use.\n"
        "\n"
        "In use is what was loaded or executed; a file that was only opened is not in use. Not\n"
        "observed is said only where the workload was watched for the window without a loss.\n"
        "--severity and its like choose what is shown and counted; --fail-on sees all but what "
        "ignore\nrules set aside.\n"
        "Exit codes: 0 passed, 1 the job could not be done, 2 a gate failed.\n"
        "\n"
        "  vigil exposure web\n"
        "  vigil exposure web --why CVE-2024-5535\n"
        "  vigil exposure --host -o json\n"
        "  vigil exposure web --fail-on in-use:high",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
