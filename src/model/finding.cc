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

}  // namespace vigil
