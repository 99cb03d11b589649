#include "advisory/starter.h"

namespace vigil::advisory {

ByteView starter_file(std::string_view name) {
  for (uint64_t i = 0; i < vigil_starter_entries_count; ++i) {
    const vigil_starter_entry& entry = vigil_starter_entries[i];
    if (entry.name == name) return {entry.data, entry.bytes};
  }
  return {};
}

}  // namespace vigil::advisory
