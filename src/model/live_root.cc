#include "model/live_root.h"

namespace vigil {

std::string_view to_string(Drift drift) {
  switch (drift) {
    case Drift::kChanged:
      return "changed";
    case Drift::kRemoved:
      return "removed";
    case Drift::kAdded:
      return "added";
  }
  return "";
}

}  // namespace vigil
