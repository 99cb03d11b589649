#include "sensor/process_connector.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>

#include "base/limits.h"

namespace vigil::sensor {

namespace {

constexpr size_t kReadBytes = 64 << 10;

std::optional<ProcessNotice> decode_notice(ByteView message) {
  proc_event event{};
  if (message.size() < sizeof(cn_msg)) return std::nullopt;
  message = message.subspan(sizeof(cn_msg));
  // Kernels send as much of the union as they know.
  std::memcpy(&event, message.data(), std::min(sizeof event, message.size()));
  const auto& exec = event.event_data.exec;
  const auto& exit = event.event_data.exit;
  if (event.what == proc_event::PROC_EVENT_EXEC) {
    return ProcessNotice{ProcessNotice::Kind::kExec, static_cast<uint32_t>(exec.process_tgid)};
  }
  if (event.what == proc_event::PROC_EVENT_EXIT && exit.process_pid == exit.process_tgid) {
    return ProcessNotice{ProcessNotice::Kind::kExit, static_cast<uint32_t>(exit.process_tgid)};
  }
  return std::nullopt;
}

}  // namespace

std::vector<ProcessNotice> decode_notices(ByteView datagram) {
  std::vector<ProcessNotice> notices;
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) break;
    const auto notice =
        decode_notice(datagram.subspan(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN));
    if (notice) notices.push_back(*notice);
    datagram = datagram.subspan(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
  }
  return notices;
}

Result<ProcessConnector> ProcessConnector::open() {
  Fd socket(::socket(PF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  constexpr uint32_t kListen = PROC_CN_MCAST_LISTEN;
  nlmsghdr header{};
  cn_msg message{};
  header.nlmsg_len = sizeof header + sizeof message + sizeof kListen;
  header.nlmsg_type = NLMSG_DONE;
  message.id = {CN_IDX_PROC, CN_VAL_PROC};
  message.len = sizeof kListen;
  std::string request(reinterpret_cast<const char*>(&header), sizeof header);
  request.append(reinterpret_cast<const char*>(&message), sizeof message);
  append_little(request, kListen);
  if (!socket.is_open() ||
      ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::send(socket.get(), request.data(), request.size(), 0) < 0) {
    return fail(ErrorCode::kUnavailable, std::strerror(errno));
  }
  return ProcessConnector(std::move(socket));
}

std::vector<ProcessNotice> ProcessConnector::read() {
  std::vector<ProcessNotice> notices;
  std::vector<uint8_t> datagram(kReadBytes);
  while (notices.size() < limits::kBatchEventsMax) {
    const ssize_t received = ::recv(socket_.get(), datagram.data(), datagram.size(), 0);
    if (received < 0 && errno == ENOBUFS) {
      notices.push_back({ProcessNotice::Kind::kLost, 0});
      continue;
    }
    if (received <= 0) break;
    std::ranges::copy(decode_notices(ByteView(datagram).first(static_cast<size_t>(received))),
                      std::back_inserter(notices));
  }
  return notices;
}

}  // namespace vigil::sensor
