#include <cstdint>

#include "decode/rpmdb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const vigil::ByteView bytes(data, size);
  static_cast<void>(vigil::decode::parse_rpm_header(bytes, vigil::decode::RpmFiles::kRead));
  static_cast<void>(vigil::decode::parse_source_rpm(vigil::as_text(bytes), "1"));
  static_cast<void>(vigil::decode::recognise_rpmdb(bytes));
  return 0;
}
