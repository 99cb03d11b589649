#include "catalog/distro_files.h"

#include <gtest/gtest.h>

#include "catalog/fake_fs.h"

namespace vigil::catalog {
namespace {

// "SHARD (VERSION)" of what a root with this one file says.
std::string read_file_alone(const std::string& path, const std::string& text) {
  FakeFs fs;
  fs.files[path] = text;
  const DistroReading reading = read_distro(fs);
  return reading.distro.text() + " -> " + shard_name(reading.distro);
}

TEST(DistroFiles, NothingIsKnownWithoutAFile) {
  const DistroReading reading = read_distro(FakeFs());
  EXPECT_FALSE(reading.distro.is_known());
  EXPECT_EQ(reading.gaps, std::vector<Gap>{});
}

TEST(DistroFiles, WhatIsNotUnderstoodIsUnknown) {
  for (const char* path :
       {"etc/alpine-release", "etc/debian_version", "etc/redhat-release", "etc/lsb-release",
        "etc/SuSE-release", "etc/system-release", "etc/oracle-release", "etc/centos-release"}) {
    EXPECT_EQ(read_file_alone(path, ""), " -> ") << path;
    EXPECT_EQ(read_file_alone(path, "\n \n"), " -> ") << path;
  }
  EXPECT_EQ(read_file_alone("etc/redhat-release", "My Linux release 3\n"), " -> ");
  EXPECT_EQ(read_file_alone("etc/redhat-release", "CentOS release\n"), " -> ");
  EXPECT_EQ(read_file_alone("etc/debian_version", "kali-rolling\n"), " -> ");
  EXPECT_EQ(read_file_alone("etc/lsb-release", "DISTRIB_RELEASE=1\n"), " -> ");
}

TEST(DistroFiles, ABrokenOsReleaseIsAGapAndTheNextFileCounts) {
  FakeFs fs;
  fs.files["etc/os-release"] = "NAME=\"$(reboot)\"\n";
  fs.files["etc/alpine-release"] = "3.17.10\n";
  const DistroReading reading = read_distro(fs);
  EXPECT_EQ(shard_name(reading.distro), "alpine-3.17");
  EXPECT_EQ(reading.gaps, (std::vector<Gap>{{GapKind::kMalformed, "etc/os-release",
                                             "an os-release file without ID", ""}}));
  fs.files["etc/os-release"] = std::string(2 << 20, '#');
  EXPECT_EQ(read_distro(fs).gaps,
            (std::vector<Gap>{{GapKind::kLimit, "etc/os-release", "too large", "bytes_max"}}));
}

TEST(DistroFiles, OsReleaseIsBelievedFirst) {
  FakeFs fs;
  fs.files["usr/lib/os-release"] = "ID=ubuntu\nVERSION_ID=\"22.04\"\n";
  fs.files["etc/debian_version"] = "bookworm/sid\n";
  fs.files["etc/lsb-release"] = "DISTRIB_ID=Other\n";
  EXPECT_EQ(read_distro(fs).distro.text(), "ubuntu 22.04");
  fs.files["etc/os-release"] = "ID=debian\nVERSION_ID=12\n";
  EXPECT_EQ(read_distro(fs).distro.text(), "debian 12");
}

struct Case {
  std::string path;
  std::string text;
  std::string expected;
};

TEST(DistroFiles, ReadsTheFilesOfOldReleases) {
  const std::vector<Case> cases = {
      {"etc/os-release", "ID=\"sles\"\nVERSION_ID=\"15.5\"\n", "sles 15.5 -> sles-15.5"},
      {"etc/os-release", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=21.2\n",
       "linuxmint 21.2 -> linuxmint-21.2"},
      {"etc/os-release", "ID=wolfi\nVERSION_ID=\"20230201\"\n", "wolfi 20230201 -> wolfi"},
      {"etc/os-release", "ID=alpine\nVERSION_ID=3.19_alpha20230901\n",
       "alpine 3.19_alpha20230901 -> alpine-edge"},
      {"etc/alpine-release", "3.12.12\n", "alpine 3.12.12 -> alpine-3.12"},
      {"etc/debian_version", "12.5\n", "debian 12.5 -> debian-12"},
      {"etc/debian_version", "7.11", "debian 7.11 -> debian-7"},
      {"etc/debian_version", "trixie/sid\n", "debian 13 -> debian-13"},
      {"etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n",
       "redhat 6.10 -> redhat-6"},
      {"etc/redhat-release", "AlmaLinux release 8.4 (Electric Cheetah)\n",
       "almalinux 8.4 -> almalinux-8"},
      {"etc/redhat-release", "Rocky Linux release 9.1 (Blue Onyx)\n", "rocky 9.1 -> rocky-9"},
      {"etc/redhat-release", "Fedora release 20 (Heisenbug)\n", "fedora 20 -> fedora-20"},
      {"etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n",
       "centos 7.9.2009 -> centos-7"},
      {"etc/oracle-release", "Oracle Linux Server release 6.10\n", "oracle 6.10 -> oracle-6"},
      {"etc/system-release", "Amazon Linux AMI release 2018.03\n", "amazon 2018.03 -> amazon-1"},
      {"etc/SuSE-release",
       "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
       "sles 11 -> sles-11"},
      {"etc/lsb-release",
       "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n"
       "DISTRIB_DESCRIPTION=\"Ubuntu 14.04\"\n",
       "ubuntu 14.04 -> ubuntu-14.04"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(read_file_alone(test.path, test.text), test.expected) << test.text;
  }
}

}  // namespace
}  // namespace vigil::catalog
