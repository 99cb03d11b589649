#include <cstdint>

#include "base/bytes.h"
#include "watch/inventories.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(vigil::watch::parse_match_answer(vigil::as_text({data, size})));
  return 0;
}
