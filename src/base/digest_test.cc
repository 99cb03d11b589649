#include "base/digest.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace vigil {
namespace {

TEST(Digest, ACopyGoesOnFromWhereTheOtherStood) {
  Sha256 first;
  first.update(as_bytes("a"));
  Sha256 copy = first;
  copy.update(as_bytes("bc"));
  EXPECT_EQ(copy.finish().hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(first.finish(), sha256(as_bytes("a")));
}

TEST(Digest, OfAFileAreThoseThatPackagesRecord) {
  const Fd file(::memfd_create("file", MFD_CLOEXEC));
  ASSERT_TRUE(write_all(file, "abc"));
  EXPECT_EQ(file_digests(file, 3).value(),
            "md5:900150983cd24fb0d6963f7d28e17f72 sha1:a9993e364706816aba3e25717850c26c9cd0d89d "
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(file_digests(file, 2).error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigil
