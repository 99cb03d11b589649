#include "scan/inventory_file.h"

#include <cstdint>
#include <string>

#include "base/confine.h"
#include "base/digest.h"

namespace {

// The part's checksum set right: a child that lies sets it right too.
void seal(std::string& bytes, size_t start, size_t size) {
  if (start > bytes.size() || size > bytes.size() - start || size < 16) return;
  std::string checksum;
  const vigil::ByteView part = vigil::as_bytes(bytes).subspan(start, size);
  vigil::append_little(checksum, vigil::xxh3(part.subspan(16)));
  bytes.replace(start + 8, 8, checksum);
}

}  // namespace

// An answer as the parsing child might send it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  constexpr size_t kHeadBytes = 24;
  if (bytes.size() > kHeadBytes) {
    uint64_t sbom_bytes = 0;
    std::memcpy(&sbom_bytes, bytes.data() + 8, sizeof(sbom_bytes));
    const size_t rest = bytes.size() - kHeadBytes;
    sbom_bytes %= rest + 1;
    std::memcpy(bytes.data() + 8, &sbom_bytes, sizeof(sbom_bytes));
    const uint64_t ownership_bytes = rest - sbom_bytes;
    std::memcpy(bytes.data() + 16, &ownership_bytes, sizeof(ownership_bytes));
    seal(bytes, kHeadBytes, sbom_bytes);
    seal(bytes, kHeadBytes + sbom_bytes, ownership_bytes);
  }
  const auto fd = vigil::memory_file(bytes);
  if (!fd) return 0;
  auto mapped = vigil::MappedFile::from_fd(*fd);
  if (!mapped) return 0;
  const auto file = vigil::scan::InventoryFile::open(*std::move(mapped));
  if (!file) return 0;
  const auto files = file->ownership();
  if (files) static_cast<void>(files->find("bin/a"));
  return 0;
}
