#include "advisory/csaf.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  std::set<std::string> shards;
  vigil::advisory::RecordingSink sink;
  static_cast<void>(vigil::advisory::add_redhat_csaf(text, shards, sink));
  vigil::advisory::redhat_platform(text);
  return 0;
}
