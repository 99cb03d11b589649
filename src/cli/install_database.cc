#include "cli/install_database.h"

#include <fmt/format.h>

#include "cli/progress_line.h"

namespace vigil::cli {

Result<advisory::InstallSummary> install(const Arguments& arguments, const std::string& from) {
  ProgressLine line;
  const bool shows_progress = ProgressLine::is_wanted(arguments);
  advisory::InstallOptions options;
  options.folder = database_folder(arguments);
  options.trusted_keys = TRY(trusted_keys(arguments));
  options.needs_signature = arguments.has("key");
  options.allows_rollback = arguments.has("allow-rollback");
  options.accepts_shrink = arguments.has("accept-shrink");
  options.now = now();
  const auto origin = TRY(advisory::open_origin(from));
  advisory::InstallSummary summary =
      TRY(advisory::install_database(options, *origin, [&](const advisory::InstallProgress& now) {
        if (shows_progress) line.show(progress_text(now, line.seconds()));
      }));
  line.erase();
  for (const std::string& warning : summary.warnings) complain(warning);
  return summary;
}

Result<ExitCode> install_from(const Arguments& arguments, const std::string& from) {
  const advisory::InstallSummary summary = TRY(install(arguments, from));
  if (arguments.has("quiet")) return ExitCode::kPassed;

  const advisory::Manifest& manifest = summary.installed.manifest;
  std::string before = "none was there before";
  if (summary.serial_before != 0) before = fmt::format("before: {}", summary.serial_before);
  if (!summary.is_changed) before = "it was already installed";
  TRY(print(fmt::format(
      "{}: serial {} ({}), built {}, {}\n{} of {} shards fetched, {} bytes\n",
      database_folder(arguments), manifest.serial, before, format_time(manifest.built_at),
      summary.installed.signer.empty() ? "not signed by a trusted key"
                                       : "signed by " + summary.installed.signer,
      summary.shards_fetched_count, manifest.shards.size(), summary.bytes_fetched)));
  return ExitCode::kPassed;
}

}  // namespace vigil::cli
