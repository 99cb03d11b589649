// A manifest that is read must be one that could be written: it reads back as itself.
#include "advisory/manifest.h"

#include <cstdint>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/check.h"

namespace vigil::advisory {
namespace {

void read_back(std::string_view text) {
  const auto first = decode_manifest(text, {});
  if (!first) return;
  const auto second = decode_manifest(encode_manifest(first->manifest, nullptr), {});
  CHECK(second && second->manifest == first->manifest);
  for (const ManifestShard& shard : first->manifest.shards) {
    CHECK(shard.file_name().rfind('/') == std::string_view("shards").size());
  }
}

}  // namespace
}  // namespace vigil::advisory

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  vigil::advisory::read_back(text);
  // Base64 hides the payload from mutations, so the bytes are tried as a payload too.
  vigil::advisory::read_back(
      "{\"payloadType\":\"application/vnd.vigil.manifest.v1+json\",\"payload\":\"" +
      vigil::to_base64(text) + "\",\"signatures\":[]}");
  return 0;
}
