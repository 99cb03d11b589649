#include <cstdint>

#include "base/bytes.h"
#include "sensor/cgroup_path.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  static_cast<void>(vigil::sensor::owner_of_cgroup(text));
  static_cast<void>(vigil::sensor::ranked_cgroup_paths(vigil::sensor::parse_cgroup_file(text)));
  return 0;
}
