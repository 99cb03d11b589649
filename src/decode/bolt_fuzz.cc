#include <cstdint>
#include <iterator>
#include <span>

#include "base/bytes.h"
#include "decode/bolt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file = vigil::as_text({data, size});
  const auto read = [&](uint64_t offset, uint64_t bytes_count) -> vigil::Result<std::string> {
    if (offset > size || bytes_count > size - offset) {
      return vigil::fail(vigil::ErrorCode::kMalformed, "past the end");
    }
    return std::string(file.substr(offset, bytes_count));
  };
  static_cast<void>(vigil::decode::read_bolt_bucket(read, {}));
  constexpr std::string_view kNames[] = {"v1", "vigil-test", "containers", "one", "labels"};
  for (size_t depth = 1; depth <= std::size(kNames); ++depth) {
    static_cast<void>(vigil::decode::read_bolt_bucket(read, std::span(kNames, depth)));
  }
  return 0;
}
