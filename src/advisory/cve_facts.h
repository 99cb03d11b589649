// Parsers of the feeds that tell facts of a CVE, whatever package has it. All are hostile input; a
// record that is not understood is skipped and counted. Facts go to the shard kFactsShard.
#pragma once

#include <string_view>

#include "advisory/feed.h"

namespace vigil::advisory {

constexpr std::string_view kFactsShard = "facts";

// CISA's catalog of known exploited vulnerabilities (the shape of
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json).
Status add_kev(std::string_view json, const FeedFile& file, AdvisorySink& sink);

// FIRST's scores: a comment "#model_version:…,score_date:…", then "cve,epss,percentile".
Status add_epss(std::string_view csv, const FeedFile& file, AdvisorySink& sink);
// The date in the comment; 0 where there is none.
UnixSeconds epss_date(std::string_view csv);

// A file of NVD's, a year or a page of the API 2.0 (https://csrc.nist.gov/schema/nvd/api/2.0/
// cve_api_json_2.0.schema): CVSS of all versions, CWE, dates, rejected CVEs.
Status add_nvd(std::string_view json, const FeedFile& file, AdvisorySink& sink);

// One CVE record, format 5 (https://github.com/CVEProject/cve-schema): CVSS and CWE of whoever
// assigned the CVE and of CISA's container. Returns when it was last changed; 0 where not said.
Result<UnixSeconds> add_cve_record(std::string_view json, AdvisorySink& sink);

}  // namespace vigil::advisory
