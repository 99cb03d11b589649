// What scans found, kept: the inventory of each image or root with every file its packages own, in
// one mapped file each. CACHE_FORMAT.md beside this file describes folder and bytes.
//
// Nothing is stored under a name that an image merely claims. An inventory is named after the
// question, the very files that were read (scan/file_trace.h) and the digests of its layers. The
// first two are known to this process, not told by the parsing child: one that a hostile image took
// over can spoil the answer about that image alone. Many processes may use one cache: files are
// complete when they get their names, and are never changed; there is no lock. A damaged file is
// removed and made again. Past limits::kCacheBytesMax the entries that were not used longest go.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "image/file_access.h"
#include "scan/file_trace.h"
#include "scan/inventory_file.h"

namespace vigil::scan {

class Cache {
 public:
  // Makes the folder, for its owner alone. A folder of somebody else, or that anybody may write, is
  // kDenied: what it holds would be believed.
  static Result<Cache> open(const std::string& folder);

  // What an earlier scan found, where the same was asked and every file it opened is still the
  // same.
  enum class Need { kInventory, kFilesToo };
  std::optional<InventoryFile> recall(const std::string& question, image::FileAccess& files,
                                      Need need) const;

  // Keeps what a scan found. A root filesystem's is kept for its files, and not recalled: where its
  // links lead cannot be told from the files that were opened. `inventory` is the file of an
  // InventoryFile with this Sbom.
  Status remember(const std::string& question, const FileTrace& trace, const Sbom& sbom,
                  const Fd& inventory, int64_t started_ns) const;

 private:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}
  std::string question_path(const std::string& question) const;
  Status put(const std::string& path, FunctionRef<Status(const Fd&)> write) const;
  void remove_oldest() const;

  std::string folder_;
};

}  // namespace vigil::scan
