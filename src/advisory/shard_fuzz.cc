// Hostile shards: of each kind, as they are, and with right checksums over whatever the sections
// hold, so that the records behind them are reached.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "advisory/shard.h"

namespace vigil::advisory {

namespace {

void ask(ByteView bytes) {
  static_cast<void>(check_shard(bytes, "s"));
  static_cast<void>(check_shard(bytes, kFactsShard));
  static_cast<void>(check_shard(bytes, kReleasesShard));
  const Result<std::unique_ptr<AdvisoryShard>> shard = AdvisoryShard::open(bytes, "s");
  if (!shard) return;
  static_cast<void>((*shard)->find("openssl"));
  static_cast<void>((*shard)->knowledge("openssl"));
  static_cast<void>((*shard)->find_id("CVE-2024-0001"));
}

// Kind, then the bytes of each section behind its length.
std::string assembled(ByteView bytes) {
  ByteReader reader(bytes);
  const uint8_t kind = reader.little<uint8_t>().value_or(0);
  ShardSections sections;
  for (std::string& section : sections) {
    const size_t wanted = reader.little<uint16_t>().value_or(0);
    section = as_text(*reader.take(std::min(wanted, reader.remaining())));
  }
  return write_shard_file(static_cast<ShardKind>(1 + kind % 3), sections);
}

}  // namespace

}  // namespace vigil::advisory

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vigil::advisory::ask({data, size});
  const std::string shard = vigil::advisory::assembled({data, size});
  vigil::advisory::ask(vigil::as_bytes(shard));
  return 0;
}
