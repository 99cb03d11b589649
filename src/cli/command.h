// Commands: each is one file in commands/ and one line in commands.def. A command group ("db") is
// one file whose subcommands are rows of their own ("db build").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/exit_code.h"

namespace vigil::cli {

struct Flag {
  std::string_view name;   // Without dashes: "fail-on".
  char letter = 0;         // 'o' for -o; 0: none.
  std::string_view value;  // "SEVERITY"; empty: a switch.
  std::string_view help;   // Sentences; broken into lines where they are shown.
};

// What was typed, checked against the command's rows. A flag may be given several times.
class Arguments {
 public:
  bool has(std::string_view flag) const;
  std::string value(std::string_view flag, std::string_view fallback = "") const;  // The last one.
  std::vector<std::string> values(std::string_view flag) const;
  Result<uint64_t> number(std::string_view flag, uint64_t fallback) const;  // kMalformed names it.
  const std::vector<std::string>& operands() const { return operands_; }

  static Result<Arguments> parse(std::span<const Flag> flags, std::span<const std::string> words);

 private:
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> operands_;
};

// An environment variable, or "". Only cli reads the environment.
std::string environment(const char* name);

struct Command {
  std::string_view name;      // "scan", "db build".
  std::string_view operands;  // "TARGET", "[PACKAGE|ID]"; for the usage line.
  std::string_view summary;   // One line.
  std::string_view details;   // Paragraphs: shapes, units, errors, examples, exit codes.
  std::span<const Flag> flags;
  // Writes its result to standard output, messages to standard error. An Error becomes
  // "vigil: TEXT" and exit code 1.
  Result<ExitCode> (*run)(const Arguments& arguments);
};

std::span<const Command* const> all_commands();  // In the order of commands.def.

// Writes to standard output; a closed pipe ends the program quietly, another failure is an Error.
Status print(std::string_view text);
// "vigil: text" on standard error.
void complain(std::string_view text);

// Runs one command line; what main returns.
int run_command_line(std::span<const std::string> words);

}  // namespace vigil::cli
