// A running root beside the image that it began as.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/severity.h"
#include "model/workload.h"

namespace vigil {

// What became of a file since the start.
enum class Drift : uint8_t {
  kAdded = 0,    // Code that no package owns: a program, a library.
  kChanged = 1,  // A package's file whose content is not what the package brought.
  kRemoved = 2,  // A package's file that is gone.
};
constexpr size_t kDriftKinds = 3;
std::string_view to_string(Drift drift);  // "added", "changed", "removed"

struct DriftedFile {
  Drift drift = Drift::kChanged;
  std::string path;      // Without a leading slash.
  int64_t package = -1;  // Whose it is: index into Sbom::packages; -1: nobody's.
  std::string digest;    // Of what is there now, "sha256:…"; "" where nothing is.
  uint64_t bytes = 0;
  UnixSeconds modified_at = 0;
  bool operator==(const DriftedFile&) const = default;
};

// A package of the root that the image has not, or not in this version.
struct PackageSinceStart {
  uint32_t package = 0;       // Index into Sbom::packages.
  std::string image_version;  // "" where the image has none of this name.
  bool operator==(const PackageSinceStart&) const = default;
};

// One of the image that the root has no more.
struct PackageRemoved {
  std::string name;
  std::string version;
  std::string arch;
  bool operator==(const PackageRemoved&) const = default;
};

// Code that runs and that no file of the root holds any more: replaced or removed on disk, as it
// was in memory until its processes are started again.
struct DeletedCode {
  struct Process {
    uint32_t pid = 0;
    std::string name;
    std::string command_line;
    bool operator==(const Process&) const = default;
  };
  std::string path;  // Without a leading slash.
  std::string
      package;  // Who owns the path, in the root or else in the image; "" where nobody does.
  std::string version;        // As it is installed; "" where it is no more.
  std::string image_version;  // As the image has it; "" where it has none, or is not known.
  std::vector<Process> processes;
  bool operator==(const DeletedCode&) const = default;
};

// A finding that only one of the two has: the root or its image.
struct FindingOfOne {
  std::string id;
  std::string package;
  std::string version;
  Severity severity = Severity::kUnknown;
  bool operator==(const FindingOfOne&) const = default;
};

struct LiveRoot {
  Workload workload;
  std::string not_compared;  // Why there is no image to compare with, a sentence; else "".
  std::vector<PackageSinceStart> packages;
  std::vector<PackageRemoved> packages_removed;
  int64_t image_findings_count = -1;        // -1: the image was not matched.
  std::vector<FindingOfOne> findings_come;  // Of the root: its image has not got them.
  std::vector<FindingOfOne> findings_gone;  // Of the image: back when it is started anew.
  std::vector<DriftedFile> drift;           // By kind, then path; bounded.
  std::array<uint64_t, kDriftKinds> drift_counts = {};  // All of them.
  uint64_t other_files_count = 0;  // Written since the start, of no package and no code.
  std::vector<DeletedCode> deleted;
  bool operator==(const LiveRoot&) const = default;
};

}  // namespace vigil
