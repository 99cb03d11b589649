// SBOM documents as input: CycloneDX JSON 1.2 to 1.6, SPDX JSON 2.2 and 2.3, Syft JSON. Hostile
// input.
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/sbom.h"

namespace vigil::report {

// Recognises the document by its content. Components without a purl or a usable type become
// packages of kind kUnknown (not checkable, and counted), never disappear.
Result<Sbom> read_sbom(std::string_view text);

// One purl a line; empty lines and lines that begin with '#' are passed over. A line that is not a
// purl is a Gap whose path is "line N"; where no line is one, an Error that names the first.
Result<Sbom> read_purls(std::string_view text);

// A package from a purl, with the rules of purl: and sbom: targets: `epoch=` belongs to the
// version (rpm and deb; what is no number is left out); `upstream=NAME@VERSION` carries its own
// version, a bare NAME inherits version and epoch; `arch=`, `distro=`, `rpmmod=`/`modularitylabel=`
// are honoured.
Package package_of_purl(const Purl& purl);

}  // namespace vigil::report
