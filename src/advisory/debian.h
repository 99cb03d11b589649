// What the two feeds of Debian share: the tracker's JSON and the lists of advisories.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "advisory/feed.h"

namespace vigil::advisory {

// The shape of https://security-tracker.debian.org/tracker/data/json: package, CVE, release.
Status add_debian_tracker(std::string_view json, const FeedFile& file, AdvisorySink& sink);

// data/DSA/list and its kin. Lines that are not understood are skipped and counted.
void add_debian_list(std::string_view text, const FeedFile& file, AdvisorySink& sink);

// "29 Mar 2023", "August 26th, 2005"; 0 where it is no date.
UnixSeconds parse_debian_date(std::string_view text);

}  // namespace vigil::advisory
