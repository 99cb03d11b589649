#include "cli/command.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/file.h"
#include "report/format.h"

namespace vigil::cli {

#define VIGIL_COMMAND(symbol) extern const Command symbol##_command;
#include "cli/commands.def"
#undef VIGIL_COMMAND

namespace {

const Command* const kCommands[] = {
#define VIGIL_COMMAND(symbol) &symbol##_command,
#include "cli/commands.def"
#undef VIGIL_COMMAND
};

constexpr int kFirstFlag = 1000;  // What getopt_long calls the first row of flags.

std::string usage_line(const Command& command) {
  std::string line = "Usage: vigil " + std::string(command.name);
  if (!command.flags.empty()) line += " [FLAGS]";
  if (!command.operands.empty()) line += " " + std::string(command.operands);
  return line + "\n";
}

std::string flag_head(const Flag& flag) {
  std::string head = flag.letter != 0 ? std::string("-") + flag.letter + ", " : "    ";
  head += "--" + std::string(flag.name);
  if (!flag.value.empty()) head += " " + std::string(flag.value);
  return head;
}

constexpr size_t kHelpColumns = 96;
constexpr size_t kFlagColumns = 26;

// The words of `help` beside the flag, as many a line as fit.
std::string flag_help(const Flag& flag) {
  std::string out;
  std::string line = "  " + flag_head(flag);
  const auto next_line = [&] {
    out += line + "\n";
    line.clear();
  };
  if (line.size() + 2 > kFlagColumns) next_line();
  std::string_view help = flag.help;
  while (!help.empty()) {
    const size_t end = std::min(help.find_first_of(" \n"), help.size());
    const std::string_view word = help.substr(0, end);
    help.remove_prefix(std::min(end + 1, help.size()));
    if (line.size() + 1 + word.size() > kHelpColumns) next_line();
    if (line.size() < kFlagColumns) {
      line.resize(kFlagColumns, ' ');
    } else {
      line += ' ';
    }
    line += word;
  }
  next_line();
  return out;
}

std::string command_help(const Command& command) {
  std::string out = std::string(command.summary) + "\n\n" + usage_line(command);
  if (!command.details.empty()) out += "\n" + std::string(command.details) + "\n";
  if (!command.flags.empty()) out += "\nFlags:\n";
  for (const Flag& flag : command.flags) out += flag_help(flag);
  return out;
}

// The commands whose names begin so, a line each; "" where there are none.
std::string command_list(std::string_view beginning) {
  std::string out;
  size_t width = 0;
  for (const Command* command : all_commands()) width = std::max(width, command->name.size());
  for (const Command* command : all_commands()) {
    if (!command->name.starts_with(beginning)) continue;
    std::string line = "  " + std::string(command->name);
    line.resize(width + 4, ' ');
    out += line + std::string(command->summary) + "\n";
  }
  return out;
}

constexpr const char* kMoreHelp =
    "\nvigil COMMAND --help says more. vigil --version prints the version.\n";

std::string overview() {
  return "vigil finds the known vulnerabilities of container images and says which packages it "
         "could\nnot check, and which of the vulnerable ones are in use on running systems.\n\n"
         "Usage: vigil COMMAND [FLAGS] [OPERANDS]\n\nCommands:\n" +
         command_list("") + kMoreHelp;
}

bool is_help(std::string_view word) {
  return word == "--help" || word == "-h";
}

// The command named by the first words ("db build" before "db"), and how many words that took.
std::pair<const Command*, size_t> find_command(std::span<const std::string> words) {
  for (size_t count = std::min<size_t>(2, words.size()); count > 0; --count) {
    std::string name = words[0];
    if (count == 2) name += " " + words[1];
    for (const Command* command : all_commands()) {
      if (command->name == name) return {command, count};
    }
  }
  return {nullptr, 0};
}

std::string unknown_command(const std::string& word) {
  if (word.starts_with('-')) return "unknown flag " + word + "; 'vigil --help' lists the commands";
  std::string group;
  for (const Command* command : all_commands()) {
    if (command->name.starts_with(word + " ")) {
      group += (group.empty() ? "" : ", ") + std::string(command->name);
    }
  }
  if (!group.empty()) return "'" + word + "' needs one of: " + group;
  return "there is no command '" + word + "'; 'vigil scan TARGET' scans, 'vigil --help' lists all";
}

// What a flag of Trivy or Grype is called here; "" where nothing is.
std::string_view counterpart(std::string_view flag) {
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr Pair kCounterparts[] = {
      {"-f", "-o FORMAT[=FILE]"},
      {"--format", "-o FORMAT[=FILE]"},
      {"--file", "-o FORMAT=FILE"},
      {"--ignore-unfixed", "--only-fixed"},
      {"--ignore-status", "--ignore-states"},
      {"--input", "vigil scan FILE"},
      {"--skip-db-update", "left out: nothing is fetched without --update"},
      {"--offline-scan", "left out: nothing is fetched without --update"},
      {"--scanners", "left out: vulnerabilities are all that is looked for"},
      {"--add-cpes-if-none", "left out: nothing is matched by CPE"},
      {"--by-cve", "left out: findings go by CVE"},
  };
  flag = flag.substr(0, flag.find('='));
  const auto found = std::ranges::find(kCounterparts, flag, &Pair::first);
  return found == std::end(kCounterparts) ? "" : found->second;
}

std::unexpected<Error> unknown_flag(const std::string& word) {
  const std::string_view here = counterpart(word);
  return fail(ErrorCode::kMalformed,
              "unknown flag " + word +
                  (here.empty() ? "; --help lists them" : "; here it is " + std::string(here)));
}

// A run at another time than the one asked for would not repeat anything; the specification
// (reproducible-builds.org/specs/source-date-epoch) wants it to fail.
Status check_source_date(const std::string& text) {
  constexpr uint64_t kLastSecond = 253'402'300'799;  // 9999-12-31T23:59:59Z.
  uint64_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (text.empty() || (is_number && seconds <= kLastSecond)) return {};
  return fail(ErrorCode::kMalformed,
              "SOURCE_DATE_EPOCH wants seconds since 1970, not '" + text + "'");
}

}  // namespace

std::span<const Command* const> all_commands() {
  return kCommands;
}

bool Arguments::has(std::string_view flag) const {
  return std::ranges::any_of(given_, [&](const auto& pair) { return pair.first == flag; });
}

std::string Arguments::value(std::string_view flag, std::string_view fallback) const {
  const std::vector<std::string> all = values(flag);
  return all.empty() ? std::string(fallback) : all.back();
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> out;
  for (const auto& [name, content] : given_) {
    if (name == flag) out.push_back(content);
  }
  return out;
}

Result<uint64_t> Arguments::number(std::string_view flag, uint64_t fallback) const {
  if (!has(flag)) return fallback;
  const std::string text = value(flag);
  uint64_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return fail(ErrorCode::kMalformed,
                "--" + std::string(flag) + " wants a whole number, not '" + text + "'");
  }
  return out;
}

Result<Arguments> Arguments::parse(std::span<const Flag> flags,
                                   std::span<const std::string> words) {
  std::string letters = ":";
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.emplace_back(flag.name);
  std::vector<option> options;
  for (size_t i = 0; i < flags.size(); ++i) {
    const int has_value = flags[i].value.empty() ? no_argument : required_argument;
    options.push_back({names[i].c_str(), has_value, nullptr, kFirstFlag + static_cast<int>(i)});
    if (flags[i].letter == 0) continue;
    letters += flags[i].letter;
    if (has_value != no_argument) letters += ':';
  }
  options.push_back({nullptr, 0, nullptr, 0});

  std::vector<std::string> copies(words.begin(), words.end());
  copies.insert(copies.begin(), "vigil");
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  const int count = static_cast<int>(copies.size());

  Arguments out;
  optind = 0;  // Starts getopt_long afresh.
  opterr = 0;
  for (;;) {
    const int got = getopt_long(count, pointers.data(), letters.c_str(), options.data(), nullptr);
    if (got == -1) break;
    if (got == ':' || got == '?') {
      // A letter stands in optopt, the number of a known flag too; else it was the word before.
      const bool is_letter = optopt > 0 && optopt < kFirstFlag;
      const std::string word = is_letter ? std::string("-") + static_cast<char>(optopt)
                                         : pointers[static_cast<size_t>(optind - 1)];
      if (got == ':') return fail(ErrorCode::kMalformed, word + " wants a value");
      if (optopt >= kFirstFlag) return fail(ErrorCode::kMalformed, word + ": it takes no value");
      return unknown_flag(word);
    }
    // getopt takes the beginning of a name for the whole.
    const char* word = pointers[static_cast<size_t>(optind - 1)];
    if (word == optarg) word = pointers[static_cast<size_t>(optind - 2)];
    for (size_t i = 0; i < flags.size(); ++i) {
      const bool is_name = got == kFirstFlag + static_cast<int>(i);
      if (!is_name && got != flags[i].letter) continue;
      const std::string_view name = std::string_view(word).substr(0, std::strcspn(word, "="));
      if (is_name && name != "--" + names[i]) return unknown_flag(word);
      out.given_.emplace_back(flags[i].name, optarg == nullptr ? "" : optarg);
      break;
    }
  }
  for (int i = optind; i < count; ++i) out.operands_.emplace_back(pointers[static_cast<size_t>(i)]);
  return out;
}

std::string environment(const char* name) {
  const char* content = std::getenv(name);
  return content == nullptr ? "" : content;
}

Status print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EPIPE) std::_Exit(static_cast<int>(ExitCode::kPassed));
    if (put < 0) return fail_errno("cannot write to standard output", errno);
    text.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

void complain(std::string_view text) {
  const std::string line = "vigil: " + report::terminal_text(text) + "\n";
  const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(ignored);
}

int run_command_line(std::span<const std::string> words) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto failed = [](std::string_view message) {
    complain(message);
    return static_cast<int>(ExitCode::kFailed);
  };
  const auto printed = [&](std::string_view text) {
    const Status status = print(text);
    return status ? 0 : failed(status.error().text());
  };
  if (words.empty() || is_help(words[0])) return printed(overview());
  if (words[0] == "help") {
    if (words.size() == 1) return printed(overview());
    std::vector<std::string> asked(words.begin() + 1, words.end());
    asked.emplace_back("--help");
    return run_command_line(asked);
  }
  if (words[0] == "--version") {
    return printed("vigil " VIGIL_VERSION "\n");
  }
  const auto [command, taken] = find_command(words);
  if (command == nullptr) {
    const std::string group = command_list(words[0] + " ");
    const bool wants_help = words.size() > 1 && is_help(words[1]);
    return wants_help && !group.empty() ? printed("Commands:\n" + group + kMoreHelp)
                                        : failed(unknown_command(words[0]));
  }
  const std::span<const std::string> rest = words.subspan(taken);
  for (const std::string& word : rest) {
    if (word == "--") break;
    if (is_help(word)) return printed(command_help(*command));
  }
  const Result<Arguments> arguments = Arguments::parse(command->flags, rest);
  if (!arguments) return failed(arguments.error().text());
  const Status source_date = check_source_date(environment("SOURCE_DATE_EPOCH"));
  if (!source_date) return failed(source_date.error().text());
  const Result<ExitCode> code = command->run(*arguments);
  if (!code) return failed(code.error().text());
  return static_cast<int>(*code);
}

}  // namespace vigil::cli
