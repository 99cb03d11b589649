#include "advisory/debian.h"

#include <gtest/gtest.h>

#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

Affected source_package(std::string name, FixState state, std::vector<AffectedRange> ranges,
                        std::string severity) {
  Affected affected;
  affected.package = std::move(name);
  affected.name_kind = NameKind::kSource;
  affected.state = state;
  affected.ranges = std::move(ranges);
  affected.vendor_severity = std::move(severity);
  return affected;
}

RecordingSink tracker(std::string_view text) {
  RecordingSink sink;
  EXPECT_TRUE(add_debian_tracker(text, {}, sink).has_value());
  return sink;
}

// The one release record of package p, CVE-2024-0001 on bookworm.
RecordingSink one_release(std::string_view record) {
  return tracker(R"({"p":{"CVE-2024-0001":{"releases":{"bookworm":)" + std::string(record) +
                 "}}}}");
}

RecordingSink list(std::string_view text) {
  RecordingSink sink;
  add_debian_list(text, {}, sink);
  return sink;
}

TEST(DebianTrackerTest, OtherDocumentsAreRefused) {
  RecordingSink sink;
  EXPECT_FALSE(add_debian_tracker("{\"a\":", {}, sink).has_value());
  EXPECT_FALSE(add_debian_tracker("[]", {}, sink).has_value());
}

TEST(DebianTrackerTest, WhatIsNotUnderstoodIsCounted) {
  const RecordingSink sink = tracker(
      R"({"p":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"resolved"},
         "trixie":{"status":"new"},"sid":{"status":"open"}}}}})");
  EXPECT_TRUE(sink.shards.empty());
  EXPECT_EQ(sink.skipped,
            (std::map<std::string, size_t>{{"debian-tracker: a status that is not known", 2},
                                           {"debian-tracker: a release without a number", 1}}));
}

TEST(DebianTrackerTest, StatesAndUrgencies) {
  const std::vector<AffectedRange> always = {{}};
  const std::vector<AffectedRange> below = {{"", "1.2-3+deb12u1", ""}};
  const std::tuple<const char*, FixState, std::vector<AffectedRange>, const char*> cases[] = {
      {R"({"status":"resolved","fixed_version":"1.2-3+deb12u1","urgency":"not yet assigned"})",
       FixState::kFixed, below, "not yet assigned"},
      {R"({"status":"resolved","fixed_version":"0","urgency":"unimportant"})",
       FixState::kNotAffected,
       {},
       "unimportant"},
      {R"({"status":"open","urgency":"low**"})", FixState::kAffected, always, "low**"},
      {R"({"status":"open","urgency":"low","nodsa":"Minor issue","nodsa_reason":""})",
       FixState::kAffected, always, "low"},
      {R"({"status":"open","urgency":"medium","nodsa":"Minor","nodsa_reason":"ignored"})",
       FixState::kWillNotFix, always, "medium"},
      {R"({"status":"open","urgency":"high","nodsa":"Minor","nodsa_reason":"postponed"})",
       FixState::kFixDeferred, always, "high"},
      {R"({"status":"open","urgency":"end-of-life"})", FixState::kEndOfLife, always, "end-of-life"},
      {R"({"status":"undetermined","urgency":"low"})", FixState::kUnderInvestigation, always,
       "low"},
  };
  for (const auto& [record, state, ranges, severity] : cases) {
    const RecordingSink sink = one_release(record);
    const Advisory* advisory = sink.find("debian-12", "CVE-2024-0001");
    ASSERT_NE(advisory, nullptr) << record;
    EXPECT_EQ(advisory->affected,
              (std::vector<Affected>{source_package("p", state, ranges, severity)}))
        << record;
  }
}

TEST(DebianTrackerTest, WhatTheReleaseHasIsResolvedHoweverItIsNumbered) {
  const std::tuple<const char*, const char*> cases[] = {
      {R"({"bookworm":"590-2.1~deb12u2"})", "590-2.1~deb12u2"},
      {R"({"bookworm":"590-2","bookworm-security":"590-2.1~deb12u1"})", "590-2.1~deb12u1"},
      {R"({"bookworm":"590-2.1"})", "590-2.1"},
      {R"({"bookworm":"590-2","bookworm-security":"590-3"})", "590-2.1"},
      {R"({})", "590-2.1"},
  };
  for (const auto& [repositories, fixed] : cases) {
    const RecordingSink sink = one_release(
        std::string(R"({"status":"resolved","fixed_version":"590-2.1","repositories":)") +
        repositories + "}");
    EXPECT_EQ(sink.find("debian-12", "CVE-2024-0001")->affected[0].ranges,
              (std::vector<AffectedRange>{{"", fixed, ""}}))
        << repositories;
  }
}

TEST(DebianTrackerTest, PackagesOfOneIdAreOneAdvisoryInEachShard) {
  const RecordingSink sink = tracker(
      R"({"a":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"open"},
               "trixie":{"status":"open"}}}},
          "b":{"CVE-2024-0001":{"releases":{"bookworm":{"status":"open"}}},
               "TEMP-0000000-A1B2C3":{"releases":{"bookworm":{"status":"open"}}}}})");
  EXPECT_EQ(sink.shards.at("debian-12").size(), 2u);
  EXPECT_EQ(sink.find("debian-12", "CVE-2024-0001")->affected.size(), 2u);
  EXPECT_EQ(sink.find("debian-12", "CVE-2024-0001")->cves,
            std::vector<std::string>{"CVE-2024-0001"});
  EXPECT_EQ(sink.find("debian-13", "CVE-2024-0001")->affected.size(), 1u);
  EXPECT_TRUE(sink.find("debian-12", "TEMP-0000000-A1B2C3")->cves.empty());
  EXPECT_EQ(sink.sources.size(), 2u);
}

TEST(DebianListTest, WhatIsNotUnderstoodIsCounted) {
  const RecordingSink sink = list(
      "\t[bullseye] - early 1-1\n"
      "[29 Mar 2023] DSA-1-1 a - text\n\t[nowhere] - a 1-1\n\t[bullseye] a 1-1\n"
      "\t[bullseye] - a <maybe>\n\t[bullseye] - a\n\tsome words\n"
      "[18 Apr 2018] DSA-4205-1 jessie end-of-life\n[1 Jan 2020] XYZ-1 a - text\n");
  EXPECT_TRUE(sink.shards.empty());
  EXPECT_TRUE(sink.sources.empty());
  EXPECT_EQ(sink.skipped, (std::map<std::string, size_t>{
                              {"debian-lists: a line that is not understood", 6},
                              {"debian-lists: a release that is not known", 1},
                              {"debian-lists: an advisory that names no package", 2}}));
}

TEST(DebianListTest, AnAdvisoryIsAddedOncePerRelease) {
  const RecordingSink sink = list(
      "[29 Mar 2023] DSA-5380-1 xorg-server - security update\n"
      "\t{CVE-2023-1393 CVE-2023-1394 }\n"
      "\t[bullseye] - xorg-server 2:1.20.11-1+deb11u6\n"
      "\t[buster] - xorg-server 2:1.20.4-1+deb10u9 (bug #332424; medium)\n");
  Advisory expected;
  expected.id = "DSA-5380-1";
  expected.cves = {"CVE-2023-1393", "CVE-2023-1394"};
  expected.source = "debian-lists";
  expected.published_at = 1680048000;
  expected.affected = {
      source_package("xorg-server", FixState::kFixed, {{"", "2:1.20.11-1+deb11u6", ""}}, "")};
  expected.affected[0].fixed_at = 1680048000;
  EXPECT_EQ(sink.shards.at("debian-11"), std::vector<Advisory>{expected});
  expected.affected[0].ranges[0].fixed = "2:1.20.4-1+deb10u9";
  expected.affected[0].vendor_severity = "medium";
  EXPECT_EQ(sink.shards.at("debian-10"), std::vector<Advisory>{expected});
  EXPECT_EQ(sink.sources.at(0).as_of, 1680048000);
}

TEST(DebianListTest, WithoutACveTheAdvisoryKeepsItsOwnId) {
  const RecordingSink sink = list(
      "[17 Mar 2023] DSA-5356-2 sox - regression update\n        NOTE: text\n"
      "        [bullseye] - sox 14.4.2+git20190427-2+deb11u2\n");
  const Advisory* advisory = sink.find("debian-11", "DSA-5356-2");
  ASSERT_NE(advisory, nullptr);
  EXPECT_TRUE(advisory->cves.empty());
  EXPECT_TRUE(sink.skipped.empty());
}

TEST(DebianListTest, TagsStandForStates) {
  const std::pair<const char*, FixState> cases[] = {
      {"<not-affected> (Vulnerable code not present)", FixState::kNotAffected},
      {"<unfixed>", FixState::kAffected},
      {"<end-of-life>", FixState::kEndOfLife},
      {"<ignored>", FixState::kWillNotFix},
      {"<postponed>", FixState::kFixDeferred},
  };
  for (const auto& [tag, state] : cases) {
    const RecordingSink sink =
        list("[17 Mar 2023] DSA-1-1 a - text\n\t[lenny] - vlc " + std::string(tag) + "\n");
    const Advisory* advisory = sink.find("debian-5", "DSA-1-1");
    ASSERT_NE(advisory, nullptr) << tag;
    EXPECT_EQ(advisory->affected.at(0).state, state) << tag;
    EXPECT_EQ(advisory->affected.at(0).ranges.empty(), state == FixState::kNotAffected) << tag;
    EXPECT_EQ(advisory->affected.at(0).fixed_at, 0) << tag;
  }
}

TEST(DebianListTest, Dates) {
  const std::pair<const char*, const char*> cases[] = {
      {"29 Mar 2023", "2023-03-29"},
      {"August 26th, 2005", "2005-08-26"},
      {"September 1st, 2005", "2005-09-01"},
      {"31 Feb 2020", ""},
      {"", ""},
      {"Mar 2023", ""},
      {"29 2023", ""},
  };
  for (const auto& [text, date] : cases) {
    EXPECT_EQ(format_date(parse_debian_date(text)), date) << text;
  }
}

}  // namespace
}  // namespace vigil::advisory
