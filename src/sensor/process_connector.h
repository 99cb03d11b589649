// The kernel's process connector (a netlink socket): who begins a program and who ends, where perf
// may not be asked.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace vigil::sensor {

struct ProcessNotice {
  enum class Kind : uint8_t { kExec, kExit, kLost };
  Kind kind = Kind::kLost;
  uint32_t pid =
      0;  // As the host counts: the thread group. 0: notices were lost, nobody knows whose.
  bool operator==(const ProcessNotice&) const = default;
};

// Of one datagram. Threads' ends, and what is of no use here, are left out.
std::vector<ProcessNotice> decode_notices(ByteView datagram);

// One thread.
class ProcessConnector {
 public:
  static Result<ProcessConnector> open();
  int poll_fd() const { return socket_.get(); }
  // What came since the last call, at most limits::kBatchEventsMax and a datagram's more.
  std::vector<ProcessNotice> read();

 private:
  explicit ProcessConnector(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace vigil::sensor
