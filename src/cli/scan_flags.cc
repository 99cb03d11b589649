#include "cli/scan_flags.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/file.h"
#include "cli/database_flags.h"
#include "cli/progress_line.h"

namespace vigil::cli {

namespace {

std::string default_cache_folder() {
  if (::geteuid() == 0) return "/var/cache/vigil";
  const std::string cache = environment("XDG_CACHE_HOME");
  if (!cache.empty()) return cache + "/vigil";
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.cache/vigil";
}

bool can_write(const report::Format& format, Content content) {
  return (content == Content::kReport ? format.write_report : format.write_sbom) != nullptr;
}

Result<const report::Format*> format_named(const std::string& name, Content content) {
  const report::Format* format = report::find_format(name);
  if (format != nullptr && can_write(*format, content)) return format;
  std::string names;
  for (const report::Format* one : report::all_formats()) {
    if (can_write(*one, content)) names += (names.empty() ? "" : ", ") + std::string(one->name);
  }
  const std::string trouble = format == nullptr ? "there is no format '" + name + "'"
                                                : "'" + name + "' cannot hold this result";
  return fail(ErrorCode::kMalformed, "-o: " + trouble + "; there are: " + names);
}

// 0 where standard output is no terminal.
size_t terminal_columns() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  const std::string typed = environment("COLUMNS");
  size_t columns = 0;
  std::from_chars(typed.data(), typed.data() + typed.size(), columns);
  winsize size = {};
  if (columns == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns == 0 ? 80 : columns;
}

// A file gets its new content whole or not at all; a device or a link (/dev/stdout) is written
// into.
Status write_result(const std::string& path, std::string_view text) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) {
    return write_atomically(path, text);
  }
  const Fd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd.is_open()) return fail_errno(path, errno);
  return with_context(write_all(fd, text), path);
}

// The format has no document for such a result. What an earlier one left in the file would be taken
// for this one's.
Status leave_out(const Output& output) {
  const std::string why = std::string(output.format->why_empty);
  const std::string name(output.format->name);
  struct stat status = {};
  const bool is_there =
      !output.file.empty() && ::lstat(output.file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  if (is_there && ::unlink(output.file.c_str()) != 0) return fail_errno(output.file, errno);
  complain("-o " + name + ": nothing is written: there is " + why +
           (is_there ? "; the older " + output.file + " was removed" : ""));
  return {};
}

void tell_stats(const scan::ScanOutcome& outcome) {
  const WorkCounts& work = outcome.work;
  const auto milliseconds = [](uint64_t us) { return static_cast<double>(us) / 1000; };
  for (const PhaseLog::Entry& entry : outcome.phases.entries()) {
    std::string text = fmt::format("{}: {:.1f} ms", entry.name, entry.milliseconds);
    if (entry.name == "parse" && work.catalog_us > 0) {
      text += fmt::format(" (layers read after {:.1f}, packages found after {:.1f})",
                          milliseconds(work.unpack_us), milliseconds(work.catalog_us));
    }
    complain(text);
  }
  if (!outcome.is_cached) {
    complain(fmt::format("read: {} bytes, unpacked {} bytes, {} files, {} packages",
                         work.bytes_read, work.bytes_inflated, work.files_count,
                         work.packages_count));
  }
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  std::string memory =
      fmt::format("peak memory: {:.1f} MiB here", static_cast<double>(usage.ru_maxrss) / 1024);
  if (!outcome.is_cached) {
    memory += fmt::format(", {:.1f} MiB in the parsing child",
                          static_cast<double>(outcome.child_peak_memory_bytes) / (1 << 20));
  }
  complain(memory);
  std::string on = outcome.is_cached ? "none was needed: the inventory is from the cache" : "";
  for (const std::string& one : outcome.protections) on += (on.empty() ? "" : ", ") + one;
  complain("protections of the parsing child: " + on);
}

}  // namespace

report::WriteOptions terminal_options() {
  report::WriteOptions options;
  options.columns = terminal_columns();
  options.is_coloured =
      options.columns > 0 && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  return options;
}

Result<scan::ScanOptions> scan_options(const Arguments& arguments) {
  scan::ScanOptions options;
  options.platform = arguments.value("platform");
  options.distro = arguments.value("distro");
  if (arguments.has("distro") && !parse_distro(options.distro).is_known()) {
    return fail(ErrorCode::kMalformed, "--distro '" + options.distro +
                                           "' names no distribution; wants debian-12, or "
                                           "alpine:3.17, or ubuntu:jammy");
  }
  options.threads_count = TRY(arguments.number("threads", 0));
  constexpr size_t kThreadsMax = 1024;
  if (options.threads_count > kThreadsMax) {
    return fail(ErrorCode::kMalformed, "--threads wants a number up to 1024");
  }
  options.with_files = arguments.has("files");
  options.verify_diff_ids = arguments.has("verify-diff-ids");
  if (!arguments.has("no-cache")) {
    options.cache_folder = arguments.value("cache-dir", default_cache_folder());
  }
  options.now = now();
  options.progress = scan_progress(arguments);
  options.match_progress = match_progress(arguments);
  return options;
}

Result<report::DisplayFilter> display_filter(const Arguments& arguments) {
  report::DisplayFilter filter;
  for (const std::string& list : arguments.values("severity")) {
    const std::vector<Severity> named =
        TRY(with_context(report::parse_severities(list), "--severity"));
    filter.severities.insert(filter.severities.end(), named.begin(), named.end());
  }
  std::vector<FixState>& ignored = filter.ignored_states;
  for (const std::string& list : arguments.values("ignore-states")) {
    const std::vector<FixState> named =
        TRY(with_context(report::parse_fix_states(list), "--ignore-states"));
    ignored.insert(ignored.end(), named.begin(), named.end());
  }
  if (arguments.has("only-fixed") && arguments.has("only-notfixed")) {
    return fail(ErrorCode::kMalformed, "--only-fixed and --only-notfixed together show nothing");
  }
  if (arguments.has("only-notfixed")) ignored.push_back(FixState::kFixed);
  if (arguments.has("only-fixed")) {
    ignored.insert(ignored.end(),
                   {FixState::kAffected, FixState::kWillNotFix, FixState::kFixDeferred,
                    FixState::kEndOfLife, FixState::kNotAffected, FixState::kUnderInvestigation});
  }
  return filter;
}

Result<std::string> target_operand(const Arguments& arguments) {
  const std::vector<std::string>& operands = arguments.operands();
  if (operands.size() == 1) return operands[0];
  if (operands.empty()) {
    return fail(ErrorCode::kMalformed,
                "a target is missing; 'vigil scan --help' says what may be one");
  }
  // As Trivy has it: the kind as a word of its own.
  constexpr std::string_view kWords[][2] = {
      {"image", ""}, {"fs", "dir:"}, {"filesystem", "dir:"}, {"rootfs", "dir:"}, {"sbom", "sbom:"}};
  for (const auto& [word, prefix] : kWords) {
    if (operands[0] != word) continue;
    return fail(ErrorCode::kMalformed,
                "the kind is a prefix here: vigil scan " + std::string(prefix) + operands[1]);
  }
  return fail(ErrorCode::kMalformed, "one target at a time; '" + operands[1] + "' is one more");
}

Result<std::vector<Output>> outputs_of(const Arguments& arguments, Content content) {
  std::vector<std::string> wanted = arguments.values("output");
  if (wanted.empty()) wanted.emplace_back("table");
  std::vector<Output> outputs;
  for (const std::string& one : wanted) {
    const size_t equals = one.find('=');
    Output output;
    output.format = TRY(format_named(one.substr(0, equals), content));
    if (equals != std::string::npos) output.file = one.substr(equals + 1);
    if (equals != std::string::npos && output.file.empty()) {
      return fail(ErrorCode::kMalformed, "-o " + one + ": the file's name is missing");
    }
    outputs.push_back(std::move(output));
  }
  if (std::ranges::count(outputs, "", &Output::file) > 1) {
    return fail(ErrorCode::kMalformed,
                "only one result can go to standard output; name a file: -o FORMAT=FILE");
  }
  return outputs;
}

Status write_outputs(std::span<const Output> outputs, Content content, const Report& report,
                     const Arguments& arguments) {
  for (const Output& output : outputs) {
    report::WriteOptions options =
        output.file.empty() ? terminal_options() : report::WriteOptions{};
    options.with_files = arguments.has("files");
    options.lists_all = arguments.has("all");
    options.is_short = arguments.has("short");
    options.shows_suppressed = arguments.has("show-suppressed");
    const auto write =
        content == Content::kReport ? output.format->write_report : output.format->write_sbom;
    const std::string text = TRY(write(report, options));
    if (text.empty()) {
      TRY(leave_out(output));
    } else if (output.file.empty()) {
      TRY(print(text));
    } else {
      TRY(write_result(output.file, text));
    }
  }
  return {};
}

void tell(const scan::ScanOutcome& outcome, const Arguments& arguments) {
  if (!arguments.has("quiet")) {
    for (const std::string& note : outcome.notes) complain(note);
  }
  if (arguments.has("stats")) tell_stats(outcome);
}

}  // namespace vigil::cli
