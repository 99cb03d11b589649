#include "advisory/starter.h"

#include <cstdint>
#include <vector>

// Made by starter_main.cc and assembled into the program.
extern "C" {
struct vigil_starter_entry {
  const char* name;
  const uint8_t* data;
  uint64_t bytes;
};
extern const vigil_starter_entry vigil_starter_entries[];
extern const uint64_t vigil_starter_entries_count;
}

namespace vigil::advisory {

ByteView starter_file(std::string_view name) {
  for (uint64_t i = 0; i < vigil_starter_entries_count; ++i) {
    const vigil_starter_entry& entry = vigil_starter_entries[i];
    if (entry.name == name) return {entry.data, entry.bytes};
  }
  return {};
}

}  // namespace vigil::advisory
