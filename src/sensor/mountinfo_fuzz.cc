#include <cstdint>

#include "base/bytes.h"
#include "sensor/mountinfo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  vigil::sensor::each_mount(text, [](const vigil::sensor::Mount& mount) {
    static_cast<void>(vigil::sensor::overlay_folders(mount.options));
  });
  return 0;
}
