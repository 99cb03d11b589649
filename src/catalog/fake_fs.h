// A root in memory: files by path, links of folders by their beginning. Tests and fuzz targets
// only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace vigil::catalog {

class FakeFs : public image::ImageFs {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> folder_links;  // "lib/" to "usr/lib/".

  Result<std::string> read(std::string_view path, uint64_t bytes_max) const override {
    const auto file = files.find(real_path(path));
    if (file == files.end()) return fail(ErrorCode::kNotFound, "no such file");
    if (file->second.size() > bytes_max) return fail(ErrorCode::kTooLarge, "too large");
    return file->second;
  }
  std::vector<std::string> list(std::string_view folder) const override {
    std::vector<std::string> names;
    const std::string start = real_path(folder);
    for (const auto& [path, content] : files) {
      if (path.starts_with(start) && path.find('/', start.size()) == std::string::npos) {
        names.push_back(path.substr(start.size()));
      }
    }
    return names;
  }
  std::string real_path(std::string_view path) const override {
    for (const auto& [from, to] : folder_links) {
      if (path.starts_with(from)) return to + std::string(path.substr(from.size()));
    }
    return std::string(path);
  }
  std::vector<std::string> hard_links(std::string_view) const override { return {}; }
};

}  // namespace vigil::catalog
