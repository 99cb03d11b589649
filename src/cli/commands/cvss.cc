// cvss: scores of CVSS vectors.
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/text_input.h"
#include "model/severity.h"

namespace vigil::cli {

namespace {

Status append_score(std::string& out, std::string_view vector) {
  const Result<Cvss> cvss = parse_cvss(vector);
  if (!cvss) return with_context(Status(std::unexpected(cvss.error())), vector);
  // FIRST's word for a score of zero; version 2 has no such band.
  const bool is_none = cvss->score == 0 && cvss->version != "2.0";
  out += fmt::format("{} {:.1f} {}\n", vector, cvss->score,
                     is_none ? "none" : to_string(severity_of(*cvss)));
  return {};
}

Result<ExitCode> run(const Arguments& arguments) {
  std::vector<std::string> vectors = arguments.operands();
  std::string out;
  ExitCode code = ExitCode::kPassed;
  // A vector that is none does not keep the others from their answers.
  const auto score = [&](std::string_view vector) -> Status {
    const Status scored = append_score(out, vector);
    if (!scored) {
      complain(scored.error().text());
      code = ExitCode::kFailed;
    }
    return {};
  };
  if (vectors.empty()) vectors.emplace_back("-");
  for (const std::string& vector : vectors) {
    if (vector == "-") {
      const std::string text = TRY(read_text("-"));
      TRY(each_line(text, score));
    } else {
      TRY(score(vector));
    }
  }
  TRY(print(out));
  return code;
}

}  // namespace

extern const Command cvss_command;
const Command cvss_command = {
    .name = "cvss",
    .operands = "[VECTOR|-]...",
    .summary = "Score CVSS vectors of version 2.0, 3.0, 3.1 and 4.0.",
    .details =
        "Prints the vector, its base score and its severity, one vector a line. With "
        "environmental\n"
        "or temporal (4.0: threat) metrics in the vector the score is theirs. '-' or nothing "
        "reads\n"
        "vectors from standard input, one a line. Exit code 1 where one of them is no vector.\n\n"
        "  vigil cvss CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
    .flags = {},
    .run = run};

}  // namespace vigil::cli
