// Records of the OSV schema (https://ossf.github.io/osv-schema/), in which the language ecosystems
// and many distributions publish. Hostile input.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "advisory/feed.h"
#include "base/json.h"

namespace vigil::advisory {

struct OsvEcosystem;  // Its rules: the table in osv.cc.

// The ecosystem as OSV spells it, without a release ("PyPI", "Rocky Linux"); null where no matcher
// looks for its packages.
const OsvEcosystem* find_osv_ecosystem(std::string_view name);

// Reads records of one ecosystem and adds one advisory per record and shard. docs/feeds.md says how
// each field is understood. One thread; what it is made with must outlive it.
class OsvReader {
 public:
  OsvReader(const OsvEcosystem& ecosystem, const FeedFile& file, AdvisorySink& sink);

  // Adds a record, or counts why it is left out. An Error where the text is no JSON.
  Status add(std::string_view json);
  // Names the source of every shard. Call it once, after the last record.
  void finish();

 private:
  const OsvEcosystem& ecosystem_;
  const FeedFile& file_;
  AdvisorySink& sink_;
  JsonDocument document_;
  std::set<std::string, std::less<>> shards_;
  UnixSeconds newest_ = 0;
};

}  // namespace vigil::advisory
