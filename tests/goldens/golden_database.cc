#include "golden_database.h"

#include <filesystem>

#include "advisory/db_builder.h"
#include "base/file.h"

namespace vigil::goldens {

namespace {

std::unique_ptr<advisory::Database> compile(const std::string& feeds_folder) {
  const std::string folder = VIGIL_BINARY_DIR "/golden-db";
  std::filesystem::remove_all(folder);
  advisory::BuildOptions options;
  options.feeds_folder = feeds_folder;
  options.out_folder = folder;
  const auto built = advisory::build_database(options, [](const advisory::BuildProgress&) {});
  if (!built) return nullptr;
  Result<std::unique_ptr<advisory::Database>> database =
      advisory::open_database({.folder = folder, .trusted_keys = {}, .now = 0});
  return database ? *std::move(database) : nullptr;
}

}  // namespace

std::string feeds_path(const std::string& relative) {
  std::string path = std::string(VIGIL_SOURCE_DIR) + "/../shared/feeds/" + relative;
  return path_exists(path) ? path : "";
}

const advisory::Database* golden_database() {
  static const std::unique_ptr<advisory::Database> database =
      feeds_path("").empty() ? nullptr : compile(feeds_path(""));
  return database.get();
}

}  // namespace vigil::goldens
