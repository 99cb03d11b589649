// compare-versions: the orders of src/version, to be asked and tested from outside.
#include "cli/command.h"
#include "cli/text_input.h"
#include "report/format.h"
#include "version/version.h"

namespace vigil::cli {

namespace {

// "A < B", "A = B" or "A > B".
Status append_answer(std::string& out, const version::Scheme& scheme, std::string_view a,
                     std::string_view b) {
  const std::strong_ordering order = TRY(version::compare(scheme, a, b));
  out += report::terminal_text(a);
  out += order < 0 ? " < " : order > 0 ? " > " : " = ";
  out += report::terminal_text(b);
  out += '\n';
  return {};
}

// "A B" with any blanks between.
Status append_line(std::string& out, const version::Scheme& scheme, std::string_view line) {
  constexpr std::string_view kBlank = " \t";
  const size_t end = line.find_first_of(kBlank);
  const size_t next = line.find_first_not_of(kBlank, end);
  if (next == std::string_view::npos || line.find_first_of(kBlank, next) != line.npos) {
    return fail(ErrorCode::kMalformed, "wants two versions with a blank between them");
  }
  return append_answer(out, scheme, line.substr(0, end), line.substr(next));
}

Result<const version::Scheme*> scheme_named(const std::string& name) {
  const version::Scheme* scheme = version::find_scheme(name);
  if (scheme != nullptr) return scheme;
  std::string names;
  for (const version::Scheme* one : version::all_schemes()) {
    names += (names.empty() ? "" : ", ") + std::string(one->name);
  }
  return fail(ErrorCode::kNotFound, "there is no scheme '" + name + "'; there are: " + names);
}

Result<ExitCode> run(const Arguments& arguments) {
  const std::vector<std::string>& operands = arguments.operands();
  if (operands.empty()) {
    return fail(ErrorCode::kMalformed, "compare-versions wants a SCHEME; --help says more");
  }
  const version::Scheme* scheme = TRY(scheme_named(operands[0]));
  std::string out;
  if (operands.size() <= 2) {
    const std::string path = operands.size() == 2 ? operands[1] : "-";
    const std::string text = TRY(read_text(path));
    const Status read =
        each_line(text, [&](std::string_view line) { return append_line(out, *scheme, line); });
    TRY(print(out));
    TRY(with_context(read, path));
    return ExitCode::kPassed;
  }
  if (operands.size() % 2 == 0) {
    return fail(ErrorCode::kMalformed,
                "the version " + operands.back() + " has nothing to be compared with");
  }
  for (size_t i = 1; i < operands.size(); i += 2) {
    TRY(append_answer(out, *scheme, operands[i], operands[i + 1]));
  }
  TRY(print(out));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command compare_versions_command;
const Command compare_versions_command = {
    .name = "compare-versions",
    .operands = "SCHEME [A B]...",
    .summary = "Say which of two versions is the later one, by the rules of a package manager.",
    .details =
        "Prints A < B, A = B or A > B for each pair: the pairs of the command line, else those of\n"
        "the file named after the SCHEME, else of standard input, one pair a line with a blank\n"
        "between. 'vigil list schemes' names the schemes.\n\n"
        "  vigil compare-versions debian 1.0~rc1 1.0\n"
        "  vigil compare-versions alpine pairs.txt",
    .flags = {},
    .run = run};

}  // namespace vigil::cli
