#include "advisory/ubuntu.h"

#include <gtest/gtest.h>

#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

struct Read {
  RecordingSink sink;
  std::set<std::string> shards;
  UnixSeconds published_at = 0;
};

Read read(const std::string& text) {
  Read out;
  out.published_at = add_ubuntu_cve(text, out.shards, out.sink);
  return out;
}

// The one row of source package p on focal.
Affected focal(const std::string& status) {
  const Read one = read("Candidate: CVE-2024-0001\nfocal_p: " + status + "\n");
  const Advisory* advisory = one.sink.find("ubuntu-20.04", "CVE-2024-0001");
  return advisory == nullptr ? Affected{} : advisory->affected.at(0);
}

Affected source_package(FixState state, std::vector<AffectedRange> ranges) {
  Affected affected;
  affected.package = "p";
  affected.name_kind = NameKind::kSource;
  affected.state = state;
  affected.ranges = std::move(ranges);
  return affected;
}

TEST(UbuntuTrackerTest, WhatIsNotUnderstoodIsCounted) {
  const Read one = read(
      "Candidate: CVE-2024-0001\nfocal_p: released\nfocal_p: excellent\nnowhere_p: needed\n"
      "focal_: needed\nesm-infra/nowhere_p: needed\n");
  EXPECT_TRUE(one.sink.shards.empty());
  EXPECT_TRUE(one.shards.empty());
  EXPECT_EQ(one.sink.skipped,
            (std::map<std::string, size_t>{{"ubuntu: released, without a version", 1},
                                           {"ubuntu: a status that is not known", 1},
                                           {"ubuntu: a release that is not known", 2},
                                           {"ubuntu: a name or version that is not usable", 1}}));
  EXPECT_EQ(read("focal_p: needed\n").sink.skipped,
            (std::map<std::string, size_t>{{"ubuntu: a file without a candidate", 1}}));
}

TEST(UbuntuTrackerTest, StatusesAreStates) {
  const std::vector<AffectedRange> always = {{}};
  const std::vector<AffectedRange> below = {{"", "1:1.2-1ubuntu1", ""}};
  const std::tuple<const char*, FixState, std::vector<AffectedRange>> cases[] = {
      {"released (1:1.2-1ubuntu1)", FixState::kFixed, below},
      {"released ( 1:1.2-1ubuntu1 )", FixState::kFixed, below},
      {"released (1:1.2-1ubuntu1, 1:1.3-1)", FixState::kFixed, below},
      {"released (nova - 1:1.2-1ubuntu1)", FixState::kFixed, below},
      {"released(1:1.2-1ubuntu1)", FixState::kFixed, below},
      {"needed", FixState::kAffected, always},
      {"active", FixState::kAffected, always},
      {"needs-triage", FixState::kUnderInvestigation, always},
      {"deferred", FixState::kFixDeferred, always},
      {"deferred (2022-08-05)", FixState::kFixDeferred, always},
      {"pending", FixState::kAffected, always},
      {"pending (1:1.2-1ubuntu1)", FixState::kAffected, below},
      {"not-affected", FixState::kNotAffected, {}},
      {"not-affected (code not present)", FixState::kNotAffected, {}},
      {"not-affected (1:1.2-1ubuntu1)", FixState::kNotAffected, {}},
      {"ignored", FixState::kWillNotFix, always},
      {"ignored (no update available)", FixState::kWillNotFix, always},
      {"ignored (superseded by linux-hwe-5.4)", FixState::kWillNotFix, always},
      {"ignored (end of life)", FixState::kEndOfLife, always},
      {"ignored (end of standard support, was needed)", FixState::kEndOfLife, always},
      {"ignored (Ubuntu touch end-of-life)", FixState::kEndOfLife, always},
      {"ignored (end of standard support, was not-affected)", FixState::kNotAffected, {}},
  };
  for (const auto& [status, state, ranges] : cases) {
    EXPECT_EQ(focal(status), source_package(state, ranges)) << status;
  }
}

TEST(UbuntuTrackerTest, WhatIsOfNoReleaseIsLeftOut) {
  const Read one = read(
      "Candidate: CVE-2024-0001\nupstream_p: needed\ndevel_p: needed\nsnap_p: needed\n"
      "vivid/ubuntu-core_p: needed\nfocal_p: DNE (trusty was needed)\nPatches_p: x\nTags_p: y\n"
      "Notes:\n focal_p: needed\n");
  EXPECT_TRUE(one.sink.shards.empty());
  EXPECT_TRUE(one.sink.skipped.empty());
}

TEST(UbuntuTrackerTest, ChannelsOfSubscribers) {
  const Read one = read(
      "Candidate: CVE-2024-0001\nxenial_p: ignored (end of standard support)\n"
      "esm-infra/xenial_p: released (1.2+esm1)\nfips/xenial_p: needed\ntrusty/esm_p: needed\n");
  Affected plain = source_package(FixState::kEndOfLife, {{}});
  Affected esm = source_package(FixState::kFixed, {{"", "1.2+esm1", ""}});
  esm.channel = "esm-infra";
  Affected fips = source_package(FixState::kAffected, {{}});
  fips.channel = "fips";
  EXPECT_EQ(one.sink.find("ubuntu-16.04", "CVE-2024-0001")->affected,
            (std::vector<Affected>{plain, esm, fips}));
  Affected trusty = source_package(FixState::kAffected, {{}});
  trusty.channel = "esm-infra";
  EXPECT_EQ(one.sink.find("ubuntu-14.04", "CVE-2024-0001")->affected,
            (std::vector<Affected>{trusty}));
  EXPECT_EQ(one.shards, (std::set<std::string>{"ubuntu-14.04", "ubuntu-16.04"}));
}

TEST(UbuntuTrackerTest, TheHeadOfTheFile) {
  const Read one = read(
      "PublicDateAtUSN: 2022-08-06 07:15:00 UTC\nCandidate:CVE-2022-37434\n"
      "PublicDate: 2022-08-05 07:15:00 UTC\nPriority: medium\n reason\nPriority_p: low\n"
      "Priority_p_focal: negligible\nCVSS:\n"
      " nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H [9.8 CRITICAL]\n\n"
      "focal_p: needed\njammy_p: needed\njammy_q: needed\n");
  const Advisory* jammy = one.sink.find("ubuntu-22.04", "CVE-2022-37434");
  ASSERT_NE(jammy, nullptr);
  EXPECT_EQ(format_time(jammy->published_at), "2022-08-05T07:15:00Z");
  EXPECT_EQ(one.published_at, jammy->published_at);
  EXPECT_EQ(jammy->source, "ubuntu");
  EXPECT_EQ(jammy->cves, std::vector<std::string>{"CVE-2022-37434"});
  EXPECT_EQ(jammy->vendor_severity, "medium");
  EXPECT_EQ(jammy->cvss,
            (std::vector<Cvss>{{.vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                                .version = "3.1",
                                .score = 9.8,
                                .source = "nvd"}}));
  ASSERT_EQ(jammy->affected.size(), 2u);
  EXPECT_EQ(jammy->affected[0].vendor_severity, "low");
  EXPECT_EQ(jammy->affected[1].vendor_severity, "");
  EXPECT_EQ(one.sink.find("ubuntu-20.04", "CVE-2022-37434")->affected.at(0).vendor_severity,
            "negligible");
}

// A score of zero would read as harmless.
TEST(UbuntuTrackerTest, AVectorWithoutItsScoreIsCounted) {
  for (const char* line : {" nvd: CVSS:3.1/AV:N", " nvd: CVSS:3.1/AV:N [",
                           " nvd: CVSS:3.1/AV:N [x]", " nvd: CVSS:3.1/AV:N [10.1 CRITICAL]",
                           " nvd: CVSS:3.1 [9.8 CRITICAL]", " nvd: CVSS:3.1/AV:N [nan]"}) {
    const Read one =
        read("Candidate: CVE-2024-0001\nCVSS:\n" + std::string(line) + "\nfocal_p: needed\n");
    EXPECT_TRUE(one.sink.find("ubuntu-20.04", "CVE-2024-0001")->cvss.empty()) << line;
    EXPECT_EQ(one.sink.skipped.at("ubuntu: a CVSS line that is not understood"), 1u) << line;
  }
}

TEST(UbuntuTrackerTest, TheFirstOfTwoRowsCounts) {
  const Read one = read("Candidate: CVE-2024-0001\nfocal_p: needed\nfocal_p: released (1-1)\n");
  EXPECT_EQ(one.sink.find("ubuntu-20.04", "CVE-2024-0001")->affected,
            (std::vector<Affected>{source_package(FixState::kAffected, {{}})}));
  EXPECT_EQ(one.sink.skipped.at("ubuntu: a package with two rows for one release"), 1u);
}

}  // namespace
}  // namespace vigil::advisory
