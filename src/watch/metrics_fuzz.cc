#include <cstdint>

#include "base/bytes.h"
#include "watch/metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vigil::watch::Metrics metrics;
  const std::string_view text = vigil::as_text({data, size});
  metrics.add("vigil_events_total", vigil::watch::label("kind", text), 1);
  static_cast<void>(vigil::watch::answer_http(text, metrics));
  return 0;
}
