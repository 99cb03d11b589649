// The embedded starter: a database inside the program, made at build time from the fact tables of
// data/starter by the code that builds any other. Its bytes are part of the mapped program, so that
// opening it costs nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"

// What starter_main.cc has assembled into the program.
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

// The file of that name in a database folder ("manifest.json"); empty where there is none.
ByteView starter_file(std::string_view name);

}  // namespace vigil::advisory
