// Any bytes as a compressed layer, read in one piece and in small ones: the answer is the same.
// What comes out ahead of an error, and zstd's words for it, may differ.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "decode/inflate.h"

namespace {

constexpr uint64_t kEnoughBytes = 4 << 20;

std::string inflate(vigil::ByteView bytes, size_t piece_bytes) {
  vigil::decode::MemoryStream source(bytes, piece_bytes);
  const auto stream = vigil::decode::open_inflate(source);
  if (!stream) return stream.error().text();
  std::string out;
  while (out.size() < kEnoughBytes) {
    const vigil::Result<vigil::ByteView> piece = (*stream)->next();
    if (!piece) return "damaged";
    if (piece->empty()) break;
    out += vigil::as_text(*piece);
  }
  out.resize(std::min<size_t>(out.size(), kEnoughBytes));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  CHECK(inflate({data, size}, 0) == inflate({data, size}, 7));
  return 0;
}
