#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "bpf/wire.h"
#include "sensor/wire_decode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto event = vigil::sensor::decode_wire({data, size}, 1'700'000'000'000'000'000);
  if (!event) return 0;
  CHECK(size >= sizeof(vigil_wire_header) && size <= sizeof(vigil_wire_file));
  CHECK(event->path.size() <= size && event->path.find('\0') == std::string::npos);
  CHECK(event->command_line.size() <= vigil::limits::kCommandLineBytesMax);
  CHECK(event->process.name.size() <= sizeof(vigil_wire_header::name));
  return 0;
}
