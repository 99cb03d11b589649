// The embedded starter: a database inside the program, made at build time from the fact tables of
// data/starter by the code that builds any other. Its bytes are part of the mapped program, so that
// opening it costs nothing.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace vigil::advisory {

// The file of that name in a database folder ("manifest.json"); empty where there is none.
ByteView starter_file(std::string_view name);

}  // namespace vigil::advisory
