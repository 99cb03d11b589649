#include "decode/inflate.h"

#include <gtest/gtest.h>

#include <string>

namespace vigil::decode {
namespace {

using std::string_literals::operator""s;

// What comes out, or the Error's text.
std::string inflate(std::string_view bytes, size_t piece_bytes = 0) {
  MemoryStream source(as_bytes(bytes), piece_bytes);
  const Result<std::unique_ptr<ByteStream>> stream = open_inflate(source);
  if (!stream) return stream.error().text();
  std::string out;
  for (;;) {
    const Result<ByteView> piece = (*stream)->next();
    if (!piece) return piece.error().text();
    if (piece->empty()) return out;
    out += as_text(*piece);
  }
}

constexpr char kHeaderChecksum = 2, kExtra = 4, kName = 8, kComment = 16;

// "hello" as one stored block, with the header's optional parts that `flags` names.
std::string gzip_hello(char flags = 0, std::string_view crc = "\x86\xa6\x10\x36") {
  std::string out = "\x1f\x8b\x08"s + flags + "\0\0\0\0\0\xff"s;
  if ((flags & kExtra) != 0) out += "\x05\0extra"s;
  if ((flags & kName) != 0) out += "a name\0"s;
  if ((flags & kComment) != 0) out += "\0"s;
  if ((flags & kHeaderChecksum) != 0) out += "\x12\x34";
  return out + "\x01\x05\0\xfa\xffhello"s + std::string(crc) + "\x05\0\0\0"s;
}

TEST(Inflate, EveryCutOfAGzipMemberIsAnError) {
  const std::string whole = gzip_hello(kHeaderChecksum | kExtra | kName | kComment);
  for (size_t bytes = 6; bytes < whole.size(); ++bytes) {
    for (const size_t piece_bytes : {0, 1, 7}) {
      EXPECT_EQ(inflate(whole.substr(0, bytes), piece_bytes), "the gzip data is cut short")
          << bytes;
    }
  }
}

TEST(Inflate, RefusesGzipHeadersThatAreNone) {
  std::string other_method = gzip_hello();
  other_method[2] = 7;
  EXPECT_EQ(inflate(other_method), "the gzip data is damaged: its header is none of RFC 1952");
  EXPECT_EQ(inflate(gzip_hello(0x20)), "the gzip data is damaged: its header is none of RFC 1952");
}

TEST(Inflate, RefusesAWrongChecksum) {
  EXPECT_NE(inflate(gzip_hello(0, "abcd")), "hello");
}

TEST(Inflate, ReadsGzipHeadersOfAllForms) {
  for (char flags = 0; flags < 32; ++flags) {
    for (const size_t piece_bytes : {0, 1, 2, 3, 11}) {
      EXPECT_EQ(inflate(gzip_hello(flags), piece_bytes), "hello") << int{flags};
    }
  }
}

TEST(Inflate, ReadsAllMembersAndLeavesOutWhatIsNone) {
  const std::string two = gzip_hello(kName) + gzip_hello(kHeaderChecksum);
  for (const size_t piece_bytes : {0, 1, 5}) {
    EXPECT_EQ(inflate(two + "garbage", piece_bytes), "hellohello");
  }
}

// One raw block of "hello" (RFC 8878, section 3.1.1).
std::string zstd_hello(char window) {
  return "\x28\xb5\x2f\xfd\x00"s + window + "\x29\0\0hello"s;
}

TEST(Inflate, RefusesZstdWindowsPastTheBound) {
  constexpr char k128MiB = '\x88';  // An exponent of 17, and no eighths.
  EXPECT_EQ(inflate(zstd_hello(k128MiB)), "hello");
  EXPECT_EQ(inflate(zstd_hello(k128MiB + 1)), "a zstd window larger than kZstdWindowBytesMax");
}

TEST(Inflate, ReadsAllFramesAndPassesOverSkippableOnes) {
  const std::string skipped = "\x50\x2a\x4d\x18\x03\0\0\0abc"s;
  for (const size_t piece_bytes : {0, 1, 5}) {
    EXPECT_EQ(inflate(skipped + zstd_hello(0) + skipped + zstd_hello(0) + "garbage", piece_bytes),
              "hellohello");
  }
}

}  // namespace
}  // namespace vigil::decode
