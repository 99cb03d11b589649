#include <cstdint>

#include "base/bytes.h"
#include "catalog/distro_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  static_cast<void>(vigil::catalog::parse_release_line(text));
  static_cast<void>(vigil::catalog::parse_lsb_release(text));
  static_cast<void>(vigil::catalog::parse_debian_version(text));
  return 0;
}
