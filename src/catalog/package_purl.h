// The package URL of an operating system's package, as Syft writes it, so that every tool that
// reads documents knows it again: PURL-TYPES.rst for deb, apk and rpm.
#pragma once

#include <string>

#include "model/distro.h"
#include "model/package.h"

namespace vigil::catalog {

// The namespace is the distribution's canonical id, left out where it is not known. Qualifiers:
//   arch      the package's architecture;
//   distro    "debian-12", "alpine-3.17.10": id and version as the system says it;
//   epoch     rpm only. Debian's epoch is part of the version ("1:2.3-4");
//   upstream  what it was built from, where that differs: NAME, or NAME@VERSION where the version
//             differs too; for rpm the source rpm's file name, whose epoch is the package's;
//   rpmmod    rpm only: the module label.
// Requires: is_os_package(package.kind).
std::string package_purl(const Package& package, const Distro& distro);

}  // namespace vigil::catalog
