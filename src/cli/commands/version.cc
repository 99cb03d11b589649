#include "cli/command.h"

namespace vigil::cli {

namespace {

Result<ExitCode> run(const Arguments&) {
  TRY(print("vigil " VIGIL_VERSION "\n"));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command version_command;
const Command version_command = {.name = "version",
                                 .operands = "",
                                 .summary = "Print the version.",
                                 .details = "",
                                 .flags = {},
                                 .run = run};

}  // namespace vigil::cli
