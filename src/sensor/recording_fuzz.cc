#include <cstdint>

#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "sensor/recording.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto batch = vigil::sensor::parse_recording(vigil::as_text({data, size}));
  if (!batch) return 0;
  // What was read is written so that it reads back the same.
  std::string text = vigil::sensor::recording_header();
  for (const vigil::Event& event : batch->events) text += vigil::sensor::recording_line(event);
  const auto again = vigil::sensor::parse_recording(text);
  CHECK(again && again->events == batch->events);
  return 0;
}
