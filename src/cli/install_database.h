// What `db update` and `db import` share: installing a database from somewhere.
#pragma once

#include <string>

#include "advisory/install.h"
#include "cli/command.h"
#include "cli/database_flags.h"

namespace vigil::cli {

constexpr Flag kInstallFlags[] = {
    kDbFlag,
    {"key", 0, "FILE",
     "Public key, or a folder of them, one of which must have signed the database; may be "
     "repeated. Else those of /etc/vigil/keys are trusted."},
    {"allow-rollback", 0, "",
     "Take a database with a lower serial than the installed one, or with the same serial and "
     "another content."},
    {"accept-shrink", 0, "",
     "Take a database in which a shard lost more than a fifth of its records, or all."},
    {"quiet", 'q', "", "Print nothing but warnings and errors."},
};

// `from` is a URL, a folder or an export file. Progress and warnings go to standard error.
Result<advisory::InstallSummary> install(const Arguments& arguments, const std::string& from);
// The same, and what came of it is printed.
Result<ExitCode> install_from(const Arguments& arguments, const std::string& from);

}  // namespace vigil::cli
