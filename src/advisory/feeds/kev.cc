// CISA's catalog of known exploited vulnerabilities.
#include "advisory/cve_facts.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"kev/known_exploited_vulnerabilities.json",
                                          "kev/known_exploited_vulnerabilities.json.gz"};

constexpr FeedAddress kAddresses[] = {
    {"https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
     "kev/known_exploited_vulnerabilities.json", ""},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  return add_kev(TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax)),
                 file, sink);
}

}  // namespace

extern const Feed kev_feed;
const Feed kev_feed = {
    .name = "kev",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "CC0-1.0",
    .attribution = "Known Exploited Vulnerabilities Catalog, CISA, CC0-1.0",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
