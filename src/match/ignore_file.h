// Files of ignore rules. Hostile input: a repository brings its own.
//
// A name that ends in .yaml or .yml means YAML, of one of three kinds that its members tell:
//   rules:            vigil's own; docs/scan.md describes it
//   vulnerabilities:  Trivy's .trivyignore.yaml (trivy.dev, "Filtering"); what it says of secrets,
//                     misconfigurations and licences is passed over
//   ignore:           Grype's .grype.yaml (github.com/anchore/grype, "Specifying matches to
//                     ignore"); the rest of that file is passed over
// Any other name means Trivy's .trivyignore: an id a line, "exp:2027-01-31" and "# why" after it.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "match/ignore_rules.h"

namespace vigil::match {

// `name` stands in the rules' places and in messages, which name the line and what to write
// instead. A condition that is not understood is an Error: without it a rule would hide more than
// was meant.
Result<std::vector<IgnoreRule>> read_ignore_file(std::string_view text, std::string_view name);

}  // namespace vigil::match
