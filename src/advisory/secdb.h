// "secdb": the security database of apk distributions (Alpine, Wolfi, Chainguard). It lists, for
// each origin package, the versions that fixed something and the ids of what they fixed; Alpine's
// old releases have it as YAML, all others as JSON. Hostile input.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "advisory/feed.h"

namespace vigil::advisory {

struct SecdbPackage {
  std::string name;  // The origin.
  // A version and the strings listed under it, as written.
  std::vector<std::pair<std::string, std::vector<std::string>>> fixes;
};

struct SecdbDocument {
  std::string distroversion;  // "v3.17", "edge"; "" for the rolling distributions.
  std::string reponame;       // "main", "community", "os".
  std::vector<SecdbPackage> packages;
};

// JSON where the text begins with '{', else YAML.
Result<SecdbDocument> parse_secdb(std::string_view text);

// The ids in one string under a fix version: "CVE-2017-12122 TALOS-2017-0488",
// "CVE-2019-17349 CVE-2019-17350 XSA-295", "CVE-2018-14881 (BGP)", "CVE-2022-????? XSA-398",
// "CVE_2019-2426", "CVE-2021-35940.patch".
struct SecdbIds {
  std::vector<std::string> cves;
  std::vector<std::string> others;
  bool operator==(const SecdbIds&) const = default;
};
SecdbIds parse_secdb_ids(std::string_view text);

// Adds one advisory per id; docs/feeds.md says how each case is decided.
void add_secdb(const SecdbDocument& document, std::string_view source, std::string_view shard,
               AdvisorySink& sink);

}  // namespace vigil::advisory
