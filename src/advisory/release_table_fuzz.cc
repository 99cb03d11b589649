#include "advisory/release_table.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vigil::advisory::RecordingSink sink;
  const std::string_view text = vigil::as_text({data, size});
  static_cast<void>(vigil::advisory::add_release_table(text, "debian", sink));
  static_cast<void>(vigil::advisory::add_release_table(text, "ubuntu", sink));
  static_cast<void>(vigil::advisory::add_alpine_releases(text, sink));
  return 0;
}
