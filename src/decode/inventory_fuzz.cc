#include "decode/inventory.h"

#include <cstdint>
#include <string>

#include "base/digest.h"

// Bytes as the parsing child might send them. The checksum is set right, since a child that lies
// sets it right too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.size() >= 16) {
    std::string checksum;
    vigil::append_little(checksum, vigil::xxh3(vigil::as_bytes(bytes).subspan(16)));
    bytes.replace(8, 8, checksum);
  }
  const auto view = vigil::decode::OwnershipView::open(vigil::as_bytes(bytes), 3);
  if (view) static_cast<void>(view->find("bin/sh"));
  static_cast<void>(vigil::decode::decode_sbom(vigil::as_bytes(bytes)));
  return 0;
}
