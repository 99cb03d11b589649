#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/severity.h"

namespace vigil {
namespace {

TEST(Cvss, WhatIsMalformedIsNamed) {
  const auto message = [](std::string_view vector) {
    const Result<Cvss> parsed = parse_cvss(vector);
    return parsed ? "score " + std::to_string(parsed->score) : parsed.error().message;
  };
  EXPECT_EQ(message(""), "CVSS: no metric and value in ''");
  EXPECT_EQ(message("CVSS:3.1/"), "CVSS: no metric and value in ''");
  EXPECT_EQ(message("CVSS:5.0/AV:N"), "CVSS: unknown metric in 'CVSS:5.0'");
  EXPECT_EQ(message("CVSS:3.1/AV:Q"), "CVSS: unknown value in 'AV:Q'");
  EXPECT_EQ(message("CVSS:3.1/AV:N/AV:N"), "CVSS: a metric given twice: 'AV:N'");
  EXPECT_EQ(message("CVSS:3.1/AV:N"), "CVSS: not every base metric in 'CVSS:3.1/AV:N'");
  EXPECT_EQ(message("AC:L/AV:N"), "CVSS: a metric out of order: 'AV:N'");
  EXPECT_EQ(message("CVSS:3.1/av:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            "CVSS: unknown metric in 'av:N'");
  EXPECT_EQ(message("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/"),
            "CVSS: no metric and value in ''");
  EXPECT_EQ(message("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F"),
            "CVSS: not every metric of a group in 'AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F'");
  EXPECT_EQ(message("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:X/C:H/I:H/A:H"),
            "CVSS: unknown value in 'S:X'");
  EXPECT_EQ(message("CVSS:3.1/" + std::string(200, 'x')),
            "CVSS: no metric and value in '" + std::string(60, 'x') + "…'");
}

TEST(Cvss, Version3TakesAnyOrder) {
  const std::string vector = "CVSS:3.1/A:H/I:H/C:H/S:U/UI:N/PR:N/AC:L/AV:N";
  const Result<Cvss> parsed = parse_cvss(vector);
  ASSERT_TRUE(parsed) << parsed.error().text();
  EXPECT_EQ(*parsed, (Cvss{.vector = vector, .version = "3.1", .score = 9.8, .source = ""}));
  EXPECT_EQ(normal_cvss(vector).value(), "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
}

TEST(Cvss, TheScoreIsOfAllMetricsGiven) {
  const auto score = [](std::string_view vector) { return parse_cvss(vector).value().score; };
  // The specification's own example of rounding, v3.1 Appendix A: 4.02 is 4.1, 4.00 is 4.0.
  EXPECT_EQ(score("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:N"), 3.8);
  EXPECT_EQ(score("CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:N/E:F"), 3.7);
  // A modified metric replaces its base metric, X does not.
  EXPECT_EQ(score("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N/MC:X"), 0.0);
  EXPECT_EQ(score("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N/"
                  "MAV:N/MAC:L/MPR:N/MUI:N/MS:U/MC:H/MI:H/MA:H"),
            9.8);
  EXPECT_EQ(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"), 0.0);
  EXPECT_EQ(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N/MVC:H"), 8.7);
}

TEST(Cvss, SeverityByTheBandsOfEachVersion) {
  const auto severity = [](const char* version, double score) {
    return severity_of({.vector = "", .version = version, .score = score, .source = ""});
  };
  EXPECT_EQ(severity("3.1", 0.0), Severity::kNegligible);
  EXPECT_EQ(severity("3.1", 0.1), Severity::kLow);
  EXPECT_EQ(severity("3.0", 3.9), Severity::kLow);
  EXPECT_EQ(severity("3.0", 4.0), Severity::kMedium);
  EXPECT_EQ(severity("4.0", 6.9), Severity::kMedium);
  EXPECT_EQ(severity("4.0", 7.0), Severity::kHigh);
  EXPECT_EQ(severity("4.0", 8.9), Severity::kHigh);
  EXPECT_EQ(severity("4.0", 9.0), Severity::kCritical);
  EXPECT_EQ(severity("2.0", 0.0), Severity::kLow);
  EXPECT_EQ(severity("2.0", 10.0), Severity::kHigh);
}

// The lists of quay/claircore: "vector score # remark", "vector #OK" among faulty ones, and vectors
// that print as they were read.
class GoldenLists : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kArchive)) {
      GTEST_SKIP() << kArchive << " is not here: its scores were not compared";
    }
    ASSERT_EQ(std::system("command -v unzip >/dev/null"), 0) << "unzip is not installed";
  }

  std::vector<std::string> lines(const std::string& name) {
    std::vector<std::string> out;
    const std::string command = "unzip -p '" + kArchive + "' cvss/" + name;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) {
      ADD_FAILURE() << command;
      return out;
    }
    char buffer[4096];
    while (fgets(buffer, sizeof buffer, pipe) != nullptr) {
      std::string line = buffer;
      while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
      if (!line.empty() && line[0] != '#') out.push_back(line);
    }
    EXPECT_EQ(pclose(pipe), 0) << name;
    return out;
  }

  const std::string kArchive = VIGIL_SOURCE_DIR "/../shared/feeds/goldens/cvss-vectors.zip";
};

TEST_F(GoldenLists, FaultyVectorsAreErrors) {
  std::string wrong;
  size_t count = 0;
  for (const char* list : {"v2_error.list", "v3_error.list", "v4_error.list"}) {
    const std::string version(list, 2);
    for (const std::string& line : lines(list)) {
      ++count;
      const bool is_good = line.ends_with("#OK");
      const std::string vector = line.substr(0, line.find(" #"));
      const Result<Cvss> parsed = parse_cvss(vector);
      // Each list is about one version: a good vector of another one is faulty in it.
      const bool is_taken = parsed && parsed->version[0] == version[1];
      if (is_taken != is_good) wrong += std::string(list) + ": " + line + "\n";
    }
  }
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(count, 48u);
}

TEST_F(GoldenLists, Scores) {
  std::string wrong;
  size_t count = 0;
  for (const char* list : {"v2_score.list", "v30_score.list", "v31_score.list", "v4_score.list"}) {
    for (const std::string& line : lines(list)) {
      ++count;
      const size_t space = line.find(' ');
      const double expected = std::strtod(line.c_str() + space, nullptr);
      const Result<Cvss> parsed = parse_cvss(line.substr(0, space));
      if (!parsed) {
        wrong += line + ": " + parsed.error().text() + "\n";
      } else if (std::lround(parsed->score * 10) != std::lround(expected * 10)) {
        wrong += line + ": got " + std::to_string(parsed->score) + "\n";
      }
    }
  }
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(count, 93u);
}

TEST_F(GoldenLists, VectorsPrintAsTheyWereRead) {
  size_t count = 0;
  for (const char* list : {"v2_roundtrip.list", "v3_roundtrip.list", "v4_roundtrip.list"}) {
    for (const std::string& line : lines(list)) {
      ++count;
      const std::string vector = line.substr(0, line.find(' '));
      const Result<std::string> printed = normal_cvss(vector);
      EXPECT_EQ(printed ? *printed : printed.error().text(), vector);
    }
  }
  EXPECT_EQ(count, 71u);
}

TEST(CvssTest, HalvesOfTheBaseScore) {
  struct Case {
    std::string_view vector;
    CvssHalves halves;
  };
  const Case cases[] = {
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", {3.9, 5.9}},
      {"CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", {2.3, 2.8}},
      {"CVSS:3.0/AV:L/AC:H/PR:H/UI:N/S:U/C:N/I:N/A:N", {0.5, 0.0}},
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", {3.9, 0.0}},
      {"AV:N/AC:L/Au:N/C:P/I:P/A:P", {10.0, 6.5}},
      {"AV:N/AC:L/Au:N/C:C/I:C/A:C", {10.0, 10.0}},
  };
  for (const Case& test : cases) {
    const std::optional<CvssHalves> halves = cvss_halves(test.vector);
    ASSERT_TRUE(halves) << test.vector;
    EXPECT_DOUBLE_EQ(halves->exploitability, test.halves.exploitability) << test.vector;
    EXPECT_DOUBLE_EQ(halves->impact, test.halves.impact) << test.vector;
  }
  EXPECT_FALSE(cvss_halves("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"));
  EXPECT_FALSE(cvss_halves("nonsense"));
}

}  // namespace
}  // namespace vigil
