#include "scan/inventory_file.h"

#include <cstring>
#include <utility>

namespace vigil::scan {

namespace {
constexpr std::string_view kMagic = "vgl-inv1";
constexpr size_t kHeadBytes = 24;
}  // namespace

std::string encode_inventory(const catalog::Inventory& inventory, size_t threads_count) {
  std::string out(kMagic);
  out.resize(kHeadBytes);
  decode::append_sbom(out, inventory.sbom);
  const uint64_t sbom_bytes = out.size() - kHeadBytes;
  decode::append_ownership(out, inventory.files, threads_count);
  const uint64_t ownership_bytes = out.size() - kHeadBytes - sbom_bytes;
  std::memcpy(out.data() + kMagic.size(), &sbom_bytes, sizeof(sbom_bytes));
  std::memcpy(out.data() + kMagic.size() + 8, &ownership_bytes, sizeof(ownership_bytes));
  return out;
}

Result<InventoryFile> InventoryFile::open(MappedFile file) {
  ByteReader reader(file.bytes());
  const std::string_view magic = as_text(TRY(reader.take(kMagic.size())));
  if (magic != kMagic) return fail(ErrorCode::kMalformed, "not an inventory of this version");
  const uint64_t sbom_bytes = TRY(reader.little<uint64_t>());
  const uint64_t ownership_bytes = TRY(reader.little<uint64_t>());
  const uint64_t rest = reader.remaining();
  if (sbom_bytes > rest || ownership_bytes != rest - sbom_bytes) {
    return fail(ErrorCode::kMalformed, "the inventory is cut short");
  }
  InventoryFile opened;
  const ByteView sbom = TRY(reader.take(sbom_bytes));
  opened.sbom_ = TRY(decode::decode_sbom(sbom));
  opened.ownership_offset_ = kHeadBytes + sbom_bytes;
  opened.file_ = std::move(file);
  return opened;
}

Result<decode::OwnershipView> InventoryFile::ownership() const {
  return decode::OwnershipView::open(file_.bytes().subspan(ownership_offset_),
                                     sbom_.packages.size());
}

}  // namespace vigil::scan
