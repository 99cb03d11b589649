// From statements to findings: one finding per id, with every record that matched under it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "match/matcher.h"
#include "model/finding.h"

namespace vigil::match {

// A statement under one of its ids. Borrows from the statement and its advisory.
struct PlacedView {
  std::string_view id;
  const StatementView* statement;
};

// All statements about one package under their ids, sorted: what stands under one id is together,
// notices apart from vulnerabilities.
std::vector<PlacedView> place_statements(std::span<const StatementView> statements);
// The first place at or behind `from` where another group begins.
size_t end_of_group(std::span<const PlacedView> placed, size_t from);

// The findings of one package, or of some whole groups of it, sorted by id, notices among them.
// Filled: all but `package`, what comes from CveFacts, severity by CVSS, risk and fingerprint.
std::vector<Finding> merge_findings(const Matcher& matcher, const Plan& plan,
                                    std::span<const PlacedView> placed);

}  // namespace vigil::match
