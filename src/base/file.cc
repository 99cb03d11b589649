#include "base/file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

namespace vigil {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd::~Fd() {
  close();
}

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  const Fd fd = TRY(open_regular(path));
  return with_context(from_fd(fd), path);
}

Result<MappedFile> MappedFile::from_fd(const Fd& fd) {
  MappedFile file;
  file.size_ = TRY(file_bytes(fd));
  if (file.size_ == 0) return file;
  void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return fail_errno("cannot map it", errno);
  file.data_ = static_cast<const uint8_t*>(data);
  return file;
}

Result<Fd> open_regular(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open()) return fail_errno(path, errno);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kMalformed, path + ": not a regular file");
  }
  return fd;
}

Result<Fd> open_below(const Fd& folder, std::string_view path, uint64_t flags, uint64_t resolve) {
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "a path with a NUL");
  }
  const std::string name = path.empty() ? "." : std::string(path);
  open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, folder.get(), name.c_str(), &how, sizeof(how));
  if (fd < 0) return fail_errno(path.empty() ? "the root" : name, errno);
  return Fd(static_cast<int>(fd));
}

Result<uint64_t> file_bytes(const Fd& fd) {
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("cannot stat it", errno);
  return static_cast<uint64_t>(status.st_size);
}

Result<std::string> read_file(const std::string& path, uint64_t bytes_max) {
  const Fd fd = TRY(open_regular(path));
  return with_context(read_all(fd, bytes_max), path);
}

Result<std::string> read_all(const Fd& fd, uint64_t bytes_max) {
  constexpr size_t kChunkBytes = 256 << 10;
  size_t want = kChunkBytes;
  struct stat status = {};
  if (::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    const uint64_t size = static_cast<uint64_t>(status.st_size);
    if (size > bytes_max) {
      return fail(ErrorCode::kTooLarge, std::to_string(size) + " bytes, at most " +
                                            std::to_string(bytes_max) + " are read");
    }
    // The last byte finds the end. Files of /proc say that they are empty.
    constexpr size_t kUnknownBytes = 4096;
    want = size == 0 ? kUnknownBytes : size + 1;
  }
  std::string out;
  for (;;) {
    const size_t had = out.size();
    ssize_t got = 0;
    out.resize(had + want);
    do {
      got = ::read(fd.get(), out.data() + had, want);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return fail_errno("cannot read it", errno);
    out.resize(had + static_cast<size_t>(got));
    if (got == 0) return out;
    if (out.size() > bytes_max) {
      return fail(ErrorCode::kTooLarge,
                  "more than the " + std::to_string(bytes_max) + " bytes that are read");
    }
    want -= static_cast<size_t>(got);  // No more room than was made is cleared again.
    if (want == 0) want = std::min(kChunkBytes, out.size());
  }
}

Status write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("cannot write it", errno);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Status copy_file(const Fd& from, const Fd& to) {
  constexpr size_t kPieceBytes = 1 << 20;
  off_t offset = 0;
  for (;;) {
    const ssize_t copied = ::sendfile(to.get(), from.get(), &offset, kPieceBytes);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0) return fail_errno("cannot copy it", errno);
    if (copied == 0) return {};
  }
}

namespace {

Status write_and_sync(const Fd& fd, std::string_view bytes, unsigned mode) {
  TRY(write_all(fd, bytes));
  if (::fchmod(fd.get(), mode) != 0) return fail_errno("cannot set its mode", errno);
  if (::fsync(fd.get()) != 0) return fail_errno("cannot sync it", errno);
  return {};
}

}  // namespace

Status write_atomically(const std::string& path, std::string_view bytes, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.is_open()) return fail_errno(path, errno);
  Status written = write_and_sync(fd, bytes, mode);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail_errno("cannot rename it", errno);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return with_context(std::move(written), path);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return sync_folder(folder.empty() ? "." : folder);
}

Status sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return fail_errno(folder, errno);
  if (::fsync(fd.get()) != 0) return fail_errno(folder, errno);
  return {};
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return fail_errno(path, error.value());
  return {};
}

bool path_exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

std::string normal_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    parts.push_back(part);
  }
  std::string out;
  for (const std::string_view part : parts) {
    if (!out.empty()) out += '/';
    out += part;
  }
  return out;
}

}  // namespace vigil
