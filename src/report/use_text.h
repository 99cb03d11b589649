// What was seen of a package, and how well it was watched, in sentences for documents.
#pragma once

#include <string>

#include "model/finding.h"

namespace vigil::report {

// "loaded: /usr/lib/libssl.so.3 by nginx, pid 4711 (nginx -g daemon off;), 2026-11-26T10:00:00Z to
// 2026-11-26T12:00:00Z; listening, exposed", or why that is not known.
std::string use_text(const PackageExposure& use);
// "2026-11-25T12:00:00Z to 2026-11-26T12:00:00Z: 24 h of the last 24 h, 100 % of its life in it,
// from its first process; nothing was lost".
std::string coverage_text(const Exposure& exposure);
bool is_fully_watched(const Exposure& exposure);

// The strongest proof: "nginx, pid 4711, root: nginx -g daemon off;"; "FROM to TO".
std::string process_text(const Evidence& evidence);
std::string seen_text(const Evidence& evidence);
std::string facets_text(uint8_t facets);  // "listening, exposed"; "" for none.
std::string instant_text(UnixNanoseconds at);

}  // namespace vigil::report
