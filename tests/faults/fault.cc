// Preloaded into the program: lets the Nth call of one kind fail, or kills the process before it.
// VIGIL_FAULT is "KIND N fail" or "KIND N kill"; VIGIL_FAULT_TOLD names a file that is made when it
// happens, so that a test knows when there were fewer than N calls.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Fault {
  char kind[16] = "";
  long number = 0;
  char action[8] = "";
};

// Reads the environment without allocating: malloc itself may be what is to fail.
const Fault& fault() {
  static Fault wanted = [] {
    Fault read;
    const char* text = ::getenv("VIGIL_FAULT");
    if (text != nullptr) std::sscanf(text, "%15s %ld %7s", read.kind, &read.number, read.action);
    return read;
  }();
  return wanted;
}

std::atomic<long> calls_count = 0;
thread_local bool is_inside = false;

// Whether this call of that kind is to fail.
bool strikes(const char* kind) {
  if (is_inside) return false;
  is_inside = true;
  const bool is_it = std::strcmp(fault().kind, kind) == 0 && ++calls_count == fault().number;
  if (is_it) {
    const char* told = ::getenv("VIGIL_FAULT_TOLD");
    if (told != nullptr) {
      const long fd = ::syscall(SYS_open, told, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      ::syscall(SYS_close, fd);
    }
    if (std::strcmp(fault().action, "kill") == 0) ::syscall(SYS_kill, ::getpid(), SIGKILL);
  }
  is_inside = false;
  return is_it;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);

ssize_t write(int fd, const void* bytes, size_t count) {
  if (fd > 2 && strikes("write")) {
    errno = ENOSPC;
    return -1;
  }
  return ::syscall(SYS_write, fd, bytes, count);
}

int fsync(int fd) {
  if (strikes("fsync")) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

int rename(const char* from, const char* to) {
  if (strikes("rename")) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

ssize_t read(int fd, void* bytes, size_t count) {
  if (strikes("read")) {
    errno = EIO;
    return -1;
  }
  return ::syscall(SYS_read, fd, bytes, count);
}

int open(const char* path, int flags, ...) {
  static const auto real = next<int (*)(const char*, int, ...)>("open");
  unsigned mode = 0;
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, flags);
    mode = __builtin_va_arg(arguments, unsigned);
    __builtin_va_end(arguments);
  }
  if (strikes("open")) {
    errno = EMFILE;
    return -1;
  }
  return real(path, flags, mode);
}

void* malloc(size_t bytes) {
  if (!strikes("malloc")) return __libc_malloc(bytes);
  errno = ENOMEM;
  return nullptr;
}

void* calloc(size_t count, size_t bytes) {
  if (!strikes("malloc")) return __libc_calloc(count, bytes);
  errno = ENOMEM;
  return nullptr;
}

void* realloc(void* old, size_t bytes) {
  if (!strikes("malloc")) return __libc_realloc(old, bytes);
  errno = ENOMEM;
  return nullptr;
}

}  // extern "C"
