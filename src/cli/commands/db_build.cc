// db build: from a folder of feeds to a database of shards.
#include <sys/stat.h>

#include <algorithm>

#include "advisory/db_builder.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/database_flags.h"
#include "cli/progress_line.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    {"feeds", 0, "DIR", "Folder of upstream feeds, laid out as docs/feeds.md says."},
    {"out", 0, "DIR",
     "The database to make or renew; else that of --db or VIGIL_DB, or the default."},
    kDbFlag,
    {"sign", 0, "FILE", "Private key (see 'vigil db keygen') to sign the manifest with."},
    {"expires-days", 0, "N", "Say in every result after N days that the database is too old."},
    {"accept-shrink", 0, "", "Build even where a feed is empty or lost a fifth of its records."},
    {"threads", 0, "N", "At most N threads; else one per processor."},
    {"quiet", 'q', "", "No progress and no summary."},
};

constexpr UnixSeconds kDaySeconds = 86'400;
constexpr uint64_t kExpiresDaysMax = 36'500;

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string left(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string summary_text(const advisory::BuildSummary& summary, const std::string& folder) {
  constexpr size_t kNumberWidth = 11;
  size_t width = 6;
  for (const auto& [name, counts] : summary.feeds) width = std::max(width, name.size());
  for (const advisory::ManifestShard& shard : summary.manifest.shards) {
    width = std::max(width, shard.name.size());
  }
  std::string out = left("FEED", width) + padded("FILES", kNumberWidth) +
                    padded("RECORDS", kNumberWidth) + padded("WITHDRAWN", kNumberWidth) +
                    padded("LEFT OUT", kNumberWidth) + "\n";
  for (const auto& [name, counts] : summary.feeds) {
    uint64_t skipped = 0;
    for (const auto& [reason, count] : counts.skipped) skipped += count;
    out += left(name, width) + padded(std::to_string(counts.files), kNumberWidth) +
           padded(std::to_string(counts.records), kNumberWidth) +
           padded(std::to_string(counts.withdrawn), kNumberWidth) +
           padded(std::to_string(skipped), kNumberWidth) + "\n";
    for (const auto& [reason, count] : counts.skipped) {
      out += "  " + std::to_string(count) + " left out: " + reason + "\n";
    }
  }
  out += "\n" + left("SHARD", width) + padded("RECORDS", kNumberWidth) +
         padded("BYTES", kNumberWidth) + "  SOURCES\n";
  uint64_t bytes = 0;
  for (const advisory::ManifestShard& shard : summary.manifest.shards) {
    bytes += shard.bytes;
    std::string sources;
    for (const advisory::ShardSource& source : shard.sources) {
      sources += (sources.empty() ? "" : "; ") + source.name + " (" + source.coverage.text();
      if (source.as_of != 0) sources += ", " + format_date(source.as_of);
      sources += ")";
    }
    out += left(shard.name, width) + padded(std::to_string(shard.records_count), kNumberWidth) +
           padded(std::to_string(shard.bytes), kNumberWidth) + "  " + sources + "\n";
  }
  return out + "\n" + std::to_string(summary.manifest.shards.size()) + " shards, " +
         std::to_string(bytes) + " bytes, serial " + std::to_string(summary.manifest.serial) +
         ", in " + folder + "\n";
}

bool is_readable_by_others(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

Result<ExitCode> run(const Arguments& arguments) {
  if (!arguments.has("feeds") || !arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db build wants --feeds DIR and no other operand");
  }
  advisory::BuildOptions options;
  options.feeds_folder = arguments.value("feeds");
  options.out_folder = arguments.value("out", database_folder(arguments));
  options.built_at = now();
  const uint64_t days = TRY(arguments.number("expires-days", 0));
  if (days > kExpiresDaysMax) {
    return fail(ErrorCode::kTooLarge,
                "--expires-days wants at most " + std::to_string(kExpiresDaysMax));
  }
  if (days != 0) {
    options.expires_at = options.built_at + static_cast<UnixSeconds>(days) * kDaySeconds;
  }
  options.accept_shrink = arguments.has("accept-shrink");
  options.threads_count = TRY(arguments.number("threads", 0));
  advisory::PrivateKey key;
  if (arguments.has("sign")) {
    const std::string path = arguments.value("sign");
    const std::string text = TRY(read_file(path, limits::kKeyFileBytesMax));
    key = TRY(with_context(advisory::PrivateKey::parse(text), path));
    options.key = &key;
    if (is_readable_by_others(path)) {
      complain(path + " can be read by others, who can sign with it; chmod 600 keeps them out");
    }
  }
  const bool is_quiet = arguments.has("quiet");
  ProgressLine line;
  const bool shows_progress = ProgressLine::is_wanted(arguments);
  const advisory::BuildSummary summary =
      TRY(advisory::build_database(options, [&](const advisory::BuildProgress& now) {
        if (shows_progress) line.show(progress_text(now, line.seconds()));
      }));
  line.erase();
  if (!is_quiet) TRY(print(summary_text(summary, options.out_folder)));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_build_command;
const Command db_build_command = {
    .name = "db build",
    .operands = "",
    .summary = "Compile upstream feeds into an advisory database.",
    .details =
        "Reads every feed file of --feeds in its publisher's own format and writes one shard per\n"
        "release or ecosystem. The same feeds, SOURCE_DATE_EPOCH and key give the same bytes.\n"
        "A file that cannot be read, a feed that is empty and a source that lost more than a fifth "
        "of\n"
        "its records are errors that name it; the old database then stays as it is.",
    .flags = kFlags,
    .run = run,
};

}  // namespace vigil::cli
