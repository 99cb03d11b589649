#include "model/distro.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

TEST(Distro, RefusesAnOsReleaseWithoutId) {
  for (const std::string_view text : {"", "NAME=x\n", "ID=\n", "ID\n", "#ID=debian\n"}) {
    EXPECT_FALSE(parse_os_release(text)) << text;
  }
}

TEST(Distro, ReadsOsReleaseWithoutRunningIt) {
  Distro expected;
  expected.id = "redhat";
  expected.version = "8.6";
  expected.codename = "$(reboot)";
  expected.pretty_name = "Red Hat \"Enterprise\" `x`";
  expected.id_like = {"fedora", "centos"};
  const auto distro = parse_os_release(
      "# comment\r\nID=\"rhel\"\r\n VERSION_ID='8.6'\nVERSION_CODENAME=$(reboot)\n"
      "PRETTY_NAME=\"Red Hat \\\"Enterprise\\\" `x`\"\nID_LIKE=\"fedora  centos\"\nnonsense");
  ASSERT_TRUE(distro);
  EXPECT_EQ(*distro, expected);
}

TEST(Distro, KnowsWhenTheSystemSaysItsSupportEnds) {
  const auto end_of = [](std::string_view line) {
    return parse_os_release("ID=fedora\n" + std::string(line) + "\n").value().support_ends_at;
  };
  EXPECT_EQ(end_of("SUPPORT_END=2025-05-13"), *parse_time("2025-05-13"));
  EXPECT_EQ(end_of("SUPPORT_END=\"2029-06-30\""), *parse_time("2029-06-30"));
  EXPECT_EQ(end_of("SUPPORT_END=soon"), 0);
  EXPECT_EQ(end_of(""), 0);
}

TEST(Distro, TakesTheNumberOfATestingReleaseFromItsCodename) {
  const auto distro = parse_os_release("ID=debian\nVERSION_CODENAME=forky\n");
  ASSERT_TRUE(distro);
  EXPECT_EQ(distro->version, "14");
}

TEST(Distro, ReadsTheFormsOfPurlsAndPeople) {
  struct Case {
    std::string text;
    std::string id;
    std::string version;
    std::string shard;
  };
  const std::vector<Case> cases = {
      {"", "", "", ""},
      {"debian-12", "debian", "12", "debian-12"},
      {"debian-12.9", "debian", "12.9", "debian-12"},
      {"debian:12", "debian", "12", "debian-12"},
      {"debian", "debian", "", ""},
      {"debian-3.1", "debian", "3.1", "debian-3.1"},
      {"Debian-Bookworm", "debian", "12", "debian-12"},
      {"bookworm", "debian", "12", "debian-12"},
      {"debian-sid", "debian", "sid", "debian-sid"},
      {"ubuntu:jammy", "ubuntu", "22.04", "ubuntu-22.04"},
      {"ubuntu-22.04", "ubuntu", "22.04", "ubuntu-22.04"},
      {"alpine-3.17.2", "alpine", "3.17.2", "alpine-3.17"},
      {"alpine-edge", "alpine", "edge", "alpine-edge"},
      {"alpine-3.24.0_alpha20251224", "alpine", "3.24.0_alpha20251224", "alpine-edge"},
      {"wolfi-20230201", "wolfi", "20230201", "wolfi"},
      {"wolfi", "wolfi", "", "wolfi"},
      {"alma 9.4", "almalinux", "9.4", "almalinux-9"},
      {"almalinux-8", "almalinux", "8", "almalinux-8"},
      {"rhel9", "redhat", "9", "redhat-9"},
      {"rhel-8.6", "redhat", "8.6", "redhat-8"},
      {"amzn-2023", "amazon", "2023", "amazon-2023"},
      {"opensuse-leap-15.5", "opensuse-leap", "15.5", "opensuse-leap-15.5"},
      {"opensuse-tumbleweed-20240101", "opensuse-tumbleweed", "20240101", "opensuse-tumbleweed"},
      {"cbl-mariner-2.0.20240123", "mariner", "2.0.20240123", "mariner-2.0"},
      {"debian:kali-rolling", "debian", "kali-rolling", "debian-kali-rolling"},
      {"debian-potato", "debian", "2.2", "debian-2.2"},
      {"lucid", "ubuntu", "10.04", "ubuntu-10.04"},
      {"amazon 2018.03", "amazon", "2018.03", "amazon-1"},
      {"amazonlinux:2", "amazon", "2", "amazon-2"},
      {"SUSE Linux Enterprise Server 15.5", "sles", "15.5", "sles-15.5"},
      {"Red Hat Enterprise Linux 9.4", "redhat", "9.4", "redhat-9"},
      {"Debian GNU/Linux 12", "debian", "12", "debian-12"},
      {"linuxmint-21.2", "linuxmint", "21.2", "linuxmint-21.2"},
      {"arch", "arch", "", "arch"},
      {"alpine-v3.12", "alpine", "3.12", "alpine-3.12"},
      {"wolfi-rolling", "wolfi", "rolling", "wolfi"},
      {"ubi-8", "redhat", "8", "redhat-8"},
      {"../../x 1", "../../x", "1", ""},
      {"debian:../x", "debian", "../x", ""},
      {"My Linux 1", "my-linux", "1", "my-linux-1"},
  };
  for (const Case& test : cases) {
    const Distro distro = parse_distro(test.text);
    EXPECT_EQ(distro.id, test.id) << test.text;
    EXPECT_EQ(distro.version, test.version) << test.text;
    EXPECT_EQ(shard_name(distro), test.shard) << test.text;
  }
}

}  // namespace
}  // namespace vigil
