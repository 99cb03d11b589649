#include "decode/tar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "base/limits.h"
#include "decode/fake_tar.h"
#include "decode/inflate.h"

namespace vigil::decode {
namespace {

std::string type_text(TarType type) {
  switch (type) {
    case TarType::kRegular:
      return "file";
    case TarType::kHardLink:
      return "hard link";
    case TarType::kSymlink:
      return "symlink";
    case TarType::kDirectory:
      return "folder";
    case TarType::kOther:
      return "other";
  }
  return "?";
}

// One line an entry, and how the walk ended.
std::string walk(std::string_view archive, size_t piece_bytes = 0) {
  MemoryStream stream(as_bytes(archive), piece_bytes);
  TarReader tar(stream);
  std::string out;
  for (;;) {
    const Result<bool> more = tar.next();
    if (!more) return out + "error: " + more.error().text() + "\n";
    if (!*more) return out;
    const TarEntry entry = tar.entry();
    out += type_text(entry.type) + " " + entry.path;
    if (!entry.link.empty()) out += " -> " + entry.link;
    if (entry.type == TarType::kRegular) {
      const Result<std::string> content = tar.content(1 << 20);
      out += content ? " = " + *content : " error: " + content.error().text();
    }
    out += "\n";
  }
}

TEST(Tar, RefusesNegativeSizes) {
  FakeTar tar;
  tar.add({.path = "a",
           .type = '0',
           .content = "",
           .link = "",
           .size_field = std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12)});
  EXPECT_EQ(walk(tar.finished()), "error: a negative number in a tar header\n");
}

TEST(Tar, RefusesSizesPastEverything) {
  FakeTar tar;
  tar.add({.path = "a",
           .type = '0',
           .content = "",
           .link = "",
           .size_field = std::string("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 12)});
  EXPECT_EQ(walk(tar.finished()), "error: an overflowing number in a tar header\n");
  FakeTar signs;
  signs.add({.path = "a", .type = '0', .content = "", .link = "", .size_field = "-0000000001"});
  EXPECT_EQ(walk(signs.finished()), "error: a number in a tar header is not octal\n");
  EXPECT_EQ(walk(FakeTar().pax(FakeTar::record("size", "-5")).file("a", "x").finished()),
            "error: a number in a pax header is not one\n");
  EXPECT_EQ(
      walk(
          FakeTar().pax(FakeTar::record("size", "99999999999999999999")).file("a", "x").finished()),
      "error: a number in a pax header is not one\n");
}

TEST(Tar, ReadsBase256Sizes) {
  FakeTar tar;
  tar.add({.path = "a",
           .type = '0',
           .content = "abc",
           .link = "",
           .size_field = std::string("\x80\0\0\0\0\0\0\0\0\0\0\x03", 12)});
  EXPECT_EQ(walk(tar.finished()), "file a = abc\n");
}

TEST(Tar, RefusesWrongChecksums) {
  FakeTar tar;
  tar.file("a", "x");
  tar.add({.path = "b",
           .type = '0',
           .content = "",
           .link = "",
           .size_field = "",
           .is_gnu = false,
           .has_checksum = false});
  EXPECT_EQ(walk(tar.finished()), "file a = x\nerror: a tar header does not fit its checksum\n");
}

TEST(Tar, ReadsChecksumsOfSignedCharacters) {
  const FakeTar::Entry entry = {
      .path = "caf\xc3\xa9", .type = '0', .content = "", .link = "", .size_field = ""};
  std::string block = FakeTar::header(entry);
  int64_t sum = 8 * ' ';
  for (size_t i = 0; i < block.size(); ++i) {
    if (i < 148 || i >= 156) sum += static_cast<int8_t>(block[i]);
  }
  char number[16];
  std::snprintf(number, sizeof(number), "%06o", static_cast<unsigned>(sum));
  block.replace(148, 7, std::string_view(number, 7));
  EXPECT_EQ(walk(FakeTar().raw(block).finished()), "file caf\xc3\xa9 = \n");
}

TEST(Tar, TellsTruncationFromAnEnd) {
  const std::string whole = FakeTar().file("a", "x").file("b", std::string(700, 'y')).unfinished();
  EXPECT_EQ(walk(whole), "file a = x\nfile b = " + std::string(700, 'y') + "\n");
  EXPECT_EQ(walk(whole.substr(0, 1024)), "file a = x\n");
  EXPECT_EQ(walk(whole.substr(0, 1100)),
            "file a = x\nerror: the tar archive is cut short in a header\n");
  EXPECT_EQ(walk(whole.substr(0, 1600)),
            "file a = x\nfile b error: the tar archive is cut short\n"
            "error: the tar archive is cut short\n");
  EXPECT_EQ(walk(""), "");
}

TEST(Tar, LeavesOutWhatFollowsTheEnd) {
  EXPECT_EQ(walk(FakeTar().file("a", "x").finished() + "garbage that is no header"),
            "file a = x\n");
  EXPECT_EQ(walk(FakeTar().file("a", "x").finished() + FakeTar().file("b", "x").finished()),
            "file a = x\n");
}

TEST(Tar, GoesOnAfterALoneZeroBlock) {
  const std::string archive =
      FakeTar().file("a", "x").raw(std::string(512, '\0')).file("b", "y").finished();
  EXPECT_EQ(walk(archive), "file a = x\nfile b = y\n");
  const std::string garbage =
      FakeTar().file("a", "x").raw(std::string(512, '\0')).raw(std::string(512, 'g')).finished();
  EXPECT_EQ(walk(garbage), "file a = x\n");
}

TEST(Tar, BoundsHeaders) {
  FakeTar tar;
  tar.add({.path = "x", .type = 'x', .content = "", .link = "", .size_field = "10000000000"});
  EXPECT_EQ(walk(tar.finished()), "error: a tar header larger than kTarHeaderBytesMax\n");
  FakeTar name;
  name.add({.path = "x", .type = 'L', .content = "", .link = "", .size_field = "77777777777"});
  EXPECT_EQ(walk(name.finished()), "error: a tar header larger than kTarHeaderBytesMax\n");
}

TEST(Tar, RefusesBrokenPaxRecords) {
  const auto with = [](std::string_view records) {
    return walk(FakeTar().pax(records).file("a", "x").finished());
  };
  EXPECT_EQ(with("path=x\n"), "error: a pax record without a length\n");
  EXPECT_EQ(with("99 path=x\n"), "error: a pax record with a wrong length\n");
  EXPECT_EQ(with("3 p\n"), "error: a pax record with a wrong length\n");
  EXPECT_EQ(with("0 \n"), "error: a pax record with a wrong length\n");
  EXPECT_EQ(with("8 path=x\n"), "error: a pax record with a wrong length\n");
  EXPECT_EQ(with("9 pathxx\n"), "error: a pax record without a value\n");
  EXPECT_EQ(with(FakeTar::record("path", std::string_view("a\0b", 3))),
            "error: a name with a NUL\n");
}

TEST(Tar, ReadsLongNames) {
  const std::string name(300, 'n');
  EXPECT_EQ(walk(FakeTar().long_name(name).file("short", "x").finished()),
            "file " + name + " = x\n");
  EXPECT_EQ(walk(FakeTar().long_link(name).symlink("a", "short").finished()),
            "symlink a -> " + name + "\n");
  EXPECT_EQ(walk(FakeTar()
                     .pax(FakeTar::record("path", name) + FakeTar::record("linkpath", "t") +
                          FakeTar::record("mtime", "1.5"))
                     .symlink("a", "short")
                     .symlink("b", "c")
                     .finished()),
            "symlink " + name + " -> t\nsymlink b -> c\n");
}

TEST(Tar, LeavesOutGlobalHeaders) {
  EXPECT_EQ(
      walk(FakeTar().pax(FakeTar::record("path", "elsewhere"), 'g').file("a", "x").finished()),
      "file a = x\n");
}

TEST(Tar, TakesNamesAsTheyAre) {
  EXPECT_EQ(walk(FakeTar()
                     .file("../../etc/passwd", "1")
                     .file("/etc/shadow", "2")
                     .file("new\nline \x1b[31m \xff", "3")
                     .finished()),
            "file ../../etc/passwd = 1\nfile /etc/shadow = 2\nfile new\nline \x1b[31m \xff = 3\n");
}

TEST(Tar, GivesLinksAndDevicesNoContent) {
  FakeTar tar;
  for (const char type : {'1', '2', '3', '4', '5', '6'}) {
    tar.add({.path = std::string(1, type),
             .type = type,
             .content = "",
             .link = "",
             .size_field = "00000001000"});
  }
  tar.file("a", "x");
  EXPECT_EQ(walk(tar.finished()),
            "hard link 1\nsymlink 2\nother 3\nother 4\nfolder 5\nother 6\nfile a = x\n");
}

TEST(Tar, PassesOverKindsItDoesNotKnow) {
  FakeTar tar;
  tar.add(
      {.path = "V", .type = 'V', .content = std::string(1000, 'v'), .link = "", .size_field = ""});
  tar.file("a", "x");
  EXPECT_EQ(walk(tar.finished()), "other V\nfile a = x\n");
}

// The three pax forms of one file: "ab", 510 holes, "cd", and a hole to 1000 bytes.
TEST(Tar, FillsTheHolesOfSparseFiles) {
  const std::string want = "file s = ab" + std::string(510, '\0') + "cd" +
                           std::string(1000 - 514, '\0') + "\nfile z = z\n";
  const std::string old =
      FakeTar::record("GNU.sparse.size", "1000") + FakeTar::record("GNU.sparse.numblocks", "2") +
      FakeTar::record("GNU.sparse.offset", "0") + FakeTar::record("GNU.sparse.numbytes", "2") +
      FakeTar::record("GNU.sparse.offset", "512") + FakeTar::record("GNU.sparse.numbytes", "2");
  EXPECT_EQ(walk(FakeTar().pax(old).file("s", "abcd").file("z", "z").finished()), want);
  const std::string map = FakeTar::record("GNU.sparse.size", "1000") +
                          FakeTar::record("GNU.sparse.name", "s") +
                          FakeTar::record("GNU.sparse.map", "0,2,512,2");
  EXPECT_EQ(walk(FakeTar().pax(map).file("x/s", "abcd").file("z", "z").finished()), want);
  const std::string newest =
      FakeTar::record("GNU.sparse.major", "1") + FakeTar::record("GNU.sparse.minor", "0") +
      FakeTar::record("GNU.sparse.name", "s") + FakeTar::record("GNU.sparse.realsize", "1000");
  std::string content = "2\n0\n2\n512\n2\n";
  content.resize(512, '\0');
  EXPECT_EQ(walk(FakeTar().pax(newest).file("x/s", content + "abcd").file("z", "z").finished()),
            want);
}

TEST(Tar, DoesNotFillHugeHoles) {
  const std::string map = FakeTar::record("GNU.sparse.size", "4611686018427387904") +
                          FakeTar::record("GNU.sparse.map", "0,2,4611686018427387000,2");
  EXPECT_EQ(walk(FakeTar().pax(map).file("s", "abcd").file("z", "z").finished()),
            "file s error: 4611686018427387904 bytes, at most 1048576 are kept\nfile z = z\n");
}

TEST(Tar, RefusesSparseMapsThatDoNotFit) {
  for (const std::string map : {"512,2,0,2", "0,3,512,2", "999,2", "0,9999999999999"}) {
    const std::string records =
        FakeTar::record("GNU.sparse.size", "1000") + FakeTar::record("GNU.sparse.map", map);
    EXPECT_EQ(walk(FakeTar().pax(records).file("s", "abcd").file("z", "z").finished()),
              "file s error: a sparse map that does not fit its file\nfile z = z\n")
        << map;
  }
}

TEST(Tar, ReadsTheSameInPiecesOfAnySize) {
  const std::string archive = FakeTar()
                                  .file("a", std::string(3000, 'a'))
                                  .long_name(std::string(700, 'n'))
                                  .symlink("b", "c")
                                  .pax(FakeTar::record("path", "p"))
                                  .file("d", "x")
                                  .finished();
  const std::string whole = walk(archive);
  for (const size_t piece : {1, 7, 511, 512, 513, 4096}) EXPECT_EQ(walk(archive, piece), whole);
}

// GNU tar's own list of a real root filesystem, against ours.
TEST(Tar, AgreesWithGnuTarOnARealRoot) {
  const std::string path =
      std::string(VIGIL_SOURCE_DIR) + "/../shared/images/alpine-minirootfs-3.20.3-x86_64.tar.gz";
  if (!path_exists(path)) GTEST_SKIP() << "no Alpine root filesystem at hand";
  const std::string command = "tar --numeric-owner -tvzf '" + path + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::vector<std::string> want;
  char line[4096];
  while (std::fgets(line, sizeof(line), pipe) != nullptr) {
    // "-rwxr-xr-x 0/0   1234 2024-09-06 11:36 name"
    std::string_view rest(line);
    const char type = rest[0];
    for (int field = 0; field < 5; ++field) {
      rest.remove_prefix(std::min(rest.find(' '), rest.size()));
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    }
    want.push_back(type + (" " + std::string(rest.substr(0, rest.size() - 1))));
  }
  ASSERT_EQ(::pclose(pipe), 0);
  ASSERT_GT(want.size(), 400u);

  const Result<Fd> fd = open_regular(path);
  ASSERT_TRUE(fd);
  FileStream file(*fd, 0, *file_bytes(*fd));
  Result<std::unique_ptr<ByteStream>> stream = open_inflate(file);
  ASSERT_TRUE(stream);
  TarReader tar(**stream);
  std::vector<std::string> got;
  for (;;) {
    const Result<bool> more = tar.next();
    ASSERT_TRUE(more) << more.error().text();
    if (!*more) break;
    const TarEntry& entry = tar.entry();
    switch (entry.type) {
      case TarType::kRegular:
        got.push_back("- " + entry.path);
        break;
      case TarType::kHardLink:
        got.push_back("h " + entry.path + " link to " + entry.link);
        break;
      case TarType::kSymlink:
        got.push_back("l " + entry.path + " -> " + entry.link);
        break;
      case TarType::kDirectory:
        got.push_back("d " + entry.path);
        break;
      case TarType::kOther:
        got.push_back("? " + entry.path);
        break;
    }
  }
  EXPECT_EQ(got, want);
}

}  // namespace
}  // namespace vigil::decode
