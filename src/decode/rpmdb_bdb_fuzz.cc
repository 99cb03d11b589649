#include <cstdint>

#include "decode/rpmdb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static_cast<void>(
      vigil::decode::read_rpmdb_bdb({data, size}, [](uint32_t, vigil::ByteView header) {
        static_cast<void>(vigil::decode::parse_rpm_header(header, vigil::decode::RpmFiles::kRead));
      }));
  return 0;
}
