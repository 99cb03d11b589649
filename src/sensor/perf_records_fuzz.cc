#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "sensor/perf_records.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto record = vigil::sensor::decode_perf({data, size});
  if (!record) return 0;
  CHECK(record->path.size() + record->name.size() <= size);
  CHECK(record->path.find('\0') == std::string::npos && !record->path.starts_with('/'));
  return 0;
}
