#include "model/finding.h"

namespace vigil {

std::string_view to_string(PackageState state) {
  switch (state) {
    case PackageState::kMatched:
      return "matched";
    case PackageState::kClean:
      return "clean";
    case PackageState::kNoKnownFixMissing:
      return "no_known_fix_missing";
    case PackageState::kNotCheckable:
      return "not_checkable";
  }
  return "unknown";
}

FixState known_state(const Finding& finding) {
  const bool is_vague = finding.state == FixState::kFixed && finding.fixed_versions.empty();
  return is_vague ? FixState::kAffected : finding.state;
}

bool is_fixable(const Finding& finding) {
  return known_state(finding) == FixState::kFixed;
}

}  // namespace vigil
