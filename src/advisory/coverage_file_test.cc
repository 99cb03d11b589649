#include "advisory/coverage_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace vigil::advisory {

namespace {

using testing::HasSubstr;

// The statement of one entry on a path.
std::optional<FileStatement> stated(const std::string& entry, const std::string& path) {
  const Result<CoverageFile> file = CoverageFile::parse("{\"feeds\": [" + entry + "]}");
  EXPECT_TRUE(file.has_value()) << file.error().text();
  return file->find(path);
}

std::string error_of(const std::string& entry) {
  const Result<CoverageFile> file = CoverageFile::parse("{\"feeds\": [" + entry + "]}");
  return file ? "" : file.error().text();
}

constexpr Coverage kFixedOnly = {.is_fixed_only = true, .is_subset = false};

TEST(CoverageFileTest, BracesAreAlternatives) {
  const std::string entry =
      R"({"path": "a/*/{x,y}.{json,yaml}", "coverage": "fixed-only", "as_of": "2024-01-02"})";
  const FileStatement expected = {kFixedOnly, parse_time_or_zero("2024-01-02")};
  EXPECT_EQ(stated(entry, "a/b/x.json"), expected);
  EXPECT_EQ(stated(entry, "a/b/y.yaml"), expected);
  EXPECT_EQ(stated(entry, "a/b/z.json"), std::nullopt);
  EXPECT_EQ(stated(entry, "a/b/c/x.json"), std::nullopt);
}

TEST(CoverageFileTest, DatesByRelease) {
  const std::string entry = R"({"path": "alpine/*/main.json", "coverage": "full", "as_of":
      {"v3.3-v3.11": "2020-01-01", "v3.12": "2022-01-01", "edge": "2024-01-01"}})";
  const auto date = [&](const std::string& release) {
    return format_date(stated(entry, "alpine/" + release + "/main.json")->as_of);
  };
  EXPECT_EQ(date("v3.3"), "2020-01-01");
  EXPECT_EQ(date("v3.9"), "2020-01-01");
  EXPECT_EQ(date("v3.11"), "2020-01-01");
  EXPECT_EQ(date("v3.12"), "2022-01-01");
  EXPECT_EQ(date("edge"), "2024-01-01");
  EXPECT_EQ(date("v3.13"), "");
}

TEST(CoverageFileTest, WhatIsNotUnderstoodIsAnError) {
  EXPECT_THAT(error_of(R"({"coverage": "full"})"), HasSubstr("no usable path"));
  EXPECT_THAT(error_of(R"({"path": "a"})"), HasSubstr("does not say its coverage"));
  EXPECT_THAT(error_of(R"({"path": "a", "coverage": "full", "as_of": "soon"})"),
              HasSubstr("no date"));
  std::string braces;
  for (int i = 0; i < 20; ++i) braces += "{a,b}";
  EXPECT_THAT(error_of("{\"path\": \"" + braces + "\", \"coverage\": \"full\"}"),
              HasSubstr("no usable path"));
}

TEST(CoverageFileTest, TheRealFile) {
  const std::string path = VIGIL_SOURCE_DIR "/../shared/feeds/coverage.json";
  if (!path_exists(path)) GTEST_SKIP() << "no feeds at " << path;
  const CoverageFile file = *CoverageFile::parse(*read_file(path, 1 << 20));
  EXPECT_EQ(file.find("alpine/v3.10/community.yaml"),
            (FileStatement{kFixedOnly, parse_time_or_zero("2020-06-08")}));
  EXPECT_EQ(file.find("osv/PyPI/all.zip"),
            (FileStatement{{.is_fixed_only = false, .is_subset = true},
                           parse_time_or_zero("2024-10-08")}));
  EXPECT_EQ(file.find("samples/provider-format-samples.zip"), std::nullopt);
}

}  // namespace

}  // namespace vigil::advisory
