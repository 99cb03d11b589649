#include "acts.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/file.h"

namespace vigil::kernel_test {

Folder::Folder() {
  path_ = std::filesystem::canonical(std::filesystem::temp_directory_path()).string() +
          "/vigil-kernel-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::string Folder::file(const std::string& name, const std::string& content) const {
  const std::string path = path_ + "/" + name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << content;
  return path;
}

Child::Child(const std::function<bool()>& act) {
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Whatever it throws ends the child, not only the act.
    const auto checked = [&]() noexcept { return act(); };
    ::_exit(checked() ? 0 : 1);
  }
}

void Child::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

bool Child::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool own_network() {
  if (::unshare(CLONE_NEWNET) != 0) return false;
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

bool mount_overlay(const std::string& lower, const std::string& upper, const std::string& work,
                   const std::string& place) {
  const std::string options = "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work;
  return ::mount("overlay", place.c_str(), "overlay", 0, options.c_str()) == 0;
}

bool read_a_byte(int fd) {
  char byte = 0;
  return ::pread(fd, &byte, 1, 0) == 1;
}

bool read_at(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd.is_open() && read_a_byte(fd.get());
}

bool touch(const void* mapping) {
  if (mapping == MAP_FAILED) return false;
  static_cast<void>(*static_cast<const volatile char*>(mapping));
  return true;
}

// The few words of io_uring that one request needs.
bool read_through_ring(const std::string& path) {
  io_uring_params parameters{};
  const Fd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 1, &parameters)));
  if (!ring.is_open()) return false;
  const size_t sq_bytes = parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  const size_t cq_bytes = parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe);
  const auto map = [&](size_t bytes, uint64_t offset) {
    return static_cast<char*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_POPULATE, ring.get(),
                                     static_cast<off_t>(offset)));
  };
  char* sq = map(sq_bytes, IORING_OFF_SQ_RING);
  char* cq = map(cq_bytes, IORING_OFF_CQ_RING);
  char* entries = map(sizeof(io_uring_sqe), IORING_OFF_SQES);
  if (sq == MAP_FAILED || cq == MAP_FAILED || entries == MAP_FAILED) return false;
  auto* request = reinterpret_cast<io_uring_sqe*>(entries);
  *request = {};
  request->opcode = IORING_OP_OPENAT;
  request->fd = AT_FDCWD;
  request->addr = reinterpret_cast<uint64_t>(path.c_str());
  request->open_flags = O_RDONLY | O_CLOEXEC;
  *reinterpret_cast<uint32_t*>(sq + parameters.sq_off.array) = 0;
  __atomic_store_n(reinterpret_cast<uint32_t*>(sq + parameters.sq_off.tail), 1u, __ATOMIC_RELEASE);
  if (::syscall(SYS_io_uring_enter, ring.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1) {
    return false;
  }
  return read_a_byte(reinterpret_cast<io_uring_cqe*>(cq + parameters.cq_off.cqes)->res);
}

bool has_file_handles(const std::string& folder) {
  alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  return ::name_to_handle_at(AT_FDCWD, folder.c_str(), handle, &mount, 0) == 0;
}

bool read_by_handle(const std::string& path) {
  alignas(file_handle) char space[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
  auto* handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  const Fd folder(::open(std::filesystem::path(path).parent_path().c_str(),
                         O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::name_to_handle_at(AT_FDCWD, path.c_str(), handle, &mount, 0) != 0) return false;
  return read_a_byte(Fd(::open_by_handle_at(folder.get(), handle, O_RDONLY | O_CLOEXEC)).get());
}

bool map_code(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return read_a_byte(fd.get()) &&
         touch(::mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0));
}

bool map_then_protect(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* place = ::mmap(nullptr, 1, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  return place != MAP_FAILED && ::mprotect(place, 1, PROT_READ | PROT_EXEC) == 0 && touch(place);
}

StatOf::StatOf(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return;
  device = status.st_dev;
  inode = status.st_ino;
}

}  // namespace vigil::kernel_test
