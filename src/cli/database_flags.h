// What all commands that use the advisory database share: where it is, whose signatures are
// trusted, what time it is.
#pragma once

#include <string>
#include <vector>

#include "advisory/database.h"
#include "advisory/signature.h"
#include "cli/command.h"

namespace vigil::cli {

constexpr Flag kDbFlag = {
    "db", 0, "DIR",
    "Folder of the advisory database (or VIGIL_DB). Else /var/lib/vigil/db for root,\n"
    "~/.local/share/vigil/db for others; where none is installed, the embedded starter."};
constexpr Flag kKeyFlag = {
    "key", 0, "FILE",
    "Public key, or a folder of them, whose signatures are trusted; may be repeated.\n"
    "Else /etc/vigil/keys/*.pub."};

// The folder that --db, VIGIL_DB or the default name, whether or not a database is in it.
std::string database_folder(const Arguments& arguments);
// The keys of --key, else those installed. An Error names a file that is none, or is not there.
Result<std::vector<advisory::PublicKey>> trusted_keys(const Arguments& arguments);
// For open_database. Only where nothing names a folder and the default one holds no database, is it
// the starter.
Result<advisory::OpenDatabaseOptions> database_options(const Arguments& arguments);

// Now, or SOURCE_DATE_EPOCH.
UnixSeconds now();

}  // namespace vigil::cli
