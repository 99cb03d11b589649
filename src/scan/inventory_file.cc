#include "scan/inventory_file.h"

#include <utility>

namespace vigil::scan {

namespace {
constexpr std::string_view kMagic = "vgl-inv1";
constexpr size_t kHeadBytes = 24;
}  // namespace

std::string encode_inventory(const catalog::Inventory& inventory) {
  const std::string sbom = decode::encode_sbom(inventory.sbom);
  const std::string ownership = decode::encode_ownership(inventory.files);
  std::string out(kMagic);
  append_little(out, static_cast<uint64_t>(sbom.size()));
  append_little(out, static_cast<uint64_t>(ownership.size()));
  return out + sbom + ownership;
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
