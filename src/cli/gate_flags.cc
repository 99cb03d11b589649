#include "cli/gate_flags.h"

#include <fmt/format.h>

#include <algorithm>

namespace vigil::cli {

Result<std::vector<scan::Gate>> gates_of(const Arguments& arguments) {
  std::vector<scan::Gate> gates;
  for (const std::string& text : arguments.values("fail-on")) {
    for (scan::Gate& gate : TRY(with_context(scan::parse_gates(text), "--fail-on"))) {
      gates.push_back(std::move(gate));
    }
  }
  return gates;
}

std::string failed_gate_text(const std::vector<scan::Gate>& gates, size_t failing_count,
                             size_t findings_count) {
  if (failing_count == 0) return "";
  std::string names;
  for (const scan::Gate& gate : gates) names += (names.empty() ? "" : ", ") + gate.text;
  return fmt::format("{} of {} findings fail the gate --fail-on {}", failing_count, findings_count,
                     names);
}

void note_unwatched(const std::vector<scan::Gate>& gates, const Arguments& arguments) {
  if (arguments.has("quiet") || std::ranges::none_of(gates, &scan::Gate::is_in_use_only)) return;
  complain(
      "nothing was watched: for --fail-on in-use every finding counts as in use; 'vigil exposure' "
      "has the same gates with evidence");
}

}  // namespace vigil::cli
