// An inventory as the parsing child hands it back and as it lies in the cache: an Sbom and the
// files its packages own, in one mapped file. CACHE_FORMAT.md beside this file describes the bytes.
// Every byte is hostile.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "catalog/cataloger.h"
#include "decode/inventory.h"
#include "model/sbom.h"

namespace vigil::scan {

std::string encode_inventory(const catalog::Inventory& inventory, size_t threads_count = 1);

class InventoryFile {
 public:
  // Checks the head and the inventory's checksum and form; the ownership part only by its size.
  static Result<InventoryFile> open(MappedFile file);

  const Sbom& sbom() const { return sbom_; }
  // Checks the ownership part whole. The view lives as long as this.
  Result<decode::OwnershipView> ownership() const;

 private:
  MappedFile file_;
  Sbom sbom_;
  size_t ownership_offset_ = 0;
};

}  // namespace vigil::scan
