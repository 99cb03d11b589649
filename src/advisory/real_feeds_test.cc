// The whole way on the feeds beside the tree: what a feed says of a package is what the shard says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

#include "advisory/database.h"
#include "advisory/db_builder.h"
#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"
#include "advisory/shard.h"
#include "advisory/verify.h"
#include "base/file.h"

namespace vigil::advisory {

namespace {

const std::string kFeedsFolder = VIGIL_SOURCE_DIR "/../shared/feeds";
const std::string kFolder = VIGIL_BINARY_DIR "/real-feeds-db";

Result<BuildSummary> build(const std::string& out, size_t threads_count) {
  std::filesystem::remove_all(out);
  BuildOptions options;
  options.feeds_folder = kFeedsFolder;
  options.out_folder = out;
  options.built_at = 1'800'000'000;
  options.threads_count = threads_count;
  return build_database(options, [](const BuildProgress&) {});
}

// All of the feeds, compiled once a program; null where they are not there.
struct Compiled {
  BuildSummary summary;
  std::unique_ptr<Database> database;
};
const Compiled* compiled() {
  static const std::unique_ptr<Compiled> all = []() -> std::unique_ptr<Compiled> {
    if (!path_exists(kFeedsFolder)) return nullptr;
    Result<BuildSummary> summary = build(kFolder, 1);
    EXPECT_TRUE(summary.has_value()) << summary.error().text();
    Result<std::unique_ptr<Database>> database =
        open_database({.folder = kFolder, .trusted_keys = {}, .now = 0});
    return std::make_unique<Compiled>(*std::move(summary), *std::move(database));
  }();
  return all.get();
}

class RealFeedsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (compiled() == nullptr) GTEST_SKIP() << "no feeds at " << kFeedsFolder;
    summary_ = &compiled()->summary;
    database_ = compiled()->database.get();
  }

  uint64_t records_count(const std::string& shard) {
    return summary_->manifest.find(shard)->records_count;
  }

  // Calls visit(package, advisory) for all of one shard.
  template <typename Visit>
  void each_advisory(const std::string& shard, Visit visit) {
    const std::string path = kFolder + "/" + summary_->manifest.find(shard)->file_name();
    const MappedFile file = *MappedFile::open(path);
    const std::unique_ptr<AdvisoryShard> opened = *AdvisoryShard::open(file.bytes(), shard);
    const Status status = opened->each_package(
        [&](std::string_view package, const std::vector<Advisory>& advisories) -> Status {
          for (const Advisory& advisory : advisories) visit(package, advisory);
          return {};
        });
    ASSERT_TRUE(status.has_value()) << status.error().text();
  }

  const BuildSummary* summary_ = nullptr;
  const Database* database_ = nullptr;
};

// The figures of the feeds' README, less what docs/feeds.md says is left out.
TEST_F(RealFeedsTest, CountsAreTheFeeds) {
  EXPECT_EQ(records_count("crates.io"), 1206u);
  EXPECT_EQ(records_count("go"), 4291u);
  EXPECT_EQ(records_count("bitnami"), 7444u);
  EXPECT_EQ(records_count("maven"), 368u);
  EXPECT_EQ(records_count("pypi"), 2660u);  // 2,661, one of them without any version.
  EXPECT_EQ(summary_->feeds.at("epss").records, 313'089u);
  EXPECT_EQ(summary_->feeds.at("kev").records, 1501u);
  EXPECT_EQ(format_date(database_->epss_at()), "2026-01-30");
  size_t ubuntu_rows = 0;
  std::map<std::string, size_t> debian_rows;
  for (const std::string& shard : database_->shard_names()) {
    each_advisory(shard, [&](std::string_view, const Advisory& advisory) {
      if (shard.starts_with("ubuntu-")) ubuntu_rows += advisory.affected.size();
      if (advisory.source == "debian") debian_rows[shard] += advisory.affected.size();
    });
  }
  EXPECT_EQ(ubuntu_rows, 958'307u);
  EXPECT_EQ(debian_rows, (std::map<std::string, size_t>{
                             {"debian-11", 6287}, {"debian-12", 7847}, {"debian-13", 6048}}));
}

TEST_F(RealFeedsTest, AllOfItVerifies) {
  const DatabaseCheck check = *verify_database(kFolder, {});
  EXPECT_TRUE(check.is_whole());
  EXPECT_EQ(check.shards.size(), summary_->manifest.shards.size());
}

TEST_F(RealFeedsTest, FactsOfSeveralFeedsMeet) {
  const CveFacts facts = database_->facts("CVE-2014-0160").value().value();
  EXPECT_EQ(facts.epss, 0.94464);
  EXPECT_TRUE(facts.is_known_exploited);
  EXPECT_FALSE(database_->facts("CVE-2015-7547").value().value().is_known_exploited);
  EXPECT_EQ(database_->facts("CVE-2015-7547").value().value().epss, 0.93872);
}

Advisory bare(Advisory advisory) {
  advisory.affected.clear();
  return advisory;
}

// By package: what a feed told a sink, in the order of a shard.
std::map<std::string, std::vector<Advisory>> by_package(std::vector<Advisory> advisories) {
  std::ranges::stable_sort(advisories, [](const Advisory& a, const Advisory& b) {
    return std::tie(a.source, a.id) < std::tie(b.source, b.id);
  });
  std::map<std::string, std::vector<Advisory>> out;
  for (const Advisory& advisory : advisories) {
    if (advisory.is_withdrawn) continue;
    const Advisory head = bare(advisory);
    for (const Affected& affected : advisory.affected) {
      std::vector<Advisory>& records = out[affected.package];
      // The entries of one record stay together, also where a feed tells it twice.
      auto same = records.rbegin();
      while (same != records.rend() && same->id == head.id && bare(*same) != head) ++same;
      const bool is_new = same == records.rend() || same->id != head.id;
      Advisory& record = is_new ? records.emplace_back(head) : *same;
      record.affected.push_back(affected);
    }
  }
  return out;
}

class RealShardTest
    : public RealFeedsTest,
      public testing::WithParamInterface<std::tuple<const char*, const char*, const char*>> {};

TEST_P(RealShardTest, FindSaysWhatTheFeedSays) {
  const auto& [shard_name, feed, paths] = GetParam();
  RecordingSink sink;
  for (std::string_view rest = paths; !rest.empty();) {
    const size_t space = std::min(rest.find(' '), rest.size());
    FeedFile file;
    file.path = rest.substr(0, space);
    file.absolute_path = kFeedsFolder + "/" + file.path;
    ASSERT_TRUE(find_feed(feed)->parse(file, sink).has_value());
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  const std::map<std::string, std::vector<Advisory>> expected = by_package(sink.shards[shard_name]);
  ASSERT_GT(expected.size(), 100u);
  const Shard& shard = **database_->shard(shard_name);
  for (const auto& [package, advisories] : expected) {
    ASSERT_EQ(shard.find(package).value(), advisories) << package;
  }
  // And nothing beside.
  std::set<std::string> packages;
  each_advisory(shard_name, [&](std::string_view package, const Advisory& advisory) {
    if (!advisory.is_withdrawn) packages.emplace(package);
  });
  EXPECT_EQ(packages.size(), expected.size());
}

INSTANTIATE_TEST_SUITE_P(
    All, RealShardTest,
    testing::Values(std::tuple("alpine-3.17", "alpine",
                               "alpine/v3.17/community.json alpine/v3.17/main.json"),
                    std::tuple("wolfi", "wolfi", "wolfi/security.json"),
                    std::tuple("debian-12", "debian-tracker",
                               "debian/derived/tracker-shaped-resolved-2026-11-22.json.gz"),
                    std::tuple("pypi", "osv", "osv/PyPI/all.zip"),
                    std::tuple("crates.io", "osv", "osv/crates.io/all.zip"),
                    std::tuple("almalinux-8", "osv", "osv/AlmaLinux/all.zip")));

TEST_F(RealFeedsTest, TwoThreadsGiveTheSameBytes) {
  const std::string other = VIGIL_BINARY_DIR "/real-feeds-db-2";
  ASSERT_TRUE(build(other, 2).has_value());
  // The manifest carries the digest of each shard.
  EXPECT_EQ(read_file(kFolder + "/manifest.json", 1 << 20).value(),
            read_file(other + "/manifest.json", 1 << 20).value());
  std::filesystem::remove_all(other);
}

}  // namespace

}  // namespace vigil::advisory
