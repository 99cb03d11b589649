#include <cstdint>

#include "base/bytes.h"
#include "model/distro.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  static_cast<void>(vigil::parse_os_release(text));
  static_cast<void>(vigil::shard_name(vigil::parse_distro(text)));
  return 0;
}
