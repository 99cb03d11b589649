// Files: descriptors that close themselves, whole reads, maps, and writes that are all or nothing.
// Any thread may call these; one Fd or MappedFile belongs to one owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace vigil {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void close();

 private:
  int fd_ = -1;
};

// A file mapped read-only. Its bytes live as long as the MappedFile.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  static Result<MappedFile> open(const std::string& path);
  static Result<MappedFile> from_fd(const Fd& fd);
  ByteView bytes() const { return {data_, size_}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// Opens a regular file for reading; a FIFO or a device is refused without blocking.
Result<Fd> open_regular(const std::string& path);
Result<uint64_t> file_bytes(const Fd& fd);

// A path below an open folder, resolved by the kernel as `resolve` says (openat2(2):
// RESOLVE_IN_ROOT or RESOLVE_BENEATH beside others; magic links are refused always). "" is the
// folder itself.
Result<Fd> open_below(const Fd& folder, std::string_view path, uint64_t flags, uint64_t resolve);

// The whole file; kTooLarge past `bytes_max`. Works for pipes too (the Fd form).
Result<std::string> read_file(const std::string& path, uint64_t bytes_max);
Result<std::string> read_all(const Fd& fd, uint64_t bytes_max);
Status write_all(const Fd& fd, std::string_view bytes);
// Appends all of a file to another. The bytes do not pass through this process's memory.
Status copy_file(const Fd& from, const Fd& to);

// Writes beside `path`, syncs, renames over it, syncs the folder: after a crash at any point the
// old or the new content is there, whole. `mode` as chmod takes it.
Status write_atomically(const std::string& path, std::string_view bytes, unsigned mode = 0644);

// Until then a crash may undo what was renamed or created in the folder.
Status sync_folder(const std::string& folder);

Status make_folders(const std::string& path);
bool path_exists(const std::string& path);

// `path` taken apart at slashes, without empty parts and ".", with ".." resolved inside the root
// ("../../etc" is "etc"), and put together again without a leading slash. Nothing is looked up.
std::string normal_path(std::string_view path);

}  // namespace vigil
