// Which distribution a root says it is: os-release, and where that is missing the older files that
// each distribution has of its own. They are parsed, never run, and believed: a root can claim to
// be anything, so the release a package is checked against is shown with every result.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "image/image.h"
#include "model/distro.h"
#include "model/sbom.h"

namespace vigil::catalog {

std::span<const image::Claim> distro_claims();

struct DistroReading {
  Distro distro;  // Unknown where no file says it.
  std::vector<Gap> gaps;
};
DistroReading read_distro(const image::ImageFs& fs);

// One line of the files that say "NAME release VERSION (CODENAME)", and SuSE-release's
// "NAME VERSION (ARCHITECTURE)". Unknown where it is of another form. Hostile input.
Distro parse_release_line(std::string_view text);
// etc/lsb-release: DISTRIB_ID, DISTRIB_RELEASE, DISTRIB_CODENAME. Hostile input.
Distro parse_lsb_release(std::string_view text);
// etc/debian_version: "12.5", or "bookworm/sid" before a release. Hostile input.
Distro parse_debian_version(std::string_view text);

}  // namespace vigil::catalog
