// What changed in a running root since its start, in sentences.
#pragma once

#include <string>

#include "model/finding.h"

namespace vigil::report {

// "1 package installed, 2 of another version; 1 file of a package changed; 3 other files written",
// "nothing", or why it cannot be told.
std::string since_start_text(const LiveRoot& root);

// "its image has 170 in all; 3 came since its start"; "" where that is not known.
std::string image_findings_text(const LiveRoot& root);

// "nginx (pid 7), sh (pid 9) and 3 more"
std::string processes_text(const DeletedCode& deleted);
// "libssl3 3.0.15 is installed, and its image began with 3.0.11"; "" where no package owns it.
std::string versions_text(const DeletedCode& deleted);
// "/usr/lib/libssl.so.3 was replaced or removed and is still run by nginx (pid 7): libssl3 …"
std::string deleted_text(const DeletedCode& deleted);

}  // namespace vigil::report
