// The National Vulnerability Database: year files, or pages of its API. Only facts of CVEs are
// taken from it; its CPE ranges are not matched.
#include "advisory/cve_facts.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"nvd/*.json", "nvd/nvdcve-2.0-*.json.gz"};

constexpr FeedAddress kAddresses[] = {
    {"https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{year}.json.gz",
     "nvd/nvdcve-2.0-{year}.json.gz",
     "2002,2003,2004,2005,2006,2007,2008,2009,2010,2011,2012,2013,2014,2015,2016,2017,2018,2019,"
     "2020,2021,2022,2023,2024,2025,2026"},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  return add_nvd(TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax)),
                 file, sink);
}

}  // namespace

extern const Feed nvd_feed;
const Feed nvd_feed = {
    .name = "nvd",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "public domain",
    .attribution = "This product uses the NVD API but is not endorsed or certified by the NVD",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
