// FileAccess by the kernel's own resolution inside a root (openat2, Linux 5.6).
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "image/file_access.h"

namespace vigil::image {

namespace {

constexpr uint64_t kFollow = RESOLVE_IN_ROOT;
constexpr uint64_t kRefuse = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kOther;
}

std::string shown(std::string_view path) {
  return path.empty() ? "the root" : std::string(path);
}

uint64_t resolution(FileAccess::Links links) {
  return links == FileAccess::Links::kFollow ? kFollow : kRefuse;
}

class LocalFolder final : public FileAccess {
 public:
  explicit LocalFolder(Fd root) : root_(std::move(root)) {}

  Result<Fd> open(std::string_view path, Links links) override {
    // Looked at before it is opened for reading: opening a device can already do something.
    const Fd place = TRY(open_at(path, O_PATH, resolution(links)));
    TRY(check_regular(place, path));
    Fd fd = TRY(open_at(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, resolution(links)));
    TRY(check_regular(fd, path));
    return fd;
  }

  Result<std::vector<DirectoryEntry>> list(std::string_view path, Links links) override {
    Fd fd = TRY(open_at(path, O_RDONLY | O_DIRECTORY, resolution(links)));
    const int number = fd.get();
    DIR* directory = ::fdopendir(number);
    if (directory == nullptr) return fail_errno(shown(path), errno);
    fd.release();
    Result<std::vector<DirectoryEntry>> entries = read_entries(directory, number, path);
    ::closedir(directory);
    return entries;
  }

  Result<std::string> real_path(std::string_view path) override {
    const bool is_plain = normal_path(path) == path;
    if (is_plain) {
      const Result<Fd> straight = open_at(path, O_PATH, kRefuse);
      if (straight) return std::string(path);
      if (straight.error().code == ErrorCode::kNotFound) {
        return std::unexpected(straight.error());
      }
    }
    return resolve(path);
  }

 private:
  Result<Fd> open_at(std::string_view path, uint64_t flags, uint64_t resolve) const {
    return open_below(root_, path, flags, resolve);
  }

  static Status check_regular(const Fd& fd, std::string_view path) {
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) return fail_errno(shown(path), errno);
    if (!S_ISREG(status.st_mode)) {
      return fail(ErrorCode::kMalformed, shown(path) + ": not a regular file");
    }
    return {};
  }

  static Result<std::string> read_link(int folder, const char* name, size_t bytes) {
    std::string target(std::min<size_t>(std::max<size_t>(bytes + 1, 256), 64 << 10), '\0');
    const ssize_t got = ::readlinkat(folder, name, target.data(), target.size());
    if (got < 0) return fail_errno(name, errno);
    target.resize(static_cast<size_t>(got));
    return target;
  }

  static Result<std::vector<DirectoryEntry>> read_entries(DIR* directory, int fd,
                                                          std::string_view path) {
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(directory);
      if (found == nullptr && errno != 0) return fail_errno(shown(path), errno);
      if (found == nullptr) break;
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      if (entries.size() == limits::kDirectoryEntriesMax) {
        return fail(ErrorCode::kTooLarge, shown(path) + ": more files than kDirectoryEntriesMax");
      }
      struct stat status = {};
      // A file that went away in the meantime is none of the folder's any more.
      if (::fstatat(fd, found->d_name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
        continue;
      }
      DirectoryEntry entry = {std::string(name),
                              type_of(status.st_mode),
                              static_cast<uint64_t>(status.st_size),
                              status.st_dev,
                              status.st_ino,
                              status.st_nlink,
                              ""};
      if (entry.type == FileType::kSymlink) {
        Result<std::string> target = read_link(fd, found->d_name, entry.bytes);
        if (!target) continue;
        entry.target = *std::move(target);
      }
      entries.push_back(std::move(entry));
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  // Part by part, each opened inside the root, so that no text of ours is trusted by the kernel.
  Result<std::string> resolve(std::string_view path) const {
    std::string pending(path);
    std::string done;
    uint64_t links = 0;
    while (!pending.empty()) {
      const size_t slash = std::min(pending.find('/'), pending.size());
      const std::string part = pending.substr(0, slash);
      pending.erase(0, slash + 1);
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        const size_t end = done.rfind('/');
        done.resize(end == std::string::npos ? 0 : end);
        continue;
      }
      const std::string at = done.empty() ? part : done + "/" + part;
      const Fd place = TRY(open_at(at, O_PATH | O_NOFOLLOW, kFollow));
      struct stat status = {};
      if (::fstat(place.get(), &status) != 0) return fail_errno(at, errno);
      if (!S_ISLNK(status.st_mode)) {
        done = at;
        continue;
      }
      if (++links > limits::kLinkDepthMax) return fail_errno(shown(path), ELOOP);
      const std::string target =
          TRY(read_link(place.get(), "", static_cast<size_t>(status.st_size)));
      if (target.starts_with('/')) done.clear();
      pending = target + "/" + pending;
      if (pending.size() > 4 * limits::kPathBytesMax) return fail_errno(shown(path), ENAMETOOLONG);
    }
    return done;
  }

  Fd root_;
};

// An archive: one file and no folder.
class LocalArchive final : public FileAccess {
 public:
  explicit LocalArchive(std::string path) : path_(std::move(path)) {}

  Result<Fd> open(std::string_view path, Links) override {
    if (!path.empty()) return no_folder();
    return open_regular(path_);
  }
  Result<std::vector<DirectoryEntry>> list(std::string_view, Links) override { return no_folder(); }
  Result<std::string> real_path(std::string_view) override { return no_folder(); }

 private:
  static std::unexpected<Error> no_folder() {
    return fail(ErrorCode::kNotFound, "it is a file, not a folder");
  }

  std::string path_;
};

}  // namespace

Result<Fd> open_place(const Fd& root, std::string_view path, FileAccess::Links links) {
  return open_below(root, path, O_PATH, resolution(links));
}

Result<std::unique_ptr<FileAccess>> open_local_files(const std::string& root) {
  Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<FileAccess> files;
  if (folder.is_open()) {
    files = std::make_unique<LocalFolder>(std::move(folder));
    return files;
  }
  if (errno != ENOTDIR) return fail_errno(root, errno);
  TRY(open_regular(root));
  files = std::make_unique<LocalArchive>(root);
  return files;
}

}  // namespace vigil::image
