// Exit codes. Where several apply: 1, then 4, 2, 3; the report is written all the same.
#pragma once

namespace vigil::cli {

enum class ExitCode : int {
  kPassed = 0,
  kFailed = 1,      // The job could not be done.
  kGate = 2,        // A gate (--fail-on) failed; --exit-code names another code.
  kGaps = 3,        // Done with gaps, and --fail-on-gaps was given.
  kDataTooOld = 4,  // Data older than --max-db-age.
};

}  // namespace vigil::cli
