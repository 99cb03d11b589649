// db update: a newer database from an address or a folder.
#include "cli/install_database.h"

namespace vigil::cli {

namespace {

// --from first, as it is the one that must be given.
constexpr Flag kFlags[] = {
    {"from", 0, "URL|DIR", "Where the new database is: an http or https address, or a folder."},
    kInstallFlags[0],
    kInstallFlags[1],
    kInstallFlags[2],
    kInstallFlags[3],
    kInstallFlags[4],
};

Result<ExitCode> run(const Arguments& arguments) {
  if (!arguments.has("from") || !arguments.operands().empty()) {
    return fail(
        ErrorCode::kMalformed,
        "db update wants --from URL or DIR, and no operand; where nobody publishes a database for "
        "you, 'vigil db fetch' and 'vigil db build' make one");
  }
  return install_from(arguments, arguments.value("from"));
}

}  // namespace

extern const Command db_update_command;
const Command db_update_command = {
    .name = "db update",
    .operands = "",
    .summary = "Bring the advisory database under a newer signed manifest.",
    .details =
        "Reads manifest.json below the address or folder, and then only those shards that the\n"
        "database does not hold yet. What interrupts it, and whenever, leaves the old database in\n"
        "use; the next try goes on where this one stopped.\n\n"
        "An address needs a signature by a trusted key; it may be plain http, since the signature\n"
        "covers everything. A folder may be unsigned, and every result says so; with --key it\n"
        "must be signed too. An expired database is taken with a warning.\n\n"
        "  vigil db update --from https://mirror.example.org/vigil --key publisher.pub\n\n"
        "Exit code 0: installed, or nothing newer was there; 1: refused or failed.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
