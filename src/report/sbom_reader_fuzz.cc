#include <cstdint>

#include "base/bytes.h"
#include "report/sbom_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  static_cast<void>(vigil::report::read_sbom(text));
  static_cast<void>(vigil::report::read_purls(text));
  return 0;
}
