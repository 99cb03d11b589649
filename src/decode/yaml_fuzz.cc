#include <cstdint>

#include "base/bytes.h"
#include "decode/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(vigil::decode::parse_yaml(vigil::as_text({data, size})));
  return 0;
}
