#include "cli/text_input.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/limits.h"

namespace vigil::cli {

Result<std::string> read_text(const std::string& path) {
  if (path != "-") return read_file(path, limits::kDocumentBytesMax);
  const Fd input(::dup(STDIN_FILENO));
  if (!input.is_open()) return fail(ErrorCode::kNotFound, "standard input is closed");
  return with_context(read_all(input, limits::kDocumentBytesMax), "standard input");
}

Status each_line(std::string_view text, FunctionRef<Status(std::string_view line)> visit) {
  constexpr std::string_view kBlank = " \t\r";
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    line = line.substr(0, line.find_last_not_of(kBlank) + 1);
    if (line.empty() || line[0] == '#') continue;
    TRY(with_context(visit(line), "line " + std::to_string(number)));
  }
  return {};
}

}  // namespace vigil::cli
