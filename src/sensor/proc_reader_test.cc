#include "sensor/proc_reader.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"

namespace vigil::sensor {

void PrintTo(const CodeMapping& mapping, std::ostream* out) {
  *out << mapping.path << " " << mapping.device << ":" << mapping.inode << " "
       << mapping.is_deleted;
}

namespace {

TEST(ProcReader, MapsKeepsExecutableFilesOnce) {
  const std::vector<CodeMapping> expected = {
      {makedev(0xfe, 0), 1131978, "usr/lib/libc.so.6", false},
      {makedev(0, 0x29), 12, "srv/new\nline.so", true},
  };
  EXPECT_EQ(
      parse_maps("7f0c2a000000-7f0c2a026000 r--p 00000000 fe:00 1131978  /usr/lib/libc.so.6\n"
                 "7f0c2a026000-7f0c2a17b000 r-xp 00026000 fe:00 1131978  /usr/lib/libc.so.6\n"
                 "7f0c2a27b000-7f0c2a37b000 r-xp 00126000 fe:00 1131978  /usr/lib/libc.so.6\n"
                 "7f0c2b000000-7f0c2b001000 r-xp 00000000 00:29 12 /srv/new\\012line.so (deleted)\n"
                 "7f0c2c000000-7f0c2c001000 rwxp 00000000 00:00 0 \n"
                 "7ffd8c7f4000-7ffd8c7f6000 r-xp 00000000 00:00 0                  [vdso]\n"
                 "broken\n"),
      expected);
}

TEST(ProcReader, ListeningSocketsOfBothFamilies) {
  const std::vector<ListeningSocket> expected = {
      {21318, "127.0.0.1", 8080}, {21319, "::1", 80}, {21320, "10.0.0.1", 81}};
  EXPECT_EQ(parse_net_sockets(
                "  sl  local_address rem_address   st tx_queue rx_queue tr\n"
                "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
                "     0        0 21318 1 0000000000000000 100 0 0 10 0\n"
                "   1: 0100007F:1F91 0100007F:9C40 01 00000000:00000000 00:00000000 00000000"
                "     0        0 21400 1 0000000000000000 100 0 0 10 0\n"
                "   2: 00000000000000000000000001000000:0050 0:0000 0A 0:0 00:0 0"
                "     0        0 21319 1 0000000000000000 100 0 0 10 0\n"
                "   3: 0000000000000000FFFF00000100000A:0051 0:0000 0A 0:0 00:0 0"
                "     0        0 21320 1 0000000000000000 100 0 0 10 0\n"
                "   4: 00:0051 0:0000 0A\n",
                Transport::kTcp),
            expected);
  const std::vector<ListeningSocket> udp = {{21500, "0.0.0.0", 53}};
  EXPECT_EQ(
      parse_net_sockets("  sl  local_address rem_address   st tx_queue rx_queue tr\n"
                        "  1: 00000000:0035 00000000:0000 07 0:0 00:0 0     0        0 21500 2\n"
                        "  2: 0100007F:9C40 0100007F:0035 01 0:0 00:0 0     0        0 21501 2\n",
                        Transport::kUdp),
      udp);
}

TEST(ProcReader, SeesThisProcess) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(::listen(socket.get(), 1), 0);
  ASSERT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &bytes), 0);

  const auto pid = static_cast<uint32_t>(::getpid());
  ProcReader reader(boot_time());
  const std::vector<Event> events = reader.events_of(pid);
  ASSERT_FALSE(events.empty());
  const Event& exec = events.front();
  struct stat program{};
  ASSERT_EQ(::stat("/proc/self/exe", &program), 0);
  EXPECT_EQ(exec.kind, EventKind::kExec);
  EXPECT_EQ(exec.path, executable_of(pid));
  EXPECT_EQ(exec.process.executable, exec.path);
  EXPECT_EQ(exec.file,
            (FileId{program.st_dev, program.st_ino, program.st_dev, program.st_ino, -1}));
  EXPECT_EQ(exec.process.parent_pid, static_cast<uint32_t>(::getppid()));
  EXPECT_EQ(exec.process.uid, ::geteuid());
  EXPECT_TRUE(exec.is_snapshot);
  EXPECT_LE(exec.process.started_at, unix_now());
  EXPECT_GT(exec.process.started_at, unix_now() - 3600ll * 1'000'000'000);
  EXPECT_TRUE(std::ranges::any_of(events, [&](const Event& event) {
    return event.kind == EventKind::kMap && event.path == exec.path && event.file == exec.file;
  }));
  EXPECT_TRUE(std::ranges::any_of(events, [&](const Event& event) {
    return event.kind == EventKind::kListen && event.address == "127.0.0.1" &&
           event.port == ntohs(address.sin_port) && event.network_namespace != 0;
  }));
}

TEST(ProcReader, NothingOfAProcessThatIsNot) {
  ProcReader reader(boot_time());
  EXPECT_TRUE(reader.events_of(0x7fffffff).empty());
  EXPECT_EQ(executable_of(0x7fffffff), "");
}

}  // namespace
}  // namespace vigil::sensor
