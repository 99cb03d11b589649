#include "scan/file_trace.h"

#include <cstdint>

#include "base/check.h"

// What is read is written again the same way.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto trace = vigil::scan::decode_trace({data, size});
  if (!trace) return 0;
  const std::string text = vigil::scan::encode_trace(*trace);
  const auto again = vigil::scan::decode_trace(vigil::as_bytes(text));
  CHECK(again && *again == *trace);
  return 0;
}
