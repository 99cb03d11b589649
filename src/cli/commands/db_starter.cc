// db starter: renews the fact tables in the source tree. For those who make releases.
#include <fmt/format.h>

#include "advisory/starter_tables.h"
#include "base/file.h"
#include "cli/command.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    {"feeds", 0, "DIR", "Folder of upstream feeds, laid out as docs/feeds.md says."},
    {"out", 0, "DIR", "Where the tables go: data/starter of the source tree."},
};

Result<ExitCode> run(const Arguments& arguments) {
  const std::string out = arguments.value("out");
  if (!arguments.has("feeds") || out.empty() || !arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db starter wants --feeds DIR, --out DIR and no operand");
  }
  const std::vector<advisory::StarterTable> tables =
      TRY(advisory::make_starter_tables(arguments.value("feeds")));
  TRY(make_folders(out));
  for (const advisory::StarterTable& table : tables) {
    TRY(write_atomically(out + "/" + table.file_name(), table.bytes));
    TRY(print(fmt::format("{:<14} {:>7} records {:>9} bytes\n", table.head.name,
                          table.records_count, table.bytes.size())));
    for (const auto& [reason, count] : table.skipped) {
      TRY(print(fmt::format("  {:>7} left out: {}\n", count, reason)));
    }
  }
  TRY(write_atomically(out + "/ATTRIBUTION.md", advisory::starter_attribution(tables)));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_starter_command;
const Command db_starter_command = {
    .name = "db starter",
    .operands = "",
    .summary = "Renew the fact tables of the starter database (for releases).",
    .details =
        "Writes one compressed table per source that may be passed on, and ATTRIBUTION.md. The\n"
        "program is built with a database made from them. The same feeds give the same bytes.",
    .flags = kFlags,
    .run = run,
};

}  // namespace vigil::cli
