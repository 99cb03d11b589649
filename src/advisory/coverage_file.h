// coverage.json of a feeds folder: how much each file holds and from when it is, where somebody
// knows it better than the feed. Its form:
//   {"feeds": [{"path": "alpine/*/{main,community}.{json,yaml}", "source": "alpine",
//               "coverage": "fixed-only", "as_of": "2023-02-26"}]}
// `path` is fnmatch(3) with FNM_PATHNAME and alternatives in braces. `as_of` may be an object: its
// keys are names ("edge"), or spans of release numbers ("v3.3-v3.11"), compared with the parts of
// the file's path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"

namespace vigil::advisory {

struct FileStatement {
  Coverage coverage;
  UnixSeconds as_of = 0;
  bool operator==(const FileStatement&) const = default;
};

class CoverageFile {
 public:
  static Result<CoverageFile> parse(std::string_view json);
  std::optional<FileStatement> find(std::string_view path) const;  // The first that matches.

 private:
  struct Entry {
    std::vector<std::string> patterns;
    Coverage coverage;
    std::vector<std::pair<std::string, UnixSeconds>> as_of;  // "" holds for all.
  };
  std::vector<Entry> entries_;
};

bool matches_pattern(const std::string& pattern, const std::string& path);

}  // namespace vigil::advisory
