// Where a database comes from before it is installed: a folder, an export file, or a web address
// with the same files below it. What an origin gives is hostile until the manifest's signature and
// the shards' digests say otherwise (install.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::advisory {

// One thread.
class DatabaseOrigin {
 public:
  virtual ~DatabaseOrigin() = default;
  // Where it is, as it may be shown.
  virtual std::string name() const = 0;
  // Anybody may answer for it: only a signature tells whose it is.
  virtual bool is_remote() const = 0;
  // Writes "manifest.json" or a shard's file to `to`. The manifest is asked for first, the shards
  // in its order, some of them maybe not. `to` may hold the beginning of an interrupted try; an
  // origin goes on behind it or begins afresh. kNotFound where there is no such file, kTooLarge
  // past `bytes_max`. `progress` is called with the bytes that `to` has by then.
  virtual Status fetch(const std::string& file, uint64_t bytes_max, const Fd& to,
                       FunctionRef<void(uint64_t bytes)> progress) = 0;
};

// `from` is an http or https URL, a folder, or a file that export_database wrote.
Result<std::unique_ptr<DatabaseOrigin>> open_origin(const std::string& from);

// Writes the database of the folder to one file: a tar of the manifest and the shards in its order,
// compressed with zstd. Each shard's digest is checked on the way. All or nothing; an existing file
// is replaced. The same database gives the same bytes.
Status export_database(const std::string& folder, const std::string& path);

}  // namespace vigil::advisory
