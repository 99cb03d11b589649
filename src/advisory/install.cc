#include "advisory/install.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "advisory/database_files.h"
#include "base/digest.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

std::unexpected<Error> refuse(std::string why) {
  return fail(ErrorCode::kDenied, std::move(why) + ". Nothing was changed");
}

Result<std::string> fetch_manifest(DatabaseOrigin& origin) {
  const Fd memory(::memfd_create("manifest", MFD_CLOEXEC));
  if (!memory.is_open()) return fail_errno("no memory for the manifest", errno);
  TRY(origin.fetch("manifest.json", limits::kDatabaseManifestBytesMax, memory, [](uint64_t) {}));
  if (::lseek(memory.get(), 0, SEEK_SET) < 0) return fail_errno("cannot seek", errno);
  return read_all(memory, limits::kDatabaseManifestBytesMax);
}

Status check_signature(const SignedManifest& offered, const InstallOptions& options,
                       const DatabaseOrigin& origin, std::vector<std::string>& warnings) {
  if (!offered.signer.empty()) return {};
  std::string what = offered.has_signatures ? "the database is signed by no key that is trusted"
                                            : "the database is not signed";
  if (!origin.is_remote() && !options.needs_signature) {
    warnings.push_back(what + "; every result will say so");
    return {};
  }
  if (options.trusted_keys.empty()) {
    what =
        "there is no trusted key: name the publisher's with --key FILE or put it into "
        "/etc/vigil/keys";
  }
  return refuse(what);
}

Status check_serial(const Manifest& old, const Manifest& offered) {
  const std::string have = std::to_string(old.serial);
  if (offered.serial < old.serial) {
    return refuse("the offered database has serial " + std::to_string(offered.serial) +
                  ", older than serial " + have +
                  ", which is installed; --allow-rollback takes it all the same");
  }
  if (offered.serial == old.serial && offered != old) {
    return refuse("the offered database has serial " + have +
                  " like the installed one and another content: the publisher must count up; "
                  "--allow-rollback takes it all the same");
  }
  return {};
}

Status check_shrinking(const Manifest& old, const Manifest& offered) {
  constexpr size_t kNamedMax = 10;
  std::string losses;
  size_t losses_count = 0;
  for (const ManifestShard& before : old.shards) {
    const ManifestShard* after = offered.find(before.name);
    const uint64_t left = after == nullptr ? 0 : after->records_count;
    if (left >= before.records_count - before.records_count / 5) continue;
    if (++losses_count > kNamedMax) continue;
    losses += (losses.empty() ? "" : ", ") + before.name + " from " +
              std::to_string(before.records_count) + " to " + std::to_string(left);
  }
  if (losses_count > kNamedMax) {
    losses += " and " + std::to_string(losses_count - kNamedMax) + " more";
  }
  if (losses.empty()) return {};
  return refuse("shards lost more than a fifth of their records: " + losses +
                "; --accept-shrink takes it all the same");
}

Result<std::string> digest_of(const Fd& fd) {
  // Not mapped: a partial file may still be cut by somebody, and that must be no SIGBUS.
  Sha256 hash;
  std::string buffer(1 << 20, '\0');
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read it", errno);
    if (got == 0) return hash.finish().text();
    hash.update(as_bytes(std::string_view(buffer).substr(0, static_cast<size_t>(got))));
    offset += got;
  }
}

Result<bool> is_whole(const Fd& fd, const ManifestShard& shard) {
  if (TRY(file_bytes(fd)) != shard.bytes) return false;
  return TRY(digest_of(fd)) == shard.digest;
}

enum class Presence { kAbsent, kDamaged, kWhole };

Result<Presence> presence_of(const std::string& path, const ManifestShard& shard) {
  if (!path_exists(path)) return Presence::kAbsent;
  const Fd fd = TRY(open_regular(path));
  const bool is_good = TRY(with_context(is_whole(fd, shard), path));
  return is_good ? Presence::kWhole : Presence::kDamaged;
}

// Fetches the shard to `to`, behind what an interrupted try left there or afresh, and checks it.
Status fetch_checked(DatabaseOrigin& origin, const ManifestShard& shard, const Fd& to,
                     FunctionRef<void(uint64_t)> progress) {
  if (TRY(is_whole(to, shard))) return {};
  const uint64_t bytes_before = TRY(file_bytes(to));
  const auto cut = [&] { return ::ftruncate(to.get(), 0) == 0; };
  if (bytes_before >= shard.bytes && !cut()) return fail_errno("cannot cut it", errno);
  TRY(origin.fetch(shard.file_name(), shard.bytes, to, progress));
  if (TRY(is_whole(to, shard))) return {};
  const uint64_t bytes = TRY(file_bytes(to));
  if (!cut()) return fail_errno("cannot cut it", errno);
  // The beginning may have been what was wrong.
  if (bytes_before > 0) return fetch_checked(origin, shard, to, progress);
  if (bytes < shard.bytes) {
    return fail(ErrorCode::kMalformed, "it was cut short: " + std::to_string(bytes) + " of " +
                                           std::to_string(shard.bytes) + " bytes came");
  }
  return fail(ErrorCode::kMalformed,
              "it is damaged: its digest is not the one that the manifest states");
}

Status install_shard(const std::string& folder, DatabaseOrigin& origin, const ManifestShard& shard,
                     const InstallProgress& before,
                     FunctionRef<void(const InstallProgress&)> progress) {
  const std::string path = folder + "/" + shard.file_name();
  std::string partial = path;
  partial.insert(partial.rfind('/') + 1, ".partial-");
  const Fd fd(::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.is_open()) return fail_errno(partial, errno);
  const auto tell = [&](uint64_t bytes) {
    InstallProgress now = before;
    now.bytes_done += bytes;
    progress(now);
  };
  tell(0);
  TRY(with_context(with_context(fetch_checked(origin, shard, fd, tell), "shard " + shard.name),
                   origin.name()));
  if (::fsync(fd.get()) != 0) return fail_errno("cannot sync " + partial, errno);
  if (::rename(partial.c_str(), path.c_str()) != 0) {
    return fail_errno("cannot rename " + partial, errno);
  }
  return {};
}

Status install_shards(const std::string& folder, DatabaseOrigin& origin,
                      FunctionRef<void(const InstallProgress&)> progress, InstallSummary& summary) {
  std::vector<const ManifestShard*> wanted;
  InstallProgress done;
  for (const ManifestShard& shard : summary.installed.manifest.shards) {
    const Presence presence = TRY(presence_of(folder + "/" + shard.file_name(), shard));
    if (presence == Presence::kWhole) continue;
    if (presence == Presence::kDamaged) {
      summary.warnings.push_back("the shard " + shard.name + " was damaged and is replaced");
    }
    wanted.push_back(&shard);
    ++done.shards_total;
    done.bytes_total += shard.bytes;
  }
  for (const ManifestShard* shard : wanted) {
    done.shard = shard->name;
    TRY(install_shard(folder, origin, *shard, done, progress));
    ++done.shards_done;
    done.bytes_done += shard->bytes;
  }
  summary.shards_fetched_count = done.shards_done;
  summary.bytes_fetched = done.bytes_done;
  if (summary.shards_fetched_count == 0) return {};
  TRY(sync_folder(folder + "/shards"));
  return sync_folder(folder);
}

}  // namespace

Result<Fd> lock_database(const std::string& folder) {
  const std::string path = folder + "/.lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.is_open()) return fail_errno(path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return fail_errno(path, errno);
  return fail(ErrorCode::kUnavailable,
              folder + ": another vigil is changing this database; try again when it is done");
}

Result<InstallSummary> install_database(const InstallOptions& options, DatabaseOrigin& origin,
                                        FunctionRef<void(const InstallProgress&)> progress) {
  InstallSummary summary;
  const std::string text = TRY(with_context(fetch_manifest(origin), origin.name()));
  summary.installed = TRY(with_context(decode_manifest(text, options.trusted_keys), origin.name()));
  const Manifest& offered = summary.installed.manifest;
  TRY(with_context(check_signature(summary.installed, options, origin, summary.warnings),
                   origin.name()));
  if (offered.expires_at != 0 && offered.expires_at < options.now) {
    // It may still be newer than what is installed, and every result says how old it is.
    summary.warnings.push_back("the database expired on " + format_date(offered.expires_at) +
                               ": its publisher may have stopped, or the address serves old data");
  }

  TRY(make_folders(options.folder + "/shards"));
  const Fd lock = TRY(lock_database(options.folder));
  const std::string manifest_path = options.folder + "/manifest.json";
  const Result<std::string> old_text = read_file(manifest_path, limits::kDatabaseManifestBytesMax);
  std::optional<Manifest> old;
  if (old_text) {
    Result<SignedManifest> decoded = decode_manifest(*old_text, {});
    if (decoded) {
      old = std::move(decoded->manifest);
      summary.serial_before = old->serial;
    } else {
      summary.warnings.push_back(manifest_path + " is replaced: " + decoded.error().text());
    }
  } else if (old_text.error().code != ErrorCode::kNotFound) {
    return std::unexpected(old_text.error());
  }
  if (old && !options.allows_rollback) TRY(check_serial(*old, offered));
  if (old && !options.accepts_shrink) TRY(check_shrinking(*old, offered));

  TRY(install_shards(options.folder, origin, progress, summary));
  summary.is_changed = !old_text || *old_text != text;
  if (!summary.is_changed) return summary;
  TRY(write_atomically(manifest_path, text));
  // From here the new database is in use.
  remove_stale_shards(options.folder, offered, old ? &*old : nullptr);
  return summary;
}

}  // namespace vigil::advisory
