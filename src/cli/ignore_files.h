// Which ignore files a command reads.
#pragma once

#include <vector>

#include "cli/command.h"
#include "match/ignore_rules.h"

namespace vigil::cli {

constexpr Flag kIgnoreFileFlag = {
    "ignorefile", 0, "FILE",
    "Rules about findings to set aside; may be repeated. Trivy's and Grype's files are understood, "
    "too. Default: what is there of .vigilignore.yaml, .trivyignore.yaml and .trivyignore in the "
    "working folder."};
constexpr Flag kNoIgnoreFileFlag = {"no-ignorefile", 0, "",
                                    "Read no ignore file that is not named."};

struct IgnoreFiles {
  std::vector<match::IgnoreRule> rules;
  std::vector<std::string> notes;  // Files that nobody named and that count all the same.
};
// An Error names the file, the line and what to write instead.
Result<IgnoreFiles> ignore_files(const Arguments& arguments);

}  // namespace vigil::cli
