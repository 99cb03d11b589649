#include "advisory/feeds_folder.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> list_files(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_regular_file(error)) {
      paths.push_back(at->path().lexically_relative(folder).generic_string());
    }
  }
  if (error) return fail_errno(folder, error.value());
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

Result<FeedsFolder> FeedsFolder::open(const std::string& folder) {
  FeedsFolder out;
  out.folder_ = folder;
  out.paths_ = TRY(list_files(folder));
  const std::string path = folder + "/coverage.json";
  if (path_exists(path)) {
    const std::string text = TRY(read_file(path, limits::kManifestBytesMax));
    out.coverage_ = TRY(with_context(CoverageFile::parse(text), path));
  }
  return out;
}

std::vector<FeedFile> FeedsFolder::files_of(const Feed& feed) const {
  std::vector<FeedFile> files;
  for (const std::string& path : paths_) {
    const bool is_wanted = std::ranges::any_of(feed.patterns, [&](std::string_view pattern) {
      return matches_pattern(std::string(pattern), path);
    });
    if (!is_wanted) continue;
    const FileStatement statement =
        coverage_.find(path).value_or(FileStatement{.coverage = feed.coverage});
    files.push_back({.path = path,
                     .absolute_path = folder_ + "/" + path,
                     .coverage = statement.coverage,
                     .as_of = statement.as_of});
  }
  return files;
}

}  // namespace vigil::advisory
