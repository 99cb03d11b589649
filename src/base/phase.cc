#include "base/phase.h"

namespace vigil {

void PhaseLog::add(std::string_view name, double milliseconds) {
  entries_.push_back({std::string(name), milliseconds});
}

}  // namespace vigil
