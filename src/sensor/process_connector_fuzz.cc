#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "sensor/process_connector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto notices = vigil::sensor::decode_notices({data, size});
  CHECK(notices.size() <= size / 16);
  return 0;
}
