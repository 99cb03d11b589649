// Every scheme orders any three texts: each equals itself, turning a pair round turns the order
// round, and what is below the second is below what the second is below (but for Maven, and for
// Packagist where a text has '#': their orders are not transitive). The input is three lines.
#include "version/version.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"

namespace {

using Versions = std::array<std::string_view, 3>;

bool is_transitive(const vigil::version::Scheme& scheme, const Versions& versions) {
  if (scheme.name == "maven") return false;
  return scheme.name != "packagist" ||
         std::ranges::none_of(versions, [](std::string_view text) { return text.contains('#'); });
}

void check_order(const vigil::version::Scheme& scheme, const Versions& versions) {
  const bool has_chains = is_transitive(scheme, versions);
  for (const std::string_view a : versions) {
    CHECK(scheme.compare(a, a) == 0);
    scheme.is_valid(a);
    for (const std::string_view b : versions) {
      CHECK((scheme.compare(a, b) < 0) == (scheme.compare(b, a) > 0));
      for (const std::string_view c : versions) {
        const bool is_chain = has_chains && scheme.compare(a, b) <= 0 && scheme.compare(b, c) <= 0;
        CHECK(!is_chain || scheme.compare(a, c) <= 0);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text = vigil::as_text({data, size});
  if (size > vigil::limits::kVersionBytesMax) return 0;
  Versions versions;
  for (std::string_view& version : versions) {
    const size_t end = std::min(text.find('\n'), text.size());
    version = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  for (const vigil::version::Scheme* scheme : vigil::version::all_schemes()) {
    check_order(*scheme, versions);
  }
  return 0;
}
