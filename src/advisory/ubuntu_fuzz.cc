#include "advisory/ubuntu.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vigil::advisory::RecordingSink sink;
  std::set<std::string> shards;
  vigil::advisory::add_ubuntu_cve(vigil::as_text({data, size}), shards, sink);
  return 0;
}
