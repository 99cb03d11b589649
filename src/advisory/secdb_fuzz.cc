#include "advisory/secdb.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  vigil::advisory::parse_secdb_ids(text);
  const auto document = vigil::advisory::parse_secdb(text);
  if (!document) return 0;
  vigil::advisory::RecordingSink sink;
  vigil::advisory::add_secdb(*document, "alpine", "alpine-3.17", sink);
  return 0;
}
