// rpm's own database, Packages.db (lib/backend/ndb/rpmpkg.c). All numbers are little-endian.
//
//   page 0..n-1 of 4096 bytes: slots of 16 bytes, "Slot" number block-offset block-count; the first
//       two slots of page 0 are the file's header, "RpmP" version generation pages next-number;
//   blobs in blocks of 16 bytes: "BlbS" number generation bytes-count, the bytes, padding, and an
//   end
//       of 12 bytes: Adler-32 of all before it, bytes-count, "BlbE".
#include "base/limits.h"
#include "decode/rpmdb.h"

namespace vigil::decode {

namespace {

constexpr uint32_t kFileMagic = 0x506d7052;       // "RpmP"
constexpr uint32_t kSlotMagic = 0x746f6c53;       // "Slot"
constexpr uint32_t kBlobStartMagic = 0x53626c42;  // "BlbS"
constexpr uint32_t kBlobEndMagic = 0x45626c42;    // "BlbE"
constexpr size_t kPageBytes = 4096;
constexpr size_t kSlotBytes = 16;
constexpr size_t kBlockBytes = 16;
constexpr size_t kBlobStartBytes = 16;
constexpr size_t kBlobEndBytes = 12;

// RFC 1950 §9.
uint32_t adler32(ByteView bytes) {
  constexpr uint32_t kModulus = 65521;
  constexpr size_t kRunBytesMax = 5552;  // The longest run whose sums fit 32 bits.
  uint32_t low = 1;
  uint32_t high = 0;
  while (!bytes.empty()) {
    const size_t run = bytes.size() < kRunBytesMax ? bytes.size() : kRunBytesMax;
    for (const uint8_t byte : bytes.first(run)) {
      low += byte;
      high += low;
    }
    low %= kModulus;
    high %= kModulus;
    bytes = bytes.subspan(run);
  }
  return high << 16 | low;
}

struct Slot {
  uint32_t number = 0;
  uint32_t blocks_offset = 0;
  uint32_t blocks_count = 0;
};

Result<ByteView> read_blob(ByteView file, const Slot& slot) {
  ByteReader reader(file);
  TRY(reader.seek(size_t{slot.blocks_offset} * kBlockBytes));
  const ByteView whole = TRY(reader.take(size_t{slot.blocks_count} * kBlockBytes));
  ByteReader blob(whole);
  const uint32_t magic = TRY(blob.little<uint32_t>());
  const uint32_t number = TRY(blob.little<uint32_t>());
  TRY(blob.skip(4));  // The generation in which it was written.
  const uint32_t bytes_count = TRY(blob.little<uint32_t>());
  if (magic != kBlobStartMagic || number != slot.number) {
    return fail(ErrorCode::kMalformed, "no blob where the slot points");
  }
  const ByteView content = TRY(blob.take(bytes_count));
  const uint64_t blocks =
      (uint64_t{bytes_count} + kBlobStartBytes + kBlobEndBytes + kBlockBytes - 1) / kBlockBytes;
  if (blocks != slot.blocks_count) return fail(ErrorCode::kMalformed, "a blob of another size");
  const size_t end_offset = whole.size() - kBlobEndBytes;
  TRY(blob.seek(end_offset));
  const uint32_t checksum = TRY(blob.little<uint32_t>());
  const uint32_t bytes_count_again = TRY(blob.little<uint32_t>());
  if (bytes_count_again != bytes_count || TRY(blob.little<uint32_t>()) != kBlobEndMagic) {
    return fail(ErrorCode::kMalformed, "a blob without its end");
  }
  if (adler32(whole.first(end_offset)) != checksum) {
    return fail(ErrorCode::kMalformed, "a blob whose checksum does not fit");
  }
  return content;
}

}  // namespace

Result<RpmdbProblems> read_rpmdb_ndb(ByteView bytes, RpmBlobVisitor visit) {
  ByteReader reader(bytes);
  if (TRY(reader.little<uint32_t>()) != kFileMagic) {
    return fail(ErrorCode::kMalformed, "not an rpm ndb database");
  }
  if (TRY(reader.little<uint32_t>()) != 0) {
    return fail(ErrorCode::kUnsupported, "an rpm ndb database of a later version");
  }
  TRY(reader.skip(4));
  const uint32_t pages_count = TRY(reader.little<uint32_t>());
  if (pages_count == 0 || pages_count > bytes.size() / kPageBytes) {
    return fail(ErrorCode::kMalformed, "an rpm ndb database with more slot pages than bytes");
  }
  RpmdbProblems problems;
  uint64_t visited_bytes = 0;
  ByteReader slots(bytes.first(size_t{pages_count} * kPageBytes));
  TRY(slots.skip(2 * kSlotBytes));
  while (slots.remaining() >= kSlotBytes && problems.size() < kRpmdbProblemsMax) {
    const uint32_t magic = TRY(slots.little<uint32_t>());
    Slot slot;
    slot.number = TRY(slots.little<uint32_t>());
    slot.blocks_offset = TRY(slots.little<uint32_t>());
    slot.blocks_count = TRY(slots.little<uint32_t>());
    if (magic != kSlotMagic) {
      problems.push_back("a damaged slot");
      continue;
    }
    if (slot.blocks_offset == 0) continue;  // Free.
    // Slots that share blobs would make the file's bytes count many times.
    visited_bytes += uint64_t{slot.blocks_count} * kBlockBytes;
    if (visited_bytes > bytes.size()) {
      problems.push_back("packages that overlap");
      break;
    }
    const Result<ByteView> blob = read_blob(bytes, slot);
    if (!blob) {
      problems.push_back("package number " + std::to_string(slot.number) + ": " +
                         blob.error().text());
      continue;
    }
    visit(slot.number, *blob);
  }
  return problems;
}

}  // namespace vigil::decode
