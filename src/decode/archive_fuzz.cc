// Any bytes as an archive and as a compressed file. libarchive reads from descriptors, so the input
// goes through a memory file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/limits.h"
#include "decode/archive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("archive_fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  uint64_t bytes_total = 0;
  const vigil::Status walked = vigil::decode::each_member(
      path, [&bytes_total](std::string_view name, std::string_view content) -> vigil::Status {
        if (name.size() > vigil::limits::kPathBytesMax) std::abort();
        bytes_total += content.size();
        if (bytes_total > (64 << 20)) {
          return vigil::fail(vigil::ErrorCode::kTooLarge, "enough for one run");
        }
        return {};
      });
  static_cast<void>(walked);
  const vigil::Result<std::string> whole = vigil::decode::read_maybe_compressed(path, 16 << 20);
  if (whole && whole->size() > (16 << 20)) std::abort();
  close(fd);
  return 0;
}
