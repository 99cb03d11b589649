// One installed thing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/purl.h"

namespace vigil {

// What kind of package it is: it decides the version order and which advisories speak of it.
enum class PackageKind : uint8_t {
  kUnknown = 0,
  kDeb = 1,
  kApk = 2,
  kRpm = 3,
  kPypi = 4,
  kNpm = 5,
  kGo = 6,
  kMaven = 7,
  kCargo = 8,
  kGem = 9,
  kComposer = 10,
  kNuget = 11,
  kPub = 12,
  kHex = 13,
  kHackage = 14,
  kCran = 15,
  kSwift = 16,
  kConan = 17,
  kBitnami = 18,
  kGithubAction = 19,
};

// Both directions of the purl type: "deb", "apk", "rpm", "pypi", "npm", "golang", "maven", "cargo",
// "gem", "composer", "nuget", "pub", "hex", "hackage", "cran", "swift", "conan", "bitnami",
// "githubactions". Anything else is kUnknown, whose type is "generic".
PackageKind package_kind(std::string_view purl_type);
std::string_view purl_type(PackageKind kind);
bool is_os_package(PackageKind kind);  // kDeb, kApk, kRpm.

// Where a package was seen.
struct Location {
  std::string path;  // The package database, in the image: "var/lib/dpkg/status". "" for documents.
  int32_t layer =
      -1;  // Index into Sbom::layers of the layer that introduced the package; -1: none.
  bool operator==(const Location&) const = default;
};

// What a package was built from: Debian's source package, Alpine's origin, the source rpm.
struct SourcePackage {
  std::string name;
  std::string version;  // Full, with epoch where the package manager knows one.
  bool operator==(const SourcePackage&) const = default;
};

struct Package {
  PackageKind kind = PackageKind::kUnknown;
  std::string name;
  // The package manager's own full version string (rpm: "epoch:version-release", a zero epoch left
  // out; dpkg: "epoch:upstream-revision").
  std::string version;
  std::string arch;
  SourcePackage source;        // Empty name: not known, or the package is its own source.
  std::string maintainer;      // dpkg and apk: maintainer; rpm: vendor.
  std::string licence;         // As the database says it; "" where it says nothing.
  std::string module;          // rpm modularity label, "name:stream:version:context".
  std::string origin;          // Repository or vendor mark where known (rpm: packager or "").
  int64_t installed_at = 0;    // UnixSeconds where the database records it.
  int32_t install_order = -1;  // Position in the order of installation where known.
  Location location;
  // The purl, with arch and distro qualifiers where they apply. In sbom: and purl: targets as the
  // document says it.
  std::string purl;
  // The distribution this package speaks of, where a purl names its own; "" is the Sbom's.
  std::string distro;
  std::string bom_ref;  // The document's own reference, for sbom: targets.
  bool operator==(const Package&) const = default;
};

// One file that a package owns.
struct OwnedFile {
  uint32_t package = 0;  // Index into Sbom::packages.
  std::string path;      // As the package database says it, without the leading slash.
  // "md5:…", "sha1:…", "sha256:…" in lower-case hex; "" where none is recorded.
  std::string digest;
  // Other names of the same file inside the root: the path with directory links resolved (merged
  // /usr), hard links. Sorted, without `path` itself.
  std::vector<std::string> aliases;
  bool operator==(const OwnedFile&) const = default;
};

}  // namespace vigil
