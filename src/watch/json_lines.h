// The agent's lines on standard output, one JSON object each; docs/watch.md is their schema. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/exposure.h"
#include "model/package.h"

namespace vigil::watch {

// "2026-11-26T16:28:10.226Z"
std::string time_text(UnixNanoseconds at);

std::string workload_line(const Workload& workload, Attach attach);
std::string evidence_line(const Workload& workload, const Evidence& evidence);
std::string gap_line(std::string_view workload, const WatchGap& gap);

// A finding that came or went with a new database, in one workload.
struct ChangeFacts {
  bool is_new = false;
  std::string_view id;
  std::string_view package;
  std::string_view version;
  std::string_view purl;
  UnixNanoseconds at = 0;
};
std::string change_line(const Workload& workload, const ChangeFacts& change,
                        const PackageExposure& exposure);

}  // namespace vigil::watch
