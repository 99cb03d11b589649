// How the code that parses images reaches files outside itself. The parsing child may open nothing
// by name, so it asks its parent (image/broker.h), who answers inside one root folder or for one
// archive; tests and the parent use open_local_files directly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace vigil::image {

enum class FileType : uint8_t { kRegular = 0, kDirectory = 1, kSymlink = 2, kOther = 3 };

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kOther;
  uint64_t bytes = 0;
  uint64_t device = 0;  // With inode: names of one file have the same pair.
  uint64_t inode = 0;
  uint64_t links = 1;  // Hard links to it.
  std::string target;  // Of a symbolic link, as stored.
};

// Paths are relative to the root the FileAccess was made for, without a leading slash; "" is the
// root itself. Links are followed inside the root and never out of it (openat2, RESOLVE_IN_ROOT and
// RESOLVE_NO_MAGICLINKS; RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS where `links` says so). One
// thread.
class FileAccess {
 public:
  enum class Links { kFollow, kRefuse };

  virtual ~FileAccess() = default;
  // A regular file opened for reading, never blocking; others are kMalformed.
  virtual Result<Fd> open(std::string_view path, Links links) = 0;
  // Sorted by name, without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list(std::string_view path, Links links) = 0;
  // The path with every link resolved inside the root; kNotFound where it leads nowhere.
  virtual Result<std::string> real_path(std::string_view path) = 0;
};

// The place itself (O_PATH) of a path below an open root, resolved likewise; of any type.
Result<Fd> open_place(const Fd& root, std::string_view path, FileAccess::Links links);

// `root` is a folder, or an archive file, which is then open("")'s answer and all there is.
Result<std::unique_ptr<FileAccess>> open_local_files(const std::string& root);

}  // namespace vigil::image
