// All packages of a target, and what could not be seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/distro.h"
#include "model/package.h"

namespace vigil {

enum class GapKind : uint8_t {
  kUnreadable = 0,   // A file, layer or database could not be read.
  kMalformed = 1,    // It was read and does not follow its format.
  kLimit = 2,        // A bound of base/limits.h was reached; `limit` names it.
  kUnsupported = 3,  // A known form that this program does not handle.
  kStopped = 4,      // The parsing child died or ran out of time or memory.
  kUnverified = 5,   // A digest was claimed and not checked, or does not fit.
};
std::string_view to_string(GapKind kind);

// Something that could not be read or decided. A result with gaps never looks like a clean one.
struct Gap {
  GapKind kind = GapKind::kUnreadable;
  std::string path;    // Where: path in the image, layer digest, feed.
  std::string reason;  // What and why, one sentence without the path.
  std::string limit;   // Name of the bound, for kLimit.
  bool operator==(const Gap&) const = default;
};

struct Layer {
  std::string digest;        // Of the blob as stored, "sha256:…"; "" in a docker-archive.
  std::string diff_id;       // Of the tar inside, as the image configuration claims it.
  std::string created_by;    // The build instruction from the image's history; "" where unknown.
  uint64_t bytes = 0;        // As stored.
  bool is_verified = false;  // The digest was computed from the bytes read, and fits.
  bool operator==(const Layer&) const = default;
};

enum class TargetKind : uint8_t {
  kDockerArchive = 0,
  kOciArchive = 1,
  kOciDirectory = 2,
  kDirectory = 3,
  kSbom = 4,
  kPurl = 5,
};
std::string_view to_string(TargetKind kind);  // "docker-archive", …, as the prefixes are written.

// What was scanned.
struct Target {
  TargetKind kind = TargetKind::kDirectory;
  std::string name;             // As the user wrote it, without the prefix.
  std::string image_id;         // Digest of the image configuration.
  std::string manifest_digest;  // "" in a docker-archive.
  std::vector<std::string> tags;
  std::string os;  // From the image configuration: "linux".
  std::string architecture;
  std::string variant;
  std::string created;  // As the configuration says it.
  bool operator==(const Target&) const = default;
};

// From the moment catalog returns it, an Sbom does not change.
struct Sbom {
  Target target;
  Distro distro;
  std::vector<Layer> layers;      // Base first; empty for roots and documents.
  std::vector<Package> packages;  // Sorted by sort_packages.
  std::vector<Gap> gaps;
  bool operator==(const Sbom&) const = default;
};

// Orders by kind, name, version, arch, location; duplicates (equal in all of these) are dropped.
// `old_to_new`, where wanted, maps old positions to new ones.
void sort_packages(std::vector<Package>& packages, std::vector<uint32_t>* old_to_new = nullptr);

}  // namespace vigil
