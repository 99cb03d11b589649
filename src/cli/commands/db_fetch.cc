// db fetch: upstream feeds for db build.
#include <fmt/format.h>

#include "advisory/feed_fetch.h"
#include "cli/command.h"

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

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.value("out").empty() || !arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db fetch wants --out DIR and no operand");
  }
  const bool is_quiet = arguments.has("quiet");
  ExitCode code = ExitCode::kPassed;
  Status printed;
  TRY(advisory::fetch_feeds({.out_folder = arguments.value("out"),
                             .mirror = arguments.value("mirror"),
                             .feeds = arguments.values("feed")},
                            [&](const advisory::FetchedFile& file) {
                              if (!file.status) {
                                complain(file.path + ": " + file.status.error().text());
                                code = ExitCode::kFailed;
                              } else if (!is_quiet && printed) {
                                printed = print(fmt::format("{:9} {:>12} {}\n",
                                                            file.is_unchanged ? "unchanged" : "new",
                                                            file.bytes, file.path));
                              }
                            }));
  TRY(std::move(printed));
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
        "A file that fails keeps its old content and does not stop the others. Exit code 0: all\n"
        "were fetched or unchanged; 1: one of them failed.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
