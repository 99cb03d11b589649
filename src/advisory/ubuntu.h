// The Ubuntu CVE tracker's text files: one file per CVE, a line per release and source package.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "advisory/feed.h"

namespace vigil::advisory {

// Adds what one file says, one advisory per shard, and puts the shards into `shards`. Gives the
// date the CVE was published, 0 where it is not said. Lines that are not understood are skipped
// and counted; docs/feeds.md says how each status is mapped.
UnixSeconds add_ubuntu_cve(std::string_view text, std::set<std::string>& shards,
                           AdvisorySink& sink);

}  // namespace vigil::advisory
