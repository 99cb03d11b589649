// Every file a runtime may have written; the first byte says which it is taken for.
#include <cstdint>

#include "base/bytes.h"
#include "sensor/runtime_state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text = vigil::as_text({data + 1, size - 1});
  switch (data[0]) {
    case 'c':
      static_cast<void>(vigil::sensor::parse_containers_storage(text, "a1"));
      break;
    case 'i':
      static_cast<void>(vigil::sensor::parse_image_name(text, "b2"));
      break;
    case 'd':
      static_cast<void>(vigil::sensor::parse_docker_config(text));
      break;
    case 'r':
      static_cast<void>(vigil::sensor::parse_runc_state(text));
      break;
    case 'm':
      static_cast<void>(vigil::sensor::parse_image_manifest(text));
      break;
    default:
      static_cast<void>(vigil::sensor::parse_oci_config(text));
  }
  return 0;
}
