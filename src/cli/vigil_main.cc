#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "cli/command.h"

namespace {

// A standard descriptor that is closed gets a file on which reading or writing fails. The next one
// that is opened would take its number: the parsing child's socket would be read as standard input,
// a result written into a file of the cache.
void fill_standard_descriptors() {
  constexpr int kWrongWays[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    // The lowest number that is free is the one that open gives.
    if (::fcntl(number, F_GETFD) < 0) ::open("/dev/null", kWrongWays[number]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  fill_standard_descriptors();
  const std::vector<std::string> words(argv + 1, argv + argc);
  return vigil::cli::run_command_line(words);
}
