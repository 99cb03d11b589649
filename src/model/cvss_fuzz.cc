#include <cmath>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "model/severity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  const auto cvss = vigil::parse_cvss(text);
  const auto normal = vigil::normal_cvss(text);
  CHECK(cvss.has_value() == normal.has_value());
  if (!cvss) return 0;
  // A score of whole tenths from 0 to 10, which the order of the metrics does not change.
  CHECK(cvss->score >= 0 && cvss->score <= 10);
  CHECK(std::lround(cvss->score * 10) / 10.0 == cvss->score);
  const auto again = vigil::parse_cvss(*normal);
  CHECK(again && again->score == cvss->score && again->version == cvss->version);
  CHECK(vigil::normal_cvss(*normal) == *normal);
  vigil::severity_of(*cvss);
  return 0;
}
