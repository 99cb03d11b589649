// The tables of releases of distro-info-data: one line a release, with its dates.
#pragma once

#include <string_view>

#include "advisory/feed.h"

namespace vigil::advisory {

// Adds the releases of "debian" or "ubuntu". An Error where the table lacks its columns; rows
// without a version (sid) have no end and are left out.
Status add_release_table(std::string_view text, std::string_view distro, AdvisorySink& sink);

}  // namespace vigil::advisory
