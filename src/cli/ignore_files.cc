#include "cli/ignore_files.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "match/ignore_file.h"

namespace vigil::cli {

namespace {

constexpr std::string_view kFound[] = {".vigilignore.yaml", ".trivyignore.yaml", ".trivyignore"};

Result<std::vector<match::IgnoreRule>> read_rules(const std::string& path) {
  const std::string text =
      TRY(with_context(read_file(path, limits::kIgnoreFileBytesMax), "the ignore file"));
  return match::read_ignore_file(text, path);
}

}  // namespace

Result<IgnoreFiles> ignore_files(const Arguments& arguments) {
  IgnoreFiles files;
  for (const std::string& path : arguments.values("ignorefile")) {
    std::vector<match::IgnoreRule> rules = TRY(read_rules(path));
    std::ranges::move(rules, std::back_inserter(files.rules));
  }
  if (arguments.has("ignorefile") || arguments.has("no-ignorefile")) return files;
  for (const std::string_view name : kFound) {
    const std::string path(name);
    if (!path_exists(path)) continue;
    std::vector<match::IgnoreRule> rules = TRY(read_rules(path));
    files.notes.push_back("ignore rules of " + path + " in the working folder: " +
                          std::to_string(rules.size()) + " (--no-ignorefile leaves them out)");
    std::ranges::move(rules, std::back_inserter(files.rules));
  }
  return files;
}

}  // namespace vigil::cli
