// watch: the node agent, and what this host lets it see.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/database_flags.h"
#include "cli/length_flag.h"
#include "cli/state_flag.h"
#include "sensor/event_source.h"
#include "watch/privileges.h"
#include "watch/watch.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    kStateFlag,
    kDbFlag,
    kKeyFlag,
    {"sensor", 0, "NAME",
     "How to see: bpf (the kernel's own programs), or proc (perf, fanotify and samples, weaker). "
     "Default: the best that this host allows."},
    {"window", 0, "LENGTH",
     "How long a package must have been watched without being seen in use, to be called not "
     "observed in the lines of changes: 24h (default), 90m, 7d."},
    {"metrics", 0, "ADDR",
     "Serve Prometheus metrics at http://ADDR/metrics: 127.0.0.1:9464, [::1]:9464, or :9464 for "
     "loopback. Without this flag nothing listens."},
    {"for", 0, "LENGTH",
     "End by itself after so long, once the inventories are made: 5s, 10m. Default: never."},
    {"check", 0, "",
     "Say what this host can do and what could not be seen, and end: exit code 1 where it cannot "
     "watch."},
    {"quiet", 'q', "", "No JSON lines on standard output."},
    {"sensor-buffer", 0, "BYTES",
     "Size of the buffer between kernel and agent; a power of two. Default: 8388608."},
};

// One line for each ability, those that are missing with what takes their place.
Result<ExitCode> check(const std::string& wanted) {
  if (!wanted.empty() && sensor::find_event_source(wanted) == nullptr) {
    return fail(ErrorCode::kNotFound, "there is no sensor " + wanted);
  }
  const bool is_root = ::geteuid() == 0;
  std::string out;
  bool has_any = false;
  for (const sensor::EventSourceKind* kind : sensor::all_event_sources()) {
    if (wanted.empty() ? kind->name == "replay" : kind->name != wanted) continue;
    out += fmt::format("{}: {}\n", kind->name, kind->summary);
    const std::vector<sensor::Ability> abilities = kind->probe();
    for (const sensor::Ability& ability : abilities) {
      out += fmt::format("  {:4} {}\n", ability.is_available ? "yes" : "no", ability.name);
      if (ability.is_available) continue;
      if (!ability.reason.empty()) out += fmt::format("       why: {}\n", ability.reason);
      if (!ability.otherwise.empty()) out += fmt::format("       instead: {}\n", ability.otherwise);
    }
    // Opening it is the proof: it attaches, and sees itself do what it is to see.
    const Result<std::unique_ptr<sensor::EventSource>> opened = kind->open({});
    if (!opened) {
      out += fmt::format("  => cannot be used: {}\n\n", opened.error().text());
      continue;
    }
    out += fmt::format("  => works: {}\n", (*opened)->description());
    for (const std::string& spot : (*opened)->blind_spots()) {
      out += fmt::format("     blind spot: {}\n", spot);
    }
    out += has_any || !is_root ? "\n" : "     this is what 'vigil watch' uses\n\n";
    has_any = true;
  }
  out += "kept after start:\n";
  for (const watch::KeptCapability& one : watch::kept_capabilities()) {
    out += fmt::format("  {:20} {}\n", one.name, one.reason);
  }
  if (!is_root) {
    out += "\n=> 'vigil watch' cannot run: it needs root, and so does most of this check\n";
  }
  TRY(print(out));
  return has_any && is_root ? ExitCode::kPassed : ExitCode::kFailed;
}

Result<ExitCode> run(const Arguments& arguments) {
  if (!arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "watch takes no operand");
  }
  if (arguments.has("check")) return check(arguments.value("sensor"));
  if (::geteuid() != 0) {
    return fail(ErrorCode::kDenied,
                "watch needs root: it looks at other users' processes ('vigil watch --check' says "
                "what else it needs)");
  }
  // The keys and the folder are looked at again for each database.
  TRY(database_options(arguments));
  watch::WatchOptions options;
  options.state_folder = arguments.value("state", kDefaultState);
  options.database_folder = database_folder(arguments);
  options.database = [&] { return database_options(arguments); };
  options.sensor = arguments.value("sensor");
  options.source.ring_bytes = TRY(arguments.number("sensor-buffer", options.source.ring_bytes));
  options.window = TRY(length_of(arguments, "window", "24h"));
  if (arguments.has("for")) options.duration = TRY(length_of(arguments, "for", ""));
  options.metrics_address = arguments.value("metrics");
  options.output = arguments.has("quiet") ? -1 : STDOUT_FILENO;
  options.tell = complain;
  TRY(watch::run_watch(options));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command watch_command;
const Command watch_command = {
    .name = "watch",
    .operands = "",
    .summary = "Watch what runs on this machine, and keep which packages are in use.",
    .details =
        "The node agent. It sees which files each container and the host execute, load and open,\n"
        "keeps that as evidence in the state folder, which 'vigil exposure' reads at any time, "
        "and\n"
        "makes an inventory of each image at its first sight. When a new database is installed,\n"
        "the stored inventories are matched at once, and each container that it affects, or no\n"
        "longer affects, is told: those that use the package first.\n"
        "\n"
        "Standard output gets one JSON object a line (docs/watch.md), standard error messages.\n"
        "SIGHUP matches again; SIGTERM ends it, with everything written. It needs root, and keeps\n"
        "only the capabilities that --check names.\n"
        "\n"
        "  vigil watch --check\n"
        "  vigil watch --metrics 127.0.0.1:9464",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
