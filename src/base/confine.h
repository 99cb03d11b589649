// A child process that can do nothing but compute: hostile bytes are parsed in one.
//
// The child is forked before any thread starts. It has its own unprivileged user when the parent is
// root, no new privileges, resource limits, no network, no file by name (Landlock where the kernel
// has it, and seccomp), and of its parent's descriptors only the two it is given: a socket to ask
// its parent, and a file in memory for its answer. What could not be put on is told, not hidden.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace vigil {

struct ConfineOptions {
  uint64_t memory_bytes_max = 0;  // Of its own, not of files it maps.
  uint64_t cpu_seconds_max = 0;
  uint64_t wall_seconds_max = 0;  // What sleeps uses no processor time. 0: no bound.
  uint64_t output_bytes_max = 0;
};

struct ConfinedOutcome {
  Fd output;  // What the child wrote; nobody else can change it any more.
  // "user", "no-new-privileges", "limits", "landlock", "seccomp": those that are on.
  std::vector<std::string> protections;
  uint64_t peak_memory_bytes = 0;  // Resident, of the child.
};

// Runs `work` in the child with its end of the socket and the output file, and `serve` here with
// the other end until the child closes it. Requires: no other thread runs in this process. Fails
// with kCancelled and the reason when the child was killed, took too long, or ended with another
// code than 0; what it wrote until then is gone.
Result<ConfinedOutcome> run_confined(const ConfineOptions& options,
                                     FunctionRef<int(Fd& socket, Fd& output)> work,
                                     FunctionRef<void(Fd& socket)> serve);

constexpr size_t kMessageBytesMax = 64 << 10;

// One message over such a socket, with a descriptor beside it or none.
struct SocketMessage {
  std::string bytes;
  Fd fd;
};
Status send_message(const Fd& socket, std::string_view bytes, const Fd* fd = nullptr);
// kNotFound when the other side has closed.
Result<SocketMessage> receive_message(const Fd& socket);

// An anonymous file in memory that holds `bytes`, positioned at its start.
Result<Fd> memory_file(std::string_view bytes);

}  // namespace vigil
