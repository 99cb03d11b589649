#include "advisory/origin.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "advisory/manifest.h"
#include "base/digest.h"
#include "base/limits.h"
#include "decode/archive.h"
#include "decode/inflate.h"
#include "decode/tar.h"
#include "net/http_client.h"

namespace vigil::advisory {

namespace {

Status too_large(uint64_t bytes_max) {
  return fail(ErrorCode::kTooLarge,
              "more than the " + std::to_string(bytes_max) + " bytes that are taken");
}

// Makes `to` hold what the stream has left, and nothing else.
Status copy(FunctionRef<Result<ByteView>()> next, uint64_t bytes_max, const Fd& to,
            FunctionRef<void(uint64_t)> progress) {
  if (::ftruncate(to.get(), 0) != 0) return fail_errno("cannot cut it", errno);
  if (::lseek(to.get(), 0, SEEK_SET) < 0) return fail_errno("cannot seek", errno);
  uint64_t bytes = 0;
  for (;;) {
    const ByteView piece = TRY(next());
    if (piece.empty()) return {};
    bytes += piece.size();
    if (bytes > bytes_max) return too_large(bytes_max);
    TRY(write_all(to, as_text(piece)));
    progress(bytes);
  }
}

class Folder final : public DatabaseOrigin {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string name() const override { return path_; }
  bool is_remote() const override { return false; }

  Status fetch(const std::string& file, uint64_t bytes_max, const Fd& to,
               FunctionRef<void(uint64_t)> progress) override {
    const std::string path = path_ + "/" + file;
    const Fd from = TRY(open_regular(path));
    decode::FileStream stream(from, 0, TRY(file_bytes(from)));
    return with_context(copy([&] { return stream.next(); }, bytes_max, to, progress), path);
  }

 private:
  std::string path_;
};

class ExportFile final : public DatabaseOrigin {
 public:
  static Result<std::unique_ptr<DatabaseOrigin>> open(const std::string& path) {
    auto out = std::unique_ptr<ExportFile>(new ExportFile(path));
    out->fd_ = TRY(open_regular(path));
    out->file_.emplace(out->fd_, 0, TRY(file_bytes(out->fd_)));
    out->inflated_ = TRY(with_context(decode::open_inflate(*out->file_), path));
    out->tar_.emplace(*out->inflated_);
    return out;
  }
  std::string name() const override { return path_; }
  bool is_remote() const override { return false; }

  // Files are asked for in the order they were written in, so one pass finds them all.
  Status fetch(const std::string& file, uint64_t bytes_max, const Fd& to,
               FunctionRef<void(uint64_t)> progress) override {
    return with_context(next_named(file, bytes_max, to, progress), path_);
  }

 private:
  explicit ExportFile(std::string path) : path_(std::move(path)) {}

  Status next_named(const std::string& file, uint64_t bytes_max, const Fd& to,
                    FunctionRef<void(uint64_t)> progress) {
    while (TRY(tar_->next())) {
      const decode::TarEntry& entry = tar_->entry();
      if (entry.path != file || entry.type != decode::TarType::kRegular || entry.is_sparse)
        continue;
      return copy([&] { return tar_->next_piece(); }, bytes_max, to, progress);
    }
    return fail(ErrorCode::kNotFound, "it holds no " + file + ", or not in its place");
  }

  std::string path_;
  Fd fd_;
  std::optional<decode::FileStream> file_;
  std::unique_ptr<decode::ByteStream> inflated_;
  std::optional<decode::TarReader> tar_;
};

class WebAddress final : public DatabaseOrigin {
 public:
  WebAddress(std::string url, net::HttpClient client)
      : url_(std::move(url)), client_(std::move(client)) {
    while (url_.ends_with('/')) url_.pop_back();
  }
  std::string name() const override { return net::shown_url(url_); }
  bool is_remote() const override { return true; }

  Status fetch(const std::string& file, uint64_t bytes_max, const Fd& to,
               FunctionRef<void(uint64_t)> progress) override {
    net::HttpRequest request;
    request.url = url_ + "/" + file;
    request.bytes_max = bytes_max;
    // A shard's name carries its digest, so what is there is the beginning of the same file.
    request.resume_at = TRY(file_bytes(to));
    request.progress = [progress](uint64_t bytes) { progress(bytes); };
    TRY(client_.get(request, to));
    return {};
  }

 private:
  std::string url_;
  net::HttpClient client_;
};

Status write_members(const std::string& folder, std::string_view text, const Manifest& manifest,
                     const Fd& to) {
  decode::ArchiveWriter writer = TRY(decode::ArchiveWriter::create(to, manifest.built_at));
  TRY(writer.add("manifest.json", as_bytes(text)));
  for (const ManifestShard& shard : manifest.shards) {
    const std::string path = folder + "/" + shard.file_name();
    const MappedFile file = TRY(MappedFile::open(path));
    if (sha256(file.bytes()).text() != shard.digest) {
      return fail(ErrorCode::kMalformed, path +
                                             ": it does not have the digest that the manifest "
                                             "states; a new 'db update' repairs it");
    }
    TRY(writer.add(shard.file_name(), file.bytes()));
  }
  TRY(writer.finish());
  if (::fsync(to.get()) != 0) return fail_errno("cannot sync it", errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<DatabaseOrigin>> open_origin(const std::string& from) {
  if (net::is_http_url(from)) {
    net::HttpClient client = TRY(net::HttpClient::create({}));
    return std::make_unique<WebAddress>(from, std::move(client));
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(from, ignored)) return std::make_unique<Folder>(from);
  if (from.find("://") != std::string::npos) {
    return fail(ErrorCode::kUnsupported,
                net::shown_url(from) + ": only http and https addresses are read");
  }
  return ExportFile::open(from);
}

Status export_database(const std::string& folder, const std::string& path) {
  const std::string manifest_path = folder + "/manifest.json";
  const std::string text = TRY(read_file(manifest_path, limits::kDatabaseManifestBytesMax));
  const SignedManifest read = TRY(with_context(decode_manifest(text, {}), manifest_path));
  std::string temporary = path + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.is_open()) return fail_errno(temporary, errno);
  Status written = write_members(folder, text, read.manifest, fd);
  if (written && ::fchmod(fd.get(), 0644) != 0) written = fail_errno("cannot set its mode", errno);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail_errno("cannot rename it", errno);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return with_context(std::move(written), path);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return sync_folder(parent.empty() ? "." : parent);
}

}  // namespace vigil::advisory
