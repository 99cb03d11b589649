#include "catalog/dpkg_copyright.h"

#include <cstdint>

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(vigil::catalog::read_copyright(vigil::as_text({data, size})));
  return 0;
}
