// build_database: find the files · read each with its feed · look for feeds that shrank · write the
// shards · replace the manifest, which is the moment of change.
#include "advisory/db_builder.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "advisory/database_files.h"
#include "advisory/feeds_folder.h"
#include "advisory/install.h"
#include "advisory/shard_set.h"
#include "base/file.h"

namespace vigil::advisory {

namespace {

namespace fs = std::filesystem;

// What is wrong with a build, by name; nothing of it is wrong with accept_shrink.
struct Losses {
  std::vector<std::string> lines;

  Status refuse() const {
    constexpr size_t kNamedMax = 20;
    if (lines.empty()) return {};
    std::string message;
    for (size_t i = 0; i < std::min(lines.size(), kNamedMax); ++i) {
      message += (i == 0 ? "" : "; ") + lines[i];
    }
    if (lines.size() > kNamedMax) {
      message += "; and " + std::to_string(lines.size() - kNamedMax) + " more";
    }
    return fail(ErrorCode::kDenied, message +
                                        ". Nothing was changed; --accept-shrink builds it "
                                        "all the same");
  }
};

// The files of one feed.
struct FeedFiles {
  const Feed* feed = nullptr;
  std::vector<FeedFile> files;
};

uint64_t stored_bytes(const FeedFile& file) {
  std::error_code error;
  const uint64_t bytes = fs::file_size(file.absolute_path, error);
  return error ? 0 : bytes;
}

std::vector<FeedFiles> find_files(const FeedsFolder& folder, BuildProgress& all) {
  std::vector<FeedFiles> feeds;
  for (const Feed* feed : all_feeds()) {
    feeds.push_back({feed, folder.files_of(*feed)});
    all.files_total += feeds.back().files.size();
    for (const FeedFile& file : feeds.back().files) all.bytes_total += stored_bytes(file);
  }
  return feeds;
}

Status read_feed(const FeedFiles& of_feed, BuildProgress& done,
                 FunctionRef<void(const BuildProgress&)> progress, ShardSet& shards,
                 BuildSummary& summary, Losses& losses) {
  const Feed& feed = *of_feed.feed;
  std::map<std::string, uint64_t> yields;  // Records and skipped ones by folder.
  for (const FeedFile& file : of_feed.files) {
    done.path = file.path;
    progress(done);
    shards.begin_file(feed.name, file.coverage, file.as_of);
    TRY(with_context(feed.parse(file, shards), "the feed file " + file.path));
    const ShardSet::FileCounts counts = shards.end_file();

    BuildSummary::FeedCounts& total = summary.feeds[std::string(feed.name)];
    ++total.files;
    total.records += counts.records;
    total.withdrawn += counts.withdrawn;
    for (const auto& [reason, count] : counts.skipped) total.skipped[reason] += count;
    yields[fs::path(file.path).parent_path().generic_string()] += counts.records;
    ++done.files_done;
    done.bytes_done += stored_bytes(file);
  }
  for (const auto& [place, yield] : yields) {
    if (yield != 0) continue;
    losses.lines.push_back("the feed " + std::string(feed.name) +
                           " found nothing in its files of " +
                           (place.empty() ? "the feeds folder" : place));
  }
  return {};
}

// Records by source of one shard.
std::map<std::string, uint64_t> counts_of(const ShardMeta& meta) {
  std::map<std::string, uint64_t> counts;
  for (size_t i = 0; i < meta.sources.size(); ++i) {
    counts[meta.sources[i].name] = meta.records_counts[i];
  }
  return counts;
}

// Sources that were announced, and brought nothing.
void find_empty(const std::vector<WrittenShard>& written, Losses& losses) {
  for (const WrittenShard& shard : written) {
    for (const auto& [source, count] : counts_of(shard.meta)) {
      if (count == 0) losses.lines.push_back(source + " has no records in " + shard.meta.name);
    }
  }
}

std::string shrunk(const std::string& what, uint64_t before, uint64_t after) {
  return what + " shrank from " + std::to_string(before) + " to " + std::to_string(after) +
         " records";
}

void compare(const Manifest& old, const std::string& folder,
             const std::vector<WrittenShard>& written, Losses& losses) {
  const auto is_loss = [](uint64_t before, uint64_t after) { return after * 5 < before * 4; };
  for (const ManifestShard& shard : old.shards) {
    const auto now = std::ranges::find(written, shard.name,
                                       [](const WrittenShard& one) { return one.meta.name; });
    const std::map<std::string, uint64_t> after =
        now == written.end() ? std::map<std::string, uint64_t>() : counts_of(now->meta);
    const Result<MappedFile> file = MappedFile::open(folder + "/" + shard.file_name());
    const Result<ShardMeta> before =
        file ? read_shard_meta(file->bytes(), shard.name) : std::unexpected(file.error());
    if (!before) {
      const uint64_t count = now == written.end() ? 0 : now->meta.records_count;
      if (is_loss(shard.records_count, count)) {
        losses.lines.push_back(shrunk("the shard " + shard.name, shard.records_count, count));
      }
      continue;
    }
    for (const auto& [source, count] : counts_of(*before)) {
      const auto found = after.find(source);
      const uint64_t count_now = found == after.end() ? 0 : found->second;
      if (is_loss(count, count_now)) {
        losses.lines.push_back(shrunk(source + " in " + shard.name, count, count_now));
      }
    }
  }
}

void fill_licences(Manifest& manifest, const BuildSummary& summary) {
  std::set<std::string> attributions;
  for (const Feed* feed : all_feeds()) {
    if (!summary.feeds.contains(std::string(feed->name))) continue;
    if (!feed->attribution.empty()) attributions.emplace(feed->attribution);
    manifest.licences.push_back(std::string(feed->name) + ": " + std::string(feed->licence));
  }
  manifest.attributions.assign(attributions.begin(), attributions.end());
  std::ranges::sort(manifest.licences);
}

}  // namespace

Result<BuildSummary> build_database(const BuildOptions& options,
                                    FunctionRef<void(const BuildProgress&)> progress) {
  BuildSummary summary;
  Losses losses;
  Result<SignedManifest> old = read_manifest(options.out_folder, {});
  if (!old && old.error().code != ErrorCode::kNotFound && !options.accept_shrink) {
    old.error().message +=
        "; it cannot be compared with the new database. --accept-shrink "
        "builds it all the same";
    return std::unexpected(old.error());
  }

  const FeedsFolder folder = TRY(FeedsFolder::open(options.feeds_folder));
  BuildProgress done;
  ShardSet shards;
  for (const FeedFiles& of_feed : find_files(folder, done)) {
    TRY(read_feed(of_feed, done, progress, shards, summary, losses));
  }
  if (summary.feeds.empty()) {
    return fail(ErrorCode::kNotFound, options.feeds_folder +
                                          ": no file of any feed is in it; "
                                          "docs/feeds.md tells how it is laid out");
  }
  // From here what was collected does not change.
  done.path = {};
  progress(done);
  const std::vector<WrittenShard> written = TRY(shards.write(options.threads_count));
  find_empty(written, losses);
  if (old) compare(old->manifest, options.out_folder, written, losses);
  if (!options.accept_shrink) TRY(losses.refuse());

  Manifest& manifest = summary.manifest;
  const uint64_t next_serial = old ? old->manifest.serial + 1 : 1;
  manifest.serial = options.serial != 0
                        ? options.serial
                        : std::max(next_serial, static_cast<uint64_t>(options.built_at));
  manifest.built_at = options.built_at;
  manifest.expires_at = options.expires_at;
  manifest.epss_at = shards.epss_at();
  manifest.tool_version = VIGIL_VERSION;
  manifest.shards = manifest_shards(written);
  fill_licences(manifest, summary);
  TRY(make_folders(options.out_folder));
  const Fd lock = TRY(lock_database(options.out_folder));
  const Result<SignedManifest> still = read_manifest(options.out_folder, {});
  if (still.has_value() != old.has_value() || (old && still->manifest != old->manifest)) {
    return fail(ErrorCode::kUnavailable,
                options.out_folder + ": somebody changed the database meanwhile; build again");
  }
  TRY(write_database(options.out_folder, manifest, written, options.key));
  remove_stale_shards(options.out_folder, manifest, old ? &old->manifest : nullptr);
  return summary;
}

}  // namespace vigil::advisory
