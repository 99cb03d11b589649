// Any bytes as a tar archive. Header checksums are made right first: otherwise nearly every change
// ends at the first block. What is read must not depend on the pieces the bytes come in.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "decode/fake_tar.h"
#include "decode/tar.h"

namespace {

// Everything the reader says, as one text.
std::string walk(const std::string& tar, size_t piece_bytes) {
  vigil::decode::MemoryStream stream(vigil::as_bytes(tar), piece_bytes);
  vigil::decode::TarReader reader(stream);
  std::string seen;
  for (;;) {
    const vigil::Result<bool> has_entry = reader.next();
    if (!has_entry) return seen + has_entry.error().text();
    if (!*has_entry) return seen;
    const vigil::decode::TarEntry& entry = reader.entry();
    seen += entry.path + '\0' + entry.link + '\0' + std::to_string(entry.bytes) + '\n';
    const vigil::Result<std::string> content = reader.content(64 << 10);
    if (content) {
      CHECK(content->size() == entry.bytes);
      seen += *content;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string tar = vigil::decode::FakeTar::with_checksums(
      std::string(reinterpret_cast<const char*>(data), size));
  CHECK(walk(tar, 0) == walk(tar, 700));
  return 0;
}
