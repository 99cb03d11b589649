#include "report/use_text.h"

#include <fmt/format.h>

#include "base/time.h"

namespace vigil::report {

std::string instant_text(UnixNanoseconds at) {
  const std::string text = format_time(at / 1'000'000'000);
  return text.empty() ? "an unknown time" : text;
}

std::string facets_text(uint8_t facets) {
  return fmt::format("{}", fmt::join(facet_names(facets), ", "));
}

std::string process_text(const Evidence& evidence) {
  const ProcessFacts& process = evidence.process;
  std::string text = process.name.empty() ? "a process" : process.name;
  if (process.pid != 0) text += fmt::format(", pid {}", process.pid);
  if (process.uid == 0 && process.pid != 0) text += ", root";
  if (!evidence.command_line.empty()) text += ": " + evidence.command_line;
  return text;
}

std::string seen_text(const Evidence& evidence) {
  std::string text = instant_text(evidence.first_seen);
  if (evidence.last_seen > evidence.first_seen) text += " to " + instant_text(evidence.last_seen);
  return text;
}

std::string use_text(const PackageExposure& use) {
  std::string text(to_string(use.tier));
  if (!use.evidence.empty()) {
    const Evidence& proof = use.evidence[0];
    text += fmt::format(": /{} by {}, {}", proof.path, process_text(proof), seen_text(proof));
  }
  if (use.facets != 0) text += "; " + facets_text(use.facets);
  if (!use.reason.empty()) text += "; " + use.reason;
  return text;
}

bool is_fully_watched(const Exposure& exposure) {
  const WatchCoverage& coverage = exposure.coverage;
  return coverage.attach != Attach::kNone && coverage.gaps.empty() && coverage.events_lost == 0;
}

std::string coverage_text(const Exposure& exposure) {
  const WatchCoverage& coverage = exposure.coverage;
  if (coverage.attach == Attach::kNone) return "never watched";
  const std::string text = fmt::format(
      "{} to {}: {} of the last {}, {:.0f} % of its life in it, {}", instant_text(coverage.from),
      instant_text(coverage.to), format_length(coverage.to - coverage.from),
      format_length(exposure.window), coverage.share * 100,
      coverage.attach == Attach::kFromStart ? "from its first process"
                                            : "with a look at what ran before");
  if (is_fully_watched(exposure)) return text + "; nothing was lost";
  return text + fmt::format("; {} {}, {} {} lost", coverage.gaps.size(),
                            coverage.gaps.size() == 1 ? "gap" : "gaps", coverage.events_lost,
                            coverage.events_lost == 1 ? "event" : "events");
}

}  // namespace vigil::report
