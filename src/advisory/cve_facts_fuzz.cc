#include "advisory/cve_facts.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  const vigil::advisory::FeedFile file = {
      .path = "", .absolute_path = "", .coverage = {}, .as_of = 0};
  vigil::advisory::RecordingSink sink;
  static_cast<void>(vigil::advisory::add_kev(text, file, sink));
  static_cast<void>(vigil::advisory::add_epss(text, file, sink));
  static_cast<void>(vigil::advisory::add_nvd(text, file, sink));
  static_cast<void>(vigil::advisory::add_cve_record(text, sink));
  return 0;
}
