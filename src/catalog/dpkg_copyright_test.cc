#include "catalog/dpkg_copyright.h"

#include <gtest/gtest.h>

#include "catalog/fake_fs.h"

namespace vigil::catalog {
namespace {

using Texts = std::vector<std::string>;

TEST(DpkgCopyright, MachineReadableFilesNameTheirLicences) {
  EXPECT_EQ(
      read_copyright("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/"
                     "1.0/\nLicense: Expat\n\nFiles: *\nLicense: GPL-2+ or Artistic\n A text"
                     " with License: Nothing\n License: indented\n\nFiles: a\nLicense:  Expat \n"
                     "\nLicense:\n a text without a name\n See"
                     " /usr/share/common-licenses/GPL-2.\n"),
      (Texts{"Expat", "GPL-2+ or Artistic"}));
}

TEST(DpkgCopyright, FreeTextRefersToCommonLicences) {
  EXPECT_EQ(read_copyright("It is free.\nLicense: x\nSee `/usr/share/common-licenses/GPL-2'"
                           " and /usr/share/common-licenses/LGPL-2.1. Or"
                           " /usr/share/common-licenses/GPL-2, /usr/share/common-licenses/"),
            (Texts{"GPL-2", "LGPL-2.1"}));
  EXPECT_EQ(read_copyright(""), Texts{});
}

TEST(DpkgCopyright, AFileIsReadOnceAndItsAbsenceIsNoGap) {
  FakeFs fs;
  fs.files["usr/share/doc/gcc-12-base/copyright"] =
      "/usr/share/common-licenses/GPL-3\n"
      "/usr/share/common-licenses/LGPL-3\n";
  fs.folder_links["usr/share/doc/libgcc-s1/"] = "usr/share/doc/gcc-12-base/";
  GapList gaps("var/lib/dpkg/status");
  Copyrights copyrights(fs, gaps);
  EXPECT_EQ(copyrights.licence_of("libgcc-s1"), "GPL-3 AND LGPL-3");
  fs.files.clear();
  EXPECT_EQ(copyrights.licence_of("gcc-12-base"), "GPL-3 AND LGPL-3");
  EXPECT_EQ(copyrights.licence_of("bash"), "");
  EXPECT_EQ(gaps.finish(), std::vector<Gap>{});
}

TEST(DpkgCopyright, PastABoundIsAGap) {
  FakeFs fs;
  fs.files["usr/share/doc/a/copyright"] = std::string(limits::kCopyrightBytesMax + 1, 'x');
  std::string& many = fs.files["usr/share/doc/b/copyright"] = "Format: x\n";
  for (uint64_t i = 0; i <= limits::kLicencesMax; ++i) {
    many += "License: " + std::to_string(i) + "\n";
  }
  GapList gaps("var/lib/dpkg/status");
  Copyrights copyrights(fs, gaps);
  EXPECT_EQ(copyrights.licence_of("a"), "");
  EXPECT_TRUE(copyrights.licence_of("b").ends_with(" AND 998"));
  const std::vector<Gap> found = gaps.finish();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].limit, "kCopyrightBytesMax");
  EXPECT_EQ(found[1], (Gap{GapKind::kLimit, "usr/share/doc/b/copyright",
                           "more licences than are kept", "kLicencesMax"}));
}

}  // namespace
}  // namespace vigil::catalog
