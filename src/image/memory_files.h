// A FileAccess over files in memory, for fuzz targets: nothing they do reaches the disk.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/confine.h"
#include "image/file_access.h"

namespace vigil::image {

class MemoryFiles final : public FileAccess {
 public:
  // Paths to contents; "" is the archive that is the root itself.
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  Result<Fd> open(std::string_view path, Links) override {
    const auto at = files_.find(std::string(path));
    if (at == files_.end()) return fail(ErrorCode::kNotFound, std::string(path));
    return memory_file(at->second);
  }
  Result<std::vector<DirectoryEntry>> list(std::string_view folder, Links) override {
    std::vector<DirectoryEntry> entries;
    for (const auto& [path, content] : files_) {
      const size_t slash = path.rfind('/');
      const std::string_view parent =
          slash == std::string::npos ? std::string_view() : std::string_view(path).substr(0, slash);
      if (path.empty() || parent != folder) continue;
      entries.push_back({path.substr(slash + 1), FileType::kRegular, content.size(), 0, 0, 1, ""});
    }
    return entries;
  }
  Result<std::string> real_path(std::string_view path) override { return normal_path(path); }

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace vigil::image
