// How far a package is in use, and how that is known.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/workload.h"

namespace vigil {

// The strongest evidence; each includes those before it.
enum class Tier : uint8_t { kInstalled = 0, kOpened = 1, kLoaded = 2, kExecuted = 3, kCalled = 4 };
std::string_view to_string(Tier tier);  // "installed", "opened", …

// kUnknown counts as in use wherever something is decided.
enum class UseVerdict : uint8_t { kInUse = 0, kNotObserved = 1, kUnknown = 2 };
std::string_view to_string(UseVerdict verdict);  // "in_use", "not_observed", "unknown"

// What raises the risk; a set of bits.
enum Facet : uint8_t {
  kListening = 1 << 0,    // A process that runs its code owns a listening socket.
  kExposed = 1 << 1,      // On an address that can be reached from outside the container.
  kAccepted = 1 << 2,     // A peer from outside did connect.
  kPrivileged = 1 << 3,   // Root, or a capability beyond the runtime's default.
  kStartupOnly = 1 << 4,  // Seen in the first seconds of the container's life only.
};
std::vector<std::string_view> facet_names(uint8_t facets);  // "listening", "exposed", …

// One file seen in use in one workload, by the process whose use of it says most: the strongest
// tier, then the one that can be reached from outside, then the first.
struct Evidence {
  Tier tier = Tier::kInstalled;
  uint8_t facets = 0;
  std::string path;  // Inside the container's root, without a leading slash.
  // Of a file of the upper layer, in every algorithm that package databases record, separated by
  // spaces: "md5:… sha1:… sha256:…". "" where it was not computed (bounded, or the file was gone).
  std::string digest;
  FileId file;
  bool is_deleted = false;  // Mapped while its name is gone or belongs to another file.
  ProcessFacts process;
  std::string command_line;
  UnixNanoseconds first_seen = 0;
  UnixNanoseconds last_seen = 0;  // Of a process that still has it mapped: the last look at it.
  uint64_t count = 0;             // Sightings; the sensor reports a file again only now and then.
  bool operator==(const Evidence&) const = default;
};

// From when to when a workload was watched, and what was lost meanwhile.
enum class Attach : uint8_t { kNone = 0, kFromStart = 1, kSnapshot = 2 };
std::string_view to_string(Attach attach);  // "none", "from_start", "snapshot"

// The end of a gap that lasts: what ran already and could not be looked at stays unseen while it
// runs.
constexpr UnixNanoseconds kLasting = std::numeric_limits<UnixNanoseconds>::max() / 2;

struct WatchGap {
  UnixNanoseconds from = 0;
  UnixNanoseconds to = 0;
  std::string reason;         // "the sensor was not running", "ring buffer full", …
  uint64_t events_count = 0;  // Lost; 0 where nobody could count them.
  bool operator==(const WatchGap&) const = default;
};

struct WatchCoverage {
  Attach attach = Attach::kNone;
  UnixNanoseconds from = 0;  // Of what was watched, inside the window asked for.
  UnixNanoseconds to = 0;
  double share = 0;  // Of the container's life inside the window, 0 to 1.
  uint64_t events_lost = 0;
  std::vector<WatchGap> gaps;
  std::string sensor;  // "bpf: tracepoints, …", "proc".
  std::vector<std::string>
      blind_spots;             // What this sensor can't see on this host, a sentence each.
  uint64_t files_unowned = 0;  // Seen in use and belonging to no package.
  bool operator==(const WatchCoverage&) const = default;
};

struct PackageExposure {
  uint32_t package = 0;  // Index into Sbom::packages.
  Tier tier = Tier::kInstalled;
  UseVerdict verdict = UseVerdict::kUnknown;
  std::string reason = {};  // For kUnknown: why. For kInUse: what must be told of it.
  uint8_t facets = 0;
  std::vector<Evidence> evidence = {};  // Strongest first, bounded.
  bool operator==(const PackageExposure&) const = default;
};

struct Exposure {
  Workload workload;
  WatchCoverage coverage;
  UnixNanoseconds window = 0;             // Length asked for.
  std::vector<PackageExposure> packages;  // One per package of the Sbom, same order.
  std::vector<Evidence> drift;            // Files in use that the image did not bring.
  std::vector<Evidence> unowned;          // In use, of the image, and of no package. Bounded.
  bool operator==(const Exposure&) const = default;
};

}  // namespace vigil
