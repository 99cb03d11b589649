// What two other scanners found on the same feeds and inputs, and how it differs from our findings.
#pragma once

#include <string>
#include <vector>

#include "advisory/database.h"
#include "match/match.h"
#include "model/sbom.h"

namespace vigil::goldens {

struct PeerRow {
  std::string package;
  std::string version;
  std::string id;
  std::string trivy_state;  // "-": not reported.
  std::string trivy_fixed;
  std::string grype_state;  // "-": not reported; "?": it had no data for this input.
  std::string grype_fixed;
  std::vector<std::string> grype_aliases;
};

// One input of goldens/peers/.
struct PeerInput {
  std::string name;  // "debian-11.11"
  Sbom sbom;
  std::vector<PeerRow> rows;
};

// The names of all inputs in the folder, sorted.
std::vector<std::string> peer_input_names();
Result<PeerInput> read_peer_input(const std::string& name);

enum class Peer { kTrivy, kGrype };

enum class DifferenceKind {
  kOursAlone,  // We report it, the peer does not.
  kPeerAlone,  // The peer reports it, we do not.
  kFix,        // Both report it, with another fix or another state.
};

struct Difference {
  Peer peer = Peer::kTrivy;
  DifferenceKind kind = DifferenceKind::kOursAlone;
  std::string input;
  const Package* package = nullptr;  // Null: the row names a package that the input does not have.
  std::string id;
  const Finding* ours = nullptr;   // Null for kPeerAlone.
  const PeerRow* row = nullptr;    // The peer's row; null for kOursAlone.
  bool other_peer_agrees = false;  // The other peer reports what we do (or, like us, nothing).
  // What the feed says of the package under this id, in our form.
  std::vector<Advisory> records;
  std::string compared;  // The installed version that those records are compared with.
  // All rows and all findings of ours that speak of the package.
  std::vector<const PeerRow*> package_rows;
  std::vector<const Finding*> package_findings;

  std::string text() const;  // One line for people.
};

std::vector<Difference> compare_with_peers(const PeerInput& input, const match::MatchOutput& ours,
                                           const advisory::Database& database);

// A reason why a peer may differ, checked on the feed.
struct PeerRule {
  std::string_view name;
  std::string_view reason;
  bool (*explains)(const Difference& difference);
};
std::span<const PeerRule> peer_rules();

}  // namespace vigil::goldens
