// What a socket and a process's rights say about the risk of what runs there.
#pragma once

#include <cstdint>
#include <string_view>

#include "exposure/evidence_store.h"
#include "model/exposure.h"

namespace vigil::exposure {

// kListening and, where others can reach it, kExposed; kAccepted for a peer from outside. Nothing
// for outgoing connections.
uint8_t facets_of(const SocketFact& socket);
// kPrivileged, where the process is root of the host's users or has a capability beyond those that
// Docker and podman leave to a container.
uint8_t facets_of(const ProcessFacts& process);

// Addresses as inet_ntop writes them: 127.0.0.0/8, ::1, and the first as IPv6 has it.
bool is_loopback(std::string_view address);

}  // namespace vigil::exposure
