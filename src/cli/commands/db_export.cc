// db export: the database as one file.
#include "advisory/origin.h"
#include "cli/database_flags.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {kDbFlag};

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.operands().size() != 1) {
    return fail(ErrorCode::kMalformed, "db export wants the name of the file to write");
  }
  TRY(advisory::export_database(database_folder(arguments), arguments.operands()[0]));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_export_command;
const Command db_export_command = {
    .name = "db export",
    .operands = "FILE",
    .summary = "Write the advisory database to one file, to carry it over an air gap.",
    .details =
        "The file is a tar of the manifest and its shards, compressed with zstd; the signature\n"
        "stays on it. Each shard is checked on the way. 'vigil db import' installs it.\n\n"
        "  vigil db export vigil-db.tar.zst\n\n"
        "Exit code 0: written; 1: no database is installed, it is damaged, or the disk failed.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
