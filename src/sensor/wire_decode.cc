#include "sensor/wire_decode.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/limits.h"
#include "bpf/wire.h"

namespace vigil::sensor {

namespace {

constexpr uint64_t kTickNanoseconds = 10'000'000;

template <typename T>
T take_fixed(ByteView record) {
  T value{};
  std::memcpy(&value, record.data(), std::min(sizeof(T), record.size()));
  return value;
}

// The kernel's own numbering to that of stat(2).
uint64_t user_device(uint32_t device) {
  return makedev(device >> 20, device & ((1u << 20) - 1));
}

// "nginx\0sbin\0usr\0" to "usr/sbin/nginx".
std::string path_of(std::string_view components) {
  std::string path;
  path.reserve(components.size());
  while (!components.empty()) {
    if (components.back() == '\0') components.remove_suffix(1);
    const size_t end = components.rfind('\0');
    const size_t begin = end == std::string_view::npos ? 0 : end + 1;
    if (!path.empty()) path += '/';
    path += components.substr(begin);
    components = components.substr(0, begin);
  }
  return path;
}

std::string address_text(const uint8_t* bytes, int family) {
  char text[INET6_ADDRSTRLEN] = "";
  constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (family == AF_INET6 && std::memcmp(bytes, kMapped, sizeof kMapped) == 0) {
    bytes += sizeof kMapped;
    family = AF_INET;
  }
  return inet_ntop(family, bytes, text, sizeof text) == nullptr ? "" : text;
}

// The end of time, where a record claims more.
UnixNanoseconds after_boot(uint64_t nanoseconds, UnixNanoseconds boot_time) {
  constexpr UnixNanoseconds kLast = std::numeric_limits<UnixNanoseconds>::max();
  return nanoseconds > static_cast<uint64_t>(kLast - boot_time)
             ? kLast
             : boot_time + static_cast<UnixNanoseconds>(nanoseconds);
}

Event event_of(const vigil_wire_header& header, UnixNanoseconds boot_time) {
  Event event;
  event.kind = static_cast<EventKind>(header.kind);
  event.at = after_boot(header.time, boot_time);
  event.is_snapshot = (header.flags & VIGIL_WIRE_SNAPSHOT) != 0;
  event.is_deleted = (header.flags & VIGIL_WIRE_DELETED) != 0;
  event.is_truncated = (header.flags & VIGIL_WIRE_TRUNCATED) != 0;
  ProcessFacts& process = event.process;
  process.pid = header.pid;
  process.parent_pid = header.parent_pid;
  process.started_at = process_start(header.started_at, boot_time);
  process.uid = header.uid;
  process.capabilities = header.capabilities;
  process.name.assign(header.name, strnlen(header.name, sizeof header.name));
  process.cgroup_id = header.cgroup_id;
  process.mount_namespace = header.mount_namespace;
  return event;
}

Status add_file(Event& event, ByteView record) {
  if (record.size() < VIGIL_WIRE_FILE_FIXED_BYTES || record.size() > sizeof(vigil_wire_file)) {
    return fail(ErrorCode::kMalformed, "a record of a file has the wrong size");
  }
  const auto file = take_fixed<vigil_wire_file>(record);
  const size_t text_bytes = record.size() - VIGIL_WIRE_FILE_FIXED_BYTES;
  if (size_t{file.path_bytes} + file.argument_bytes > text_bytes) {
    return fail(ErrorCode::kMalformed, "a record of a file says that its text is longer than it");
  }
  event.file = {user_device(file.device), file.inode, user_device(file.real_device),
                file.real_inode, file.layer};
  event.path = path_of({file.text, file.path_bytes});
  event.command_line = command_line_of({file.text + file.path_bytes, file.argument_bytes});
  return {};
}

Status add_socket(Event& event, ByteView record) {
  if (record.size() != sizeof(vigil_wire_socket)) {
    return fail(ErrorCode::kMalformed, "a record of a socket has the wrong size");
  }
  const auto socket = take_fixed<vigil_wire_socket>(record);
  event.address = address_text(socket.address, socket.family);
  event.network_namespace = socket.network_namespace;
  event.port = ntohs(event.kind == EventKind::kConnect ? socket.peer_port : socket.port);
  if (event.kind != EventKind::kListen) event.peer = address_text(socket.peer, socket.family);
  return {};
}

}  // namespace

UnixNanoseconds process_start(uint64_t nanoseconds_since_boot, UnixNanoseconds boot_time) {
  return after_boot(nanoseconds_since_boot / kTickNanoseconds * kTickNanoseconds, boot_time);
}

std::string command_line_of(std::string_view arguments) {
  while (!arguments.empty() && arguments.back() == '\0') arguments.remove_suffix(1);
  std::string line(arguments.substr(0, limits::kCommandLineBytesMax));
  std::ranges::replace(line, '\0', ' ');
  std::ranges::replace_if(
      line, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }, '?');
  return line;
}

Result<Event> decode_wire(ByteView record, UnixNanoseconds boot_time) {
  if (record.size() < sizeof(vigil_wire_header)) {
    return fail(ErrorCode::kMalformed, "a record is shorter than its header");
  }
  Event event = event_of(take_fixed<vigil_wire_header>(record), boot_time);
  switch (event.kind) {
    case EventKind::kExec:
    case EventKind::kMap:
    case EventKind::kOpen:
      TRY(add_file(event, record));
      return event;
    case EventKind::kFork:
    case EventKind::kExit:
      return event;
    case EventKind::kListen:
    case EventKind::kAccept:
    case EventKind::kConnect:
      TRY(add_socket(event, record));
      return event;
  }
  return fail(ErrorCode::kMalformed, "a record is of no known kind");
}

}  // namespace vigil::sensor
