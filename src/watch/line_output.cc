#include "watch/line_output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace vigil::watch {

void LineOutput::write(std::string_view line) {
  if (fd_ < 0) return;
  if (pending_.size() + line.size() + 1 > limits::kOutputBytesMax) flush();
  if (pending_.size() + line.size() + 1 > limits::kOutputBytesMax) {
    ++dropped_count_;
    return;
  }
  pending_ += line;
  pending_ += '\n';
}

void LineOutput::flush() {
  size_t done = 0;
  while (done < pending_.size()) {
    // A pipe that poll calls writable takes this much without waiting.
    pollfd ready = {fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) break;
    const size_t size = std::min<size_t>(pending_.size() - done, PIPE_BUF);
    const ssize_t written = ::write(fd_, pending_.data() + done, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      // Nobody reads any more, or the disk is full: the evidence is in the store all the same.
      if (errno != EAGAIN) {
        dropped_count_ += static_cast<uint64_t>(std::ranges::count(pending_, '\n'));
        done = pending_.size();
        if (errno == EPIPE) fd_ = -1;
      }
      break;
    }
    done += static_cast<size_t>(written);
  }
  pending_.erase(0, done);
}

}  // namespace vigil::watch
