#include "sensor/perf_records.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

namespace vigil::sensor {
namespace {

constexpr uint64_t kAt = 1'700'000'000'123'456'789;

// A record as the kernel lays it out: header, body, padded text, thread and time.
std::string record(uint32_t type, uint16_t flags, const std::string& body, std::string text = "") {
  if (!text.empty()) text.resize((text.size() + 8) / 8 * 8);
  std::string bytes;
  append_little(bytes, type);
  append_little(bytes, flags);
  append_little(bytes, static_cast<uint16_t>(8 + body.size() + text.size() + 16));
  bytes += body + text;
  append_little(bytes, uint32_t{7});
  append_little(bytes, uint32_t{7});
  append_little(bytes, kAt);
  return bytes;
}

template <typename... T>
std::string fields(T... values) {
  std::string bytes;
  (append_little(bytes, values), ...);
  return bytes;
}

std::string mapping(const std::string& path, uint64_t inode = 99, uint32_t rights = PROT_EXEC) {
  return record(
      PERF_RECORD_MMAP2, 0,
      fields(uint32_t{7}, uint32_t{8}, uint64_t{0x7f0000000000}, uint64_t{4096}, uint64_t{0},
             uint32_t{0xfe}, uint32_t{1}, inode, uint64_t{1}, rights, uint32_t{MAP_PRIVATE}),
      path);
}

std::optional<PerfRecord> decoded(const std::string& bytes) {
  return decode_perf(as_bytes(bytes));
}

TEST(PerfRecords, AMappingOfCode) {
  PerfRecord expected;
  expected.kind = PerfRecord::Kind::kMap;
  expected.at = kAt;
  expected.pid = 7;
  expected.device = makedev(0xfe, 1);
  expected.inode = 99;
  expected.path = "usr/lib/libz.so.1";
  EXPECT_EQ(decoded(mapping("/usr/lib/libz.so.1")), expected);
  expected.is_deleted = true;
  EXPECT_EQ(decoded(mapping("/usr/lib/libz.so.1 (deleted)")), expected);
}

TEST(PerfRecords, MappingsOfNoFileAndOfDataAreLeftOut) {
  EXPECT_FALSE(decoded(mapping("//anon", 0)));
  EXPECT_FALSE(decoded(mapping("//anon")));
  EXPECT_FALSE(decoded(mapping("[vdso]", 0)));
  EXPECT_FALSE(decoded(mapping("[vdso]")));
  EXPECT_FALSE(decoded(mapping("/usr/lib/libz.so.1", 99, PROT_READ)));
}

TEST(PerfRecords, ProcessesButNotTheirThreads) {
  PerfRecord expected;
  expected.kind = PerfRecord::Kind::kFork;
  expected.at = kAt;
  expected.pid = 8;
  expected.parent_pid = 7;
  const auto life = [](uint32_t thread) {
    return fields(uint32_t{8}, uint32_t{7}, thread, uint32_t{7}, kAt);
  };
  EXPECT_EQ(decoded(record(PERF_RECORD_FORK, 0, life(8))), expected);
  expected.kind = PerfRecord::Kind::kExit;
  EXPECT_EQ(decoded(record(PERF_RECORD_EXIT, 0, life(8))), expected);
  EXPECT_FALSE(decoded(record(PERF_RECORD_FORK, 0, life(9))));
  EXPECT_FALSE(decoded(record(PERF_RECORD_EXIT, 0, life(9))));
}

TEST(PerfRecords, AProgramBegunButNotAThreadNamed) {
  PerfRecord expected;
  expected.kind = PerfRecord::Kind::kExec;
  expected.at = kAt;
  expected.pid = 7;
  expected.name = "nginx";
  const std::string who = fields(uint32_t{7}, uint32_t{7});
  EXPECT_EQ(decoded(record(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC, who, "nginx")), expected);
  EXPECT_FALSE(decoded(record(PERF_RECORD_COMM, 0, who, "worker")));
}

TEST(PerfRecords, TheMountNamespace) {
  std::string body = fields(uint32_t{7}, uint32_t{7}, uint64_t{7});
  for (uint64_t inode = 4026531830; inode < 4026531837; inode++) body += fields(uint64_t{4}, inode);
  PerfRecord expected;
  expected.kind = PerfRecord::Kind::kNamespaces;
  expected.at = kAt;
  expected.pid = 7;
  expected.mount_namespace = 4026531835;
  EXPECT_EQ(decoded(record(PERF_RECORD_NAMESPACES, 0, body)), expected);
}

TEST(PerfRecords, LossesAreCounted) {
  PerfRecord expected;
  expected.at = kAt;
  expected.lost = 3;
  EXPECT_EQ(decoded(record(PERF_RECORD_LOST, 0, fields(uint64_t{1}, uint64_t{3}))), expected);
}

TEST(PerfRecords, ProcessorsOfAList) {
  EXPECT_EQ(parse_processors("0-2,5\n"), (std::set<int>{0, 1, 2, 5}));
  EXPECT_EQ(parse_processors("0\n"), (std::set<int>{0}));
  EXPECT_EQ(parse_processors("x,-3,,7-,9-8"), (std::set<int>{7}));
  EXPECT_LE(parse_processors("1-2147483647").size(), 8192u);
  EXPECT_EQ(parse_processors(""), std::set<int>());
}

TEST(PerfRecords, WhatIsCutShortIsNothing) {
  const std::string whole = mapping("/usr/lib/libz.so.1");
  for (size_t bytes = 0; bytes < whole.size(); bytes++) {
    EXPECT_FALSE(decoded(whole.substr(0, bytes))) << bytes;
  }
  // A size that leaves no room for what must be there.
  for (uint16_t size = 0; size < 8 + 64 + 16; size++) {
    std::string cut = whole;
    cut[6] = static_cast<char>(size);
    cut[7] = 0;
    EXPECT_FALSE(decoded(cut)) << size;
  }
}

}  // namespace
}  // namespace vigil::sensor
