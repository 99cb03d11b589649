// db fetch: upstream feeds for db build.
#include <fmt/format.h>

#include "advisory/feed_fetch.h"
#include "cli/command.h"
#include "cli/progress_line.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    {"out", 0, "DIR", "Folder of feeds to fill or renew."},
    {"mirror", 0, "URL",
     "Fetch from an http or https address that serves such a folder, instead of the publishers' "
     "own addresses."},
    {"feed", 0, "NAME", "Only this feed ('vigil list feeds' names them); may be repeated."},
    {"quiet", 'q', "", "Print nothing but errors."},
};

// "nvd: the mirror lacks nvd/nvdcve-2.0-2026.json.gz", "osv: … lacks 14 files, the first is …".
std::string absence_text(const advisory::AbsentFiles& absent) {
  std::string text = fmt::format("the mirror has {} the feed {}",
                                 absent.is_whole_feed ? "nothing of" : "not all of", absent.feed);
  if (absent.paths.size() == 1) return text + ": " + absent.paths[0] + " is not there";
  if (absent.paths.size() > 1) {
    text += fmt::format(": {} files are not there, the first is {}", absent.paths.size(),
                        absent.paths[0]);
  }
  return text;
}

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.value("out").empty() || !arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db fetch wants --out DIR and no operand");
  }
  const bool is_quiet = arguments.has("quiet");
  const bool shows_progress = ProgressLine::is_wanted(arguments);
  ProgressLine line;
  uint64_t files_count = 0;
  uint64_t bytes = 0;
  ExitCode code = ExitCode::kPassed;
  Status printed;
  const auto starts = [&](const std::string& path) {
    if (shows_progress) line.show(fetching_text(files_count, bytes, line.seconds(), path));
  };
  const auto done = [&](const advisory::FetchedFile& file) {
    line.erase();
    ++files_count;
    if (!file.is_unchanged) bytes += file.bytes;
    if (!file.status) {
      complain(file.path + ": " + file.status.error().text());
      code = ExitCode::kFailed;
    } else if (!is_quiet && printed) {
      printed = print(fmt::format("{:9} {:>12} {}\n", file.is_unchanged ? "unchanged" : "new",
                                  file.bytes, file.path));
    }
  };
  const std::vector<advisory::AbsentFiles> absent =
      TRY(advisory::fetch_feeds({.out_folder = arguments.value("out"),
                                 .mirror = arguments.value("mirror"),
                                 .feeds = arguments.values("feed")},
                                {.starts = starts, .done = done}));
  TRY(std::move(printed));
  line.erase();
  for (const advisory::AbsentFiles& one : absent) {
    if (!is_quiet) complain(absence_text(one));
  }
  return code;
}

}  // namespace

extern const Command db_fetch_command;
const Command db_fetch_command = {
    .name = "db fetch",
    .operands = "",
    .summary = "Download the feeds of advisories for 'vigil db build'.",
    .details =
        "Prints for each file whether it is new, its size in bytes and its path. A file that is\n"
        "there is asked for only if it changed; what the servers said of it is kept in\n"
        "DIR/.fetch. Feeds are not signed: their publishers are reached by https. A mirror may be\n"
        "plain http: who answers for it is yours to judge.\n\n"
        "  vigil db fetch --out feeds\n"
        "  vigil db fetch --out feeds --mirror https://mirror.example.org/feeds --feed kev\n\n"
        "Where a mirror lists its files in SHA256SUMS, all that a feed reads is fetched, whatever\n"
        "date its name has; else the publishers' names are tried. What the mirror does not have "
        "is\n"
        "named, and no failure.\n\n"
        "A file that fails keeps its old content and does not stop the others. Exit code 0: all\n"
        "that is there was fetched or unchanged; 1: one of the files failed, or the mirror has\n"
        "none of the feeds.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
