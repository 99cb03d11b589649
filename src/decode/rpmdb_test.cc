#include "decode/rpmdb.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/digest.h"

namespace vigil::decode {
namespace {

std::string read_testdata(const std::string& name) {
  std::ifstream in(std::string(VIGIL_SOURCE_DIR) + "/src/decode/testdata/" + name,
                   std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Reading {
  std::vector<uint32_t> numbers;
  std::vector<std::string> packages;  // "name version arch".
  RpmdbProblems problems;
  bool operator==(const Reading&) const = default;
};

Result<Reading> read(const std::string& bytes) {
  Reading reading;
  reading.problems = TRY(read_rpmdb(as_bytes(bytes), [&](uint32_t number, ByteView header) {
    reading.numbers.push_back(number);
    const auto parsed = parse_rpm_header(header, RpmFiles::kRead);
    reading.packages.push_back(parsed ? parsed->name + " " + parsed->full_version() + " " +
                                            parsed->arch
                                      : parsed.error().text());
  }));
  return reading;
}

TEST(Rpmdb, RefusesWhatIsNoDatabase) {
  for (const std::string& bytes : {std::string(), std::string("SQLite format 3\0", 16),
                                   std::string("RpmP"), std::string(4096, '\0')}) {
    const auto reading = read(bytes);
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().code, ErrorCode::kMalformed);
  }
}

TEST(Rpmdb, RefusesSchemasThatCompute) {
  for (const std::string name : {"view", "generated"}) {
    const auto reading = read(read_testdata("rpmdb_sqlite_fuzz/" + name));
    ASSERT_FALSE(reading) << name;
    EXPECT_EQ(reading.error().code, ErrorCode::kMalformed);
  }
}

TEST(Rpmdb, ReadsTheSamePackagesFromEachFormat) {
  const Reading expected = {{1, 2}, {"one 2:1.0-1.el8 x86_64", "two 2.0-1 x86_64"}, {}};
  for (const std::string name :
       {"rpmdb_ndb_fuzz/two_packages", "rpmdb_sqlite_fuzz/two_packages",
        "rpmdb_sqlite_fuzz/wal_mode", "rpmdb_bdb_fuzz/little_hash", "rpmdb_bdb_fuzz/big_hash"}) {
    const auto reading = read(read_testdata(name));
    ASSERT_TRUE(reading) << name << ": " << reading.error().text();
    EXPECT_EQ(*reading, expected) << name;
  }
  const auto btree = read(read_testdata("rpmdb_bdb_fuzz/little_btree"));
  ASSERT_TRUE(btree) << btree.error().text();
  EXPECT_EQ(btree->packages, std::vector<std::string>{expected.packages[0]});
}

TEST(Rpmdb, SaysWhatIsDamagedAndKeepsTheRest) {
  std::string ndb = read_testdata("rpmdb_ndb_fuzz/two_packages");
  ndb[4096 + 100] ^= 1;  // In the first blob: its checksum no longer fits.
  const Reading expected = {
      {2}, {"two 2.0-1 x86_64"}, {"package number 1: a blob whose checksum does not fit"}};
  const auto reading = read(ndb);
  ASSERT_TRUE(reading) << reading.error().text();
  EXPECT_EQ(*reading, expected);

  std::string bdb = read_testdata("rpmdb_bdb_fuzz/little_hash");
  bdb[3 * 512 + 16] = 2;  // The last overflow page points back at the first.
  const uint32_t too_large = 1400;
  const size_t at = bdb.find(std::string("\x03\0\0\0\x02\0\0\0", 8));
  ASSERT_NE(at, std::string::npos);
  std::memcpy(bdb.data() + at + 8, &too_large, 4);
  const auto cyclic = read(bdb);
  ASSERT_TRUE(cyclic) << cyclic.error().text();
  EXPECT_EQ(cyclic->packages, std::vector<std::string>{"two 2.0-1 x86_64"});
  EXPECT_EQ(cyclic->problems, RpmdbProblems{"an overflow page used twice"});
}

TEST(Rpmdb, SlotsThatShareABlobEndTheReading) {
  std::string ndb = read_testdata("rpmdb_ndb_fuzz/two_packages");
  for (size_t slot = 4; slot < 256; ++slot) ndb.replace(slot * 16, 16, ndb, 32, 16);
  const auto reading = read(ndb);
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->problems, RpmdbProblems{"packages that overlap"});
  EXPECT_LT(reading->packages.size(), 8u);
}

TEST(RpmHeader, RefusesLies) {
  const std::string good = read_testdata("rpm_header_fuzz/one");
  std::string entries = good;
  entries[0] = '\x7f';
  std::string data = good;
  data[4] = '\x7f';
  std::string offset = good;  // Of the first entry, the name.
  offset[8 + 8] = '\x7f';
  std::string no_name = good;
  no_name[8 + 2] = 0;
  std::string type = good;
  type[8 + 7] = 4;
  for (const std::string& bytes : {std::string(), entries, data, offset, no_name, type}) {
    const auto header = parse_rpm_header(as_bytes(bytes), RpmFiles::kRead);
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().code, ErrorCode::kMalformed);
  }
}

TEST(RpmHeader, ReadsEveryTagItWants) {
  RpmHeader expected;
  expected.name = "one";
  expected.epoch = 2;
  expected.version = "1.0";
  expected.release = "1.el8";
  expected.arch = "x86_64";
  expected.source_rpm = "one-src-1.0-1.el8.src.rpm";
  expected.vendor = "Vendor";
  expected.packager = "Packager";
  expected.licence = "MIT";
  expected.module = "mod:1:2:3";
  expected.installed_at = 1700000000;
  // Without the directory, the replaced file and the file of the wrong colour.
  expected.files = {{"usr/bin/one", "sha256:" + std::string(64, 'a')},
                    {"var/log/one.log", ""},
                    {"usr/bin/one-link", ""},
                    {"usr/share/doc/README", "sha256:" + std::string(64, 'd')}};
  const auto header =
      parse_rpm_header(as_bytes(read_testdata("rpm_header_fuzz/one")), RpmFiles::kRead);
  ASSERT_TRUE(header) << header.error().text();
  EXPECT_EQ(*header, expected);
  EXPECT_EQ(header->full_version(), "2:1.0-1.el8");
}

TEST(SourceRpm, IsTakenApartFromTheRight) {
  EXPECT_FALSE(parse_source_rpm("", ""));
  EXPECT_FALSE(parse_source_rpm("(none)", ""));
  EXPECT_FALSE(parse_source_rpm("bash-5.1", "1"));
  EXPECT_FALSE(parse_source_rpm("-1-2.src.rpm", "1"));
  EXPECT_FALSE(parse_source_rpm("bash--2.src.rpm", "1"));
  EXPECT_FALSE(parse_source_rpm("bash-1-.src.rpm", "1"));
  EXPECT_EQ(parse_source_rpm("java-1.8.0-openjdk-1.8.0.312-1.el8.src.rpm", "1"),
            (SourcePackage{"java-1.8.0-openjdk", "1:1.8.0.312-1.el8"}));
  EXPECT_EQ(parse_source_rpm("bash-5.1-2.nosrc.rpm", "0"), (SourcePackage{"bash", "5.1-2"}));
  EXPECT_EQ(parse_source_rpm("bash-5.1-2", ""), (SourcePackage{"bash", "5.1-2"}));
}

struct RealCase {
  std::string database;
  std::string expected;      // What `rpm -qa` prints for it, sorted.
  size_t files_count;        // Different files, without directories.
  std::string files_digest;  // SHA-256 of their sorted lines "path<TAB>digest".
};

// The lists come from rpm 4.18: `rpm -qa` with NAME, [EPOCH:]VERSION-RELEASE, ARCH and SOURCERPM,
// and FILENAMES with FILEDIGESTS, FILEMODES and FILEFLAGS for the digests.
TEST(Rpmdb, ReadsRealDatabasesAsRpmDoes) {
  const std::string folder = std::string(VIGIL_SOURCE_DIR) + "/../shared/images/rpmdb/";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "the real rpm databases are not there: " << folder;
  }
  const std::vector<RealCase> cases = {
      {"libuuid-bdb-Packages.xz", "libuuid-bdb.tsv", 5,
       "74ab7ee6b5e3a232f661ae5b0cfedacb7075fca6180240b4f734405d397b3e42"},
      {"sle15-bci-Packages.db.xz", "sle15-bci.tsv", 1777,
       "af6951640f7262157e1f586ba866c395e41cc58f9982fb9d24353511fce7346b"},
      {"cbl-mariner-2.0-rpmdb.sqlite.xz", "cbl-mariner-2.0.tsv", 6229,
       "3755ba77ad6ca3e73c81a5b982f0edd3e3847c590af9a1cd7f889239277ad5e4"},
  };
  for (const RealCase& test : cases) {
    FILE* pipe = popen(("xz -dc '" + folder + test.database + "'").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string bytes;
    char buffer[65536];
    while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) bytes.append(buffer, count);
    ASSERT_EQ(pclose(pipe), 0);
    std::vector<std::string> lines;
    std::set<std::string> files;
    const auto problems = read_rpmdb(as_bytes(bytes), [&](uint32_t, ByteView blob) {
      const auto header = parse_rpm_header(blob, RpmFiles::kRead);
      ASSERT_TRUE(header) << header.error().text();
      lines.push_back(header->name + "\t" + header->full_version() + "\t" + header->arch + "\t" +
                      header->source_rpm + "\n");
      for (const RpmFile& file : header->files) files.insert(file.path + "\t" + file.digest + "\n");
    });
    ASSERT_TRUE(problems) << problems.error().text();
    EXPECT_EQ(*problems, RpmdbProblems{}) << test.database;
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += line;
    EXPECT_EQ(text, read_testdata("rpmdb/" + test.expected));
    std::string files_text;
    for (const std::string& file : files) files_text += file;
    EXPECT_EQ(files.size(), test.files_count) << test.database;
    EXPECT_EQ(sha256(as_bytes(files_text)).hex(), test.files_digest) << test.database;
  }
}

}  // namespace
}  // namespace vigil::decode
