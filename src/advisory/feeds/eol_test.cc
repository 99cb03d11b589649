#include <gtest/gtest.h>

#include <algorithm>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

Status parse_text(const std::string& text, const std::string& name, RecordingSink& sink) {
  const TemporaryFeed file(text);
  return find_feed("eol")->parse(file.at("eol/" + name), sink);
}

std::string line_of(const ReleaseLife& life) {
  return life.distro + " " + life.release + " " + life.codename + " " +
         format_date(life.released_at) + " " + format_date(life.end_of_life_at) + " " +
         format_date(life.end_of_extended_life_at);
}

TEST(EolFeedTest, ATableWithoutItsColumnsIsRefused) {
  RecordingSink sink;
  EXPECT_FALSE(parse_text("name,date\nx,2020-01-01\n", "debian.csv", sink).has_value());
}

TEST(EolFeedTest, RowsWithoutARelease) {
  RecordingSink sink;
  ASSERT_TRUE(parse_text("version,codename,series,created,release,eol\r\n,Sid,sid,1993-08-16\n\n"
                         "99,Nameless,,2020-01-01\n",
                         "debian.csv", sink)
                  .has_value());
  EXPECT_TRUE(sink.releases.empty());
  EXPECT_EQ(sink.skipped,
            (std::map<std::string, size_t>{{"eol: a release without a usable name", 1}}));
}

// As https://alpinelinux.org/releases.json has it, without what is not read.
TEST(EolFeedTest, AlpinesList) {
  RecordingSink sink;
  ASSERT_TRUE(parse_text(R"({"latest_stable": "v3.24", "release_branches": [
      {"rel_branch": "edge", "git_branch": "master", "arches": ["x86_64"]},
      {"rel_branch": "v3.20", "git_branch": "3.20-stable", "branch_date": "2024-05-22",
       "eol_date": "2026-04-01", "releases": [{"version": "3.20.0", "date": "2024-05-22"}]},
      {"rel_branch": "v2.1", "branch_date": "2010-11-01T00:00:00Z", "eol_date": "2012-11-01"},
      {"rel_branch": "v9.9"}, {"eol_date": "2020-01-01"}, 7]})",
                         "alpine.json", sink)
                  .has_value());
  ASSERT_EQ(sink.releases.size(), 2u);
  EXPECT_EQ(line_of(sink.releases[0]), "alpine 3.20  2024-05-22 2026-04-01 ");
  EXPECT_EQ(line_of(sink.releases[1]), "alpine 2.1  2010-11-01 2012-11-01 ");
  EXPECT_EQ(
      sink.skipped,
      (std::map<std::string, size_t>{{"eol: a branch of Alpine's without a name or an end", 3}}));
  EXPECT_FALSE(parse_text("{}", "alpine.json", sink).has_value());
  EXPECT_FALSE(parse_text("version,series", "alpine.json", sink).has_value());
}

TEST(EolFeedTest, RealTables) {
  const Feed* feed = find_feed("eol");
  const FeedFile debian = real_feed(*feed, "eol/debian.csv");
  const FeedFile ubuntu = real_feed(*feed, "eol/ubuntu.csv");
  if (debian.absolute_path.empty()) GTEST_SKIP() << "no eol/debian.csv here";
  RecordingSink sink;
  ASSERT_TRUE(feed->parse(debian, sink).has_value());
  ASSERT_TRUE(feed->parse(ubuntu, sink).has_value());
  EXPECT_TRUE(sink.skipped.empty());
  std::vector<std::string> lines;
  for (const ReleaseLife& life : sink.releases) lines.push_back(line_of(life));
  for (const char* expected : {
           "debian 3.1 sarge 2005-06-06 2008-03-31 ",
           "debian 6 squeeze 2011-02-06 2014-05-31 2016-02-29",
           "debian 12 bookworm 2023-06-10 2026-07-11 2028-06-30",
           "debian 14 forky   ",
           "ubuntu 20.04 focal 2020-04-23 2025-05-29 2030-04-23",
           "ubuntu 23.10 mantic 2023-10-12 2024-07-11 ",
           "ubuntu 8.04 hardy 2008-04-24 2011-05-12 2013-05-09",
       }) {
    EXPECT_NE(std::ranges::find(lines, expected), lines.end()) << expected;
  }
}

}  // namespace
}  // namespace vigil::advisory
