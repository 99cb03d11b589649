#include "cli/progress_line.h"

#include <gtest/gtest.h>

#include <limits>

namespace vigil::cli {
namespace {

TEST(ProgressLine, SaysWhatIsDoneAndWhatRemains) {
  WorkCounts counts;
  EXPECT_EQ(progress_text(counts, 1.2), "Reading: 1 s");
  counts.files_count = 1300;
  counts.bytes_read = 12'000'000;
  EXPECT_EQ(progress_text(counts, 0.6), "Reading: 1 s, 1300 files, 12 MB");
  counts.layers_total = 11;
  counts.bytes_total = 1'210'000'000;
  EXPECT_EQ(progress_text(counts, 0.5), "Reading: layers 0/11, 0 of 1210 MB");
  counts.layers_done = 3;
  counts.bytes_done = 410'000'000;
  EXPECT_EQ(progress_text(counts, 2), "Reading: layers 3/11, 410 of 1210 MB, 205 MB/s, 4 s left");
  EXPECT_EQ(progress_text(counts, 600),
            "Reading: layers 3/11, 410 of 1210 MB, 1 MB/s, 20 min left");
  counts.layers_done = 11;
  counts.bytes_done = counts.bytes_total;
  counts.packages_count = 498;
  EXPECT_EQ(progress_text(counts, 6), "Reading: layers 11/11, 1210 of 1210 MB, 498 packages");
}

TEST(ProgressLine, SaysHowFarADatabaseIs) {
  advisory::BuildProgress build = {.path = "osv/PyPI/all.zip",
                                   .files_done = 3,
                                   .files_total = 9,
                                   .bytes_done = 40'000'000,
                                   .bytes_total = 120'000'000};
  EXPECT_EQ(progress_text(build, 2),
            "Reading feeds: files 3/9, 40 of 120 MB, 20 MB/s, 4 s left: osv/PyPI/all.zip");
  build.path = {};
  build.bytes_done = build.bytes_total;
  build.files_done = build.files_total;
  EXPECT_EQ(progress_text(build, 2), "Writing the shards of files 9/9, 120 of 120 MB");
  EXPECT_EQ(progress_text(advisory::InstallProgress{.shard = "debian-12",
                                                    .shards_done = 1,
                                                    .shards_total = 2,
                                                    .bytes_done = 30'000'000,
                                                    .bytes_total = 40'000'000},
                          3),
            "Fetching: shards 1/2, 30 of 40 MB, 10 MB/s, 1 s left: debian-12");
  EXPECT_EQ(fetching_text(3, 12'000'000, 2, "osv/Go/all.zip"),
            "Fetching: 3 files, 12 MB, 6 MB/s: osv/Go/all.zip");
  EXPECT_EQ(matching_text(0, 600, 0.6), "Matching: 0 of 600 packages");
  EXPECT_EQ(matching_text(200, 600, 2), "Matching: 200 of 600 packages, 100/s, 4 s left");
  EXPECT_EQ(matching_text(600, 600, 6), "Matching: 600 of 600 packages");
}

TEST(ProgressLine, StaysShortWhateverItIsTold) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  WorkCounts counts;
  counts.layers_total = counts.layers_done = counts.bytes_total = kMost;
  counts.packages_count = counts.files_count = counts.bytes_read = kMost;
  counts.bytes_done = 1;
  EXPECT_LT(progress_text(counts, 0).size(), 200u);
  EXPECT_LT(progress_text(counts, 1e9).size(), 200u);
  counts.layers_total = 0;
  EXPECT_LT(progress_text(counts, 1e9).size(), 200u);
}

}  // namespace
}  // namespace vigil::cli
