// Tables of releases with their dates.
#pragma once

#include <string_view>

#include "advisory/feed.h"

namespace vigil::advisory {

// Adds the releases of "debian" or "ubuntu" from the table of distro-info-data, a line each. An
// Error where it lacks its columns; rows without a version (sid) have no end and are left out.
Status add_release_table(std::string_view text, std::string_view distro, AdvisorySink& sink);
// Adds Alpine's, from what https://alpinelinux.org/releases.json has. An Error where that holds no
// branches; edge has no end and is left out.
Status add_alpine_releases(std::string_view json, AdvisorySink& sink);

}  // namespace vigil::advisory
