#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "model/purl.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto purl = vigil::Purl::parse(vigil::as_text({data, size}));
  if (!purl) return 0;
  // What was read is printed so that it reads back the same, and the text is a fixed point.
  const std::string text = purl->text();
  const auto again = vigil::Purl::parse(text);
  if (text.size() > vigil::limits::kPurlBytesMax) return 0;  // Escapes made it longer.
  CHECK(again && *again == *purl && again->text() == text);
  return 0;
}
