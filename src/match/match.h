// From packages and advisories to findings and verdicts. Pure: it sees an Sbom and a Database,
// never an image, so old inventories can be matched again when advisories change.
#pragma once

#include "advisory/database.h"
#include "base/result.h"
#include "model/finding.h"
#include "model/sbom.h"

namespace vigil::match {

struct MatchOptions {
  UnixSeconds now = 0;  // For end of life.
  size_t threads_count = 1;
  uint64_t* judged_count = nullptr;  // Counts packages as they are judged, atomically; may be null.
};

// What match fills in a Report: verdicts, findings (most urgent first), notices, database, gaps
// added to the Sbom's (a damaged shard, a version too long), end_of_life.
struct MatchOutput {
  std::vector<PackageVerdict> verdicts;  // One per package, same order.
  std::vector<Finding> findings;
  std::vector<Finding> notices;
  std::vector<Gap> gaps;
  DatabaseUse database;
  std::string end_of_life;
};
Result<MatchOutput> match_sbom(const Sbom& sbom, const advisory::Database& database,
                               const MatchOptions& options);

// Whether a package could not be judged because the database is damaged: the answer is worth
// nothing then, however many other packages were judged.
bool is_damage(const PackageVerdict& verdict);

}  // namespace vigil::match
