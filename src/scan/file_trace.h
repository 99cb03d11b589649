// Which files a scan opened, and which files they were. The same again means the same answer: what
// an image was found to hold is reused without hashing it again where every file is still the one
// that was read, by device, inode, size, and the times of its last changes.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "image/file_access.h"

namespace vigil::scan {

struct FileIdentity {
  bool is_there = false;  // Files looked for in vain count too; the rest is zero then.
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};

// By path and how links in it were treated.
using FileTrace = std::map<std::pair<std::string, image::FileAccess::Links>, FileIdentity>;

std::string encode_trace(const FileTrace& trace);
Result<FileTrace> decode_trace(ByteView bytes);  // Our own file; checked all the same.

// Whether each file is the one it was. Opens nothing that a scan would not open.
bool still_holds(const FileTrace& trace, image::FileAccess& files);

// Whether a change from `since_ns` on could have left every identity as it is: the clock of a file
// system stands still between two of its ticks.
bool is_settled(const FileTrace& trace, int64_t since_ns);

// Passes everything on to `files`, which must outlive it, and notes what was opened.
class TracingFiles final : public image::FileAccess {
 public:
  explicit TracingFiles(image::FileAccess& files) : files_(files) {}
  Result<Fd> open(std::string_view path, Links links) override;
  Result<std::vector<image::DirectoryEntry>> list(std::string_view path, Links links) override {
    return files_.list(path, links);
  }
  Result<std::string> real_path(std::string_view path) override { return files_.real_path(path); }
  const FileTrace& trace() const { return trace_; }

 private:
  image::FileAccess& files_;
  FileTrace trace_;
};

}  // namespace vigil::scan
