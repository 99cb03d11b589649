// The inventory format: how an Sbom with its owned files crosses from the parsing child to its
// parent, and lies in the cache. INVENTORY_FORMAT.md beside this file describes the bytes. The
// reading side treats every byte as hostile.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/package.h"
#include "model/sbom.h"

namespace vigil::decode {

void append_sbom(std::string& out, const Sbom& sbom);
Result<Sbom> decode_sbom(ByteView bytes);

// The ownership part: path to package, readable from a mapped file without parsing it.
// `threads_count` as of parallel_for.
void append_ownership(std::string& out, const std::vector<OwnedFile>& files,
                      size_t threads_count = 1);

class OwnershipView {
 public:
  // Checks header, sizes and checksum; `bytes` must outlive the view. `packages_count` bounds the
  // package indexes.
  static Result<OwnershipView> open(ByteView bytes, size_t packages_count);
  size_t size() const { return count_; }  // Files, not names.
  Result<OwnedFile> file(size_t index) const;
  // Indexes of the files that have this name or alias (no leading slash): usually one or none.
  std::vector<size_t> find(std::string_view path) const;

 private:
  ByteView bytes_;
  size_t count_ = 0;
  size_t names_count_ = 0;
};

}  // namespace vigil::decode
