#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "decode/deb822.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  vigil::decode::Deb822Reader reader(text);
  size_t seen = 0;
  while (reader.next_stanza()) {
    while (const auto field = reader.next_field()) {
      CHECK(!field->name.empty());
      seen += field->name.size() + field->value.size();
    }
  }
  CHECK(seen <= size);
  return 0;
}
