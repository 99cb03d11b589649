// db import: a database from the one file that db export wrote.
#include "cli/install_database.h"

namespace vigil::cli {

namespace {

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.operands().size() != 1) {
    return fail(ErrorCode::kMalformed, "db import wants one file, as 'vigil db export' writes it");
  }
  return install_from(arguments, arguments.operands()[0]);
}

}  // namespace

extern const Command db_import_command;
const Command db_import_command = {
    .name = "db import",
    .operands = "FILE",
    .summary = "Install the advisory database of an export file.",
    .details =
        "The file is checked as 'vigil db update' checks what it fetches: serial, shrinking\n"
        "shards, every digest; the signature where there is one, or must be one (--key).\n\n"
        "  vigil db import vigil-db.tar.zst --key publisher.pub\n\n"
        "Exit code 0: installed, or nothing newer was in it; 1: refused or failed.",
    .flags = kInstallFlags,
    .run = run};

}  // namespace vigil::cli
