#include "advisory/debian.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  vigil::advisory::RecordingSink sink;
  vigil::advisory::add_debian_list(text, {}, sink);
  static_cast<void>(vigil::advisory::add_debian_tracker(text, {}, sink));
  return 0;
}
