// From statements to findings: one finding per id, with every record that matched under it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "match/matcher.h"
#include "model/finding.h"

namespace vigil::match {

// The findings of one package, sorted by id, notices among them. Filled: all but `package`, what
// comes from CveFacts, severity by CVSS, risk and fingerprint. Settles the statements on the way.
std::vector<Finding> merge_findings(const Matcher& matcher, const Plan& plan,
                                    std::vector<StatementView> statements);

}  // namespace vigil::match
