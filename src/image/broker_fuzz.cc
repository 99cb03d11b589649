// Requests of a child that is no longer ours: messages that 0xff bytes part.
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "image/broker.h"
#include "image/memory_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  int ends[2];
  CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  const vigil::Fd parent(ends[0]);
  vigil::Fd child(ends[1]);
  constexpr size_t kQueuedMax = 8;  // More would wait for somebody to read.
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (size_t count = 0; count < kQueuedMax && !rest.empty(); ++count) {
    const size_t end = std::min(rest.find('\xff'), rest.size());
    if (end > 0) static_cast<void>(vigil::send_message(child, rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  ::shutdown(child.get(), SHUT_WR);
  vigil::image::MemoryFiles files({{"a", "text"}, {"b/c", ""}});
  vigil::image::serve_files(parent, files);
  return 0;
}
