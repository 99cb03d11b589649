#include "exposure/facets.h"

namespace vigil::exposure {

namespace {

// What Docker leaves to a container, by the numbers of linux/capability.h: chown, dac_override,
// fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod,
// audit_write, setfcap. podman leaves a subset of them.
constexpr uint64_t kContainerCapabilities =
    1ull << 0 | 1ull << 1 | 1ull << 3 | 1ull << 4 | 1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 8 |
    1ull << 10 | 1ull << 13 | 1ull << 18 | 1ull << 27 | 1ull << 29 | 1ull << 31;

}  // namespace

bool is_loopback(std::string_view address) {
  constexpr std::string_view kMapped = "::ffff:";
  if (address.starts_with(kMapped)) address.remove_prefix(kMapped.size());
  return address == "::1" || address.starts_with("127.");
}

uint8_t facets_of(const SocketFact& socket) {
  switch (socket.kind) {
    case EventKind::kListen:
      return is_loopback(socket.address) ? Facet::kListening : Facet::kListening | Facet::kExposed;
    case EventKind::kAccept:
      return is_loopback(socket.peer) ? 0 : Facet::kAccepted;
    default:
      return 0;
  }
}

uint8_t facets_of(const ProcessFacts& process) {
  const bool is_root = process.pid != 0 && process.uid == 0;
  return is_root || (process.capabilities & ~kContainerCapabilities) != 0 ? Facet::kPrivileged : 0;
}

}  // namespace vigil::exposure
