#include "sensor/wire_decode.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/sysmacros.h>

#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "base/limits.h"
#include "bpf/wire.h"

namespace vigil::sensor {
namespace {

using std::string_view_literals::operator""sv;

constexpr UnixNanoseconds kBoot = 1'700'000'000'000'000'000;

vigil_wire_header header(uint32_t kind) {
  vigil_wire_header out{};
  out.time = 5'000'000'001;
  out.started_at = 1'239'999'999;
  out.cgroup_id = 77;
  out.capabilities = 0x400;
  out.pid = 42;
  out.parent_pid = 1;
  out.uid = 33;
  out.mount_namespace = 4026532000;
  out.kind = kind;
  std::memcpy(out.name, "nginx", 5);
  return out;
}

ProcessFacts facts() {
  ProcessFacts out;
  out.pid = 42;
  out.parent_pid = 1;
  out.started_at = kBoot + 1'230'000'000;
  out.uid = 33;
  out.capabilities = 0x400;
  out.name = "nginx";
  out.cgroup_id = 77;
  out.mount_namespace = 4026532000;
  return out;
}

template <typename T>
std::string bytes_of(const T& record, size_t count = sizeof(T)) {
  return {reinterpret_cast<const char*>(&record), count};
}

std::string file_record(uint32_t kind, std::string_view components, std::string_view arguments) {
  static vigil_wire_file record;
  record = {};
  record.header = header(kind);
  record.device = 41;
  record.inode = 12;
  record.real_device = 254u << 20 | 3;
  record.real_inode = 1131978;
  record.layer = 2;
  record.path_bytes = static_cast<uint16_t>(components.size());
  record.argument_bytes = static_cast<uint16_t>(arguments.size());
  std::memcpy(record.text, components.data(), components.size());
  std::memcpy(record.text + components.size(), arguments.data(), arguments.size());
  return bytes_of(record, VIGIL_WIRE_FILE_FIXED_BYTES + components.size() + arguments.size());
}

TEST(WireDecode, ExecHasPathFileAndCommandLine) {
  const std::string record =
      file_record(VIGIL_WIRE_EXEC, "nginx\0sbin\0usr\0"sv, "nginx\0-g\0daemon\toff;\0"sv);
  Event expected;
  expected.kind = EventKind::kExec;
  expected.at = kBoot + 5'000'000'001;
  expected.process = facts();
  expected.path = "usr/sbin/nginx";
  expected.file = {makedev(0, 41), 12, makedev(254, 3), 1131978, 2};
  expected.command_line = "nginx -g daemon?off;";
  const auto event = decode_wire(as_bytes(record), kBoot);
  ASSERT_TRUE(event) << event.error().text();
  EXPECT_EQ(*event, expected);
}

TEST(WireDecode, FlagsOfAMapping) {
  std::string record = file_record(VIGIL_WIRE_MAP, "libssl.so.3\0"sv, "");
  const uint32_t flags = VIGIL_WIRE_DELETED | VIGIL_WIRE_TRUNCATED;
  std::memcpy(record.data() + offsetof(vigil_wire_header, flags), &flags, sizeof flags);
  const auto event = decode_wire(as_bytes(record), kBoot);
  ASSERT_TRUE(event) << event.error().text();
  EXPECT_TRUE(event->is_deleted && event->is_truncated && !event->is_snapshot);
  EXPECT_EQ(event->path, "libssl.so.3");
}

TEST(WireDecode, SocketsOfBothFamilies) {
  vigil_wire_socket record{};
  record.header = header(VIGIL_WIRE_ACCEPT);
  record.family = AF_INET;
  record.port = htons(80);
  record.peer_port = htons(40000);
  record.network_namespace = 4026531833;
  std::memcpy(record.address, "\x0a\x58\0\2", 4);
  std::memcpy(record.peer, "\x0a\x58\0\1", 4);
  Event expected;
  expected.kind = EventKind::kAccept;
  expected.at = kBoot + 5'000'000'001;
  expected.process = facts();
  expected.address = "10.88.0.2";
  expected.peer = "10.88.0.1";
  expected.port = 80;
  expected.network_namespace = 4026531833;
  EXPECT_EQ(decode_wire(as_bytes(bytes_of(record)), kBoot).value(), expected);

  // An IPv4 peer of an IPv6 socket is told as IPv4; a connection's port is the other side's.
  record.family = AF_INET6;
  record.header.kind = VIGIL_WIRE_CONNECT;
  std::memcpy(record.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
  std::memcpy(record.peer, "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
  expected.kind = EventKind::kConnect;
  expected.address = "127.0.0.1";
  expected.peer = "fd00::1";
  expected.port = 40000;
  EXPECT_EQ(decode_wire(as_bytes(bytes_of(record)), kBoot).value(), expected);
}

TEST(WireDecode, RefusesWhatIsNoRecord) {
  const std::string exec = file_record(VIGIL_WIRE_EXEC, "nginx\0"sv, "x\0"sv);
  const auto message = [](std::string_view record) {
    const auto event = decode_wire(as_bytes(record), kBoot);
    return event ? "" : event.error().message;
  };
  EXPECT_EQ(message(std::string_view(exec).substr(0, 79)), "a record is shorter than its header");
  EXPECT_EQ(message(std::string_view(exec).substr(0, 90)), "a record of a file has the wrong size");
  EXPECT_EQ(message(std::string_view(exec).substr(0, exec.size() - 1)),
            "a record of a file says that its text is longer than it");
  EXPECT_EQ(message(bytes_of(header(VIGIL_WIRE_LISTEN))),
            "a record of a socket has the wrong size");
  EXPECT_EQ(message(bytes_of(header(99))), "a record is of no known kind");
}

TEST(WireDecode, TimesDoNotOverflow) {
  constexpr UnixNanoseconds kLast = std::numeric_limits<UnixNanoseconds>::max();
  for (const uint64_t claimed : {uint64_t{7'926'335'345'463'971'093}, UINT64_MAX}) {
    vigil_wire_header record = header(VIGIL_WIRE_EXIT);
    record.time = claimed;
    const std::string bytes = bytes_of(record);
    const auto event = decode_wire(as_bytes(bytes), kBoot);
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->at, kLast);
    EXPECT_EQ(process_start(claimed, kBoot), kLast);
  }
}

TEST(WireDecode, CommandLinesAreCut) {
  EXPECT_EQ(command_line_of(""), "");
  EXPECT_EQ(command_line_of(std::string(10'000, 'x')).size(), limits::kCommandLineBytesMax);
}

}  // namespace
}  // namespace vigil::sensor
