// vigil's own JSON as input: for `explain --report`, `convert` and sbom: targets. Hostile input.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "model/finding.h"

namespace vigil::report {

// The member `schema` of our documents: a program reads what has the number it knows. Members are
// added under the same number; renamed or removed ones make it a higher one.
constexpr std::string_view kReportSchema = "vigil/1";

// Reads what the format json wrote: a report, or an inventory (then verdicts, findings and database
// are empty). Writing the result again gives the same bytes. kMalformed where a word, an index or a
// place is wrong, with its path in the document; kUnsupported for another schema number.
Result<Report> read_report(std::string_view text);

// The same for a document that is parsed already.
bool is_report(JsonView root);
Result<Report> report_of_json(JsonView root);

// Whatever can be read: a report or an inventory of ours, or an SBOM (see sbom_reader.h).
struct Document {
  Report report;
  bool is_inventory = false;  // Without verdicts and findings: for write_sbom.
};
Result<Document> read_document(std::string_view text);

}  // namespace vigil::report
