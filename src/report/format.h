// Output formats. Each is one file in formats/ and one line in formats.def.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/finding.h"

namespace vigil::report {

struct WriteOptions {
  size_t columns = 0;  // Width of the terminal; 0: not a terminal, no limit.
  bool is_coloured = false;
  bool with_files = false;  // Owned files, for json.
  bool lists_all = false;   // Whatever the terminal's height.
  bool is_short = false;    // As on a terminal, whatever it is written to; lists_all counts more.
  // Write what ignore rules set aside where readers could take it for open: table, sarif,
  // cyclonedx. Formats that have a place of its own for it write it always.
  bool shows_suppressed = false;

  bool shows_all() const { return lists_all || (columns == 0 && !is_short); }
};

struct Format {
  std::string_view name;       // "table", "json", "grype-json", "cyclonedx", "spdx".
  std::string_view summary;    // One line for help.
  std::string_view reference;  // The specification or the program whose output it follows.
  // A scan's result. Deterministic: the same report gives the same bytes.
  Result<std::string> (*write_report)(const Report& report, const WriteOptions& options);
  // An inventory alone (Report without verdicts and findings); null where the format has none.
  Result<std::string> (*write_sbom)(const Report& report, const WriteOptions& options);
  // Why write_report gave "", which stands for no document at all; "" where it never does.
  std::string_view why_empty = {};
};

std::span<const Format* const> all_formats();
const Format* find_format(std::string_view name);  // Null where there is none.

// Text from outside made safe for a terminal: control characters, escapes and direction overrides
// become visible (\x1b, \u202e), invalid UTF-8 becomes U+FFFD.
std::string terminal_text(std::string_view text);

}  // namespace vigil::report
