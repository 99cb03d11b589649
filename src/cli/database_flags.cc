#include "cli/database_flags.h"

#include <unistd.h>

#include "base/file.h"

namespace vigil::cli {

namespace {

constexpr const char* kKeysFolder = "/etc/vigil/keys";

// What was named by flag or environment; "" where nothing was.
std::string named_folder(const Arguments& arguments) {
  return arguments.value("db", environment("VIGIL_DB"));
}

std::string default_folder() {
  if (geteuid() == 0) return "/var/lib/vigil/db";
  const std::string data = environment("XDG_DATA_HOME");
  return (data.empty() ? environment("HOME") + "/.local/share" : data) + "/vigil/db";
}

}  // namespace

std::string database_folder(const Arguments& arguments) {
  const std::string named = named_folder(arguments);
  return named.empty() ? default_folder() : named;
}

Result<std::vector<advisory::PublicKey>> trusted_keys(const Arguments& arguments) {
  if (!arguments.has("key")) return advisory::read_public_keys(kKeysFolder);
  std::vector<advisory::PublicKey> keys;
  for (const std::string& path : arguments.values("key")) {
    if (!path_exists(path)) {
      return fail(ErrorCode::kNotFound, "--key " + path + ": there is no such file");
    }
    const std::vector<advisory::PublicKey> of_path = TRY(advisory::read_public_keys(path));
    keys.insert(keys.end(), of_path.begin(), of_path.end());
  }
  return keys;
}

Result<advisory::OpenDatabaseOptions> database_options(const Arguments& arguments) {
  advisory::OpenDatabaseOptions options;
  options.folder = database_folder(arguments);
  const bool is_installed = path_exists(options.folder + "/manifest.json");
  if (named_folder(arguments).empty() && !is_installed) options.folder.clear();
  const std::vector<advisory::PublicKey> keys = TRY(trusted_keys(arguments));
  for (const advisory::PublicKey& key : keys) {
    options.trusted_keys.push_back(key.text());
  }
  options.now = now();
  return options;
}

UnixSeconds now() {
  return current_time(environment("SOURCE_DATE_EPOCH"));
}

}  // namespace vigil::cli
