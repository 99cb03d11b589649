#include <cstdint>

#include "base/bytes.h"
#include "sensor/mountinfo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  for (const vigil::sensor::Mount& mount : vigil::sensor::parse_mountinfo(text)) {
    static_cast<void>(vigil::sensor::overlay_folders(mount.options));
  }
  return 0;
}
