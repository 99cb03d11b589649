// How Syft, Grype and Trivy call kinds of packages.
#pragma once

#include <string_view>

#include "model/package.h"

namespace vigil::report {

struct PeerNames {
  PackageKind kind;
  std::string_view syft_type;      // syft/pkg/type.go
  std::string_view syft_language;  // syft/pkg/language.go; "" for packages of a system.
  std::string_view grype_matcher;  // grype/match/matcher_type.go
  std::string_view trivy_type;     // Of a result of class lang-pkgs; "" for packages of a system.
};

const PeerNames& peer_names(PackageKind kind);
PackageKind kind_of_syft_type(std::string_view type);  // kUnknown where it is none of ours.

}  // namespace vigil::report
