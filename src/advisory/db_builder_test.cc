#include "advisory/db_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "advisory/database.h"
#include "advisory/verify.h"
#include "base/file.h"

namespace vigil::advisory {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

constexpr UnixSeconds kNow = 1'800'000'000;

// A secdb of Alpine in which `count` CVEs are fixed in one package.
std::string secdb(int count) {
  std::string out = R"({"distroversion": "v3.17", "reponame": "main", "packages": [{"pkg": {
      "name": "openssl", "secfixes": {"1.1-r0": [)";
  for (int i = 0; i < count; ++i) {
    out += (i == 0 ? "\"CVE-2023-" : ", \"CVE-2023-") + std::to_string(1000 + i) + "\"";
  }
  return out + "]}}}]}";
}

constexpr std::string_view kEol =
    "version,codename,series,created,release,eol,eol-lts\n"
    "12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-06-10,2028-06-30\n";

class BuildTest : public testing::Test {
 protected:
  BuildTest() {
    feed("alpine/v3.17/main.json", secdb(10));
    feed("eol/debian.csv", kEol);
  }
  ~BuildTest() override { fs::remove_all(root_); }

  void feed(const std::string& path, std::string_view text) {
    const std::string whole = root_ + "/feeds/" + path;
    ASSERT_TRUE(make_folders(fs::path(whole).parent_path().string()).has_value());
    ASSERT_TRUE(write_atomically(whole, text).has_value());
  }
  Result<BuildSummary> build(bool accept_shrink = false, size_t threads_count = 1,
                             const std::string& out = "db") {
    BuildOptions options;
    options.feeds_folder = root_ + "/feeds";
    options.out_folder = root_ + "/" + out;
    options.built_at = kNow;
    options.accept_shrink = accept_shrink;
    options.threads_count = threads_count;
    return build_database(options, [](const BuildProgress&) {});
  }
  std::string error_of_build() {
    const Result<BuildSummary> built = build();
    return built ? "" : built.error().text();
  }
  Result<std::unique_ptr<Database>> open(std::vector<std::string> keys = {},
                                         UnixSeconds at = kNow) {
    return open_database({.folder = root_ + "/db", .trusted_keys = std::move(keys), .now = at});
  }
  // How many records the database has of openssl in alpine-3.17.
  size_t openssl_count() {
    const std::unique_ptr<Database> database = *open();
    return (*database->shard("alpine-3.17"))->find("openssl").value().size();
  }
  std::map<std::string, std::string> files(const std::string& out = "db") {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root_ + "/" + out)) {
      if (!entry.is_regular_file() || entry.path().filename() == ".lock") continue;
      all[entry.path().lexically_relative(root_ + "/" + out).string()] =
          *read_file(entry.path().string(), 1 << 20);
    }
    return all;
  }
  std::string shard_path(const std::string& name) {
    for (const auto& [path, bytes] : files()) {
      if (path.starts_with("shards/" + name)) return root_ + "/db/" + path;
    }
    return "";
  }

  std::string root_ = testing::TempDir() + "/vigil-build-" + std::to_string(getpid()) + "-" +
                      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(BuildTest, WhatFeedsSayIsFound) {
  ASSERT_TRUE(build().has_value());
  const std::unique_ptr<Database> database = *open();
  EXPECT_THAT(database->shard_names(), ElementsAre("alpine-3.17"));
  EXPECT_EQ(openssl_count(), 10u);
  EXPECT_EQ(*database->shard("alpine-3.16"), nullptr);
  EXPECT_EQ(*database->shard("releases"), nullptr);
  const ReleaseLife life = database->release_life("debian", "12").value().value();
  EXPECT_EQ(format_date(life.end_of_life_at), "2026-06-10");
  EXPECT_EQ(*database->release_life("debian", "99"), std::nullopt);
  EXPECT_EQ(*database->facts("CVE-2023-1000"), std::nullopt);
}

TEST_F(BuildTest, CoverageJsonOverridesTheFeed) {
  feed("coverage.json", R"({"feeds": [{"path": "alpine/*/{main,community}.{json,yaml}",
      "coverage": "subset: only some", "as_of": {"v3.3-v3.11": "2020-01-01",
      "v3.12-v3.17": "2023-02-26", "edge": "2024-01-01"}}]})");
  const BuildSummary summary = *build();
  EXPECT_THAT(summary.manifest.find("alpine-3.17")->sources,
              ElementsAre(ShardSource{"alpine",
                                      {.is_fixed_only = false, .is_subset = true},
                                      parse_time_or_zero("2023-02-26")}));
}

TEST_F(BuildTest, SameBytesWithOneAndTwoThreads) {
  ASSERT_TRUE(build(false, 1, "one").has_value());
  ASSERT_TRUE(build(false, 2, "two").has_value());
  EXPECT_EQ(files("one"), files("two"));
  EXPECT_EQ(files("one").size(), 3u);
}

TEST_F(BuildTest, SerialsGrow) {
  EXPECT_EQ(build()->manifest.serial, static_cast<uint64_t>(kNow));
  EXPECT_EQ(build()->manifest.serial, static_cast<uint64_t>(kNow) + 1);
}

TEST_F(BuildTest, AnUnreadableFileIsNamedAndNothingChanges) {
  ASSERT_TRUE(build().has_value());
  const auto before = files();
  feed("alpine/v3.17/main.json", "{");
  EXPECT_THAT(error_of_build(), HasSubstr("alpine/v3.17/main.json"));
  EXPECT_EQ(files(), before);
}

TEST_F(BuildTest, AnEmptyFeedIsRefusedByName) {
  feed("alpine/v3.17/main.json", secdb(0));
  EXPECT_THAT(error_of_build(), AllOf(HasSubstr("the feed alpine"), HasSubstr("alpine/v3.17"),
                                      HasSubstr("--accept-shrink")));
  EXPECT_FALSE(path_exists(root_ + "/db"));
  EXPECT_TRUE(build(true).has_value());
}

TEST_F(BuildTest, MoreThanAFifthLessIsRefusedByName) {
  ASSERT_TRUE(build().has_value());
  const auto before = files();
  feed("alpine/v3.17/main.json", secdb(7));
  EXPECT_THAT(error_of_build(), HasSubstr("alpine in alpine-3.17 shrank from 10 to 7 records"));
  EXPECT_EQ(files(), before);
  EXPECT_TRUE(build(true).has_value());
  EXPECT_EQ(openssl_count(), 7u);
}

TEST_F(BuildTest, AFifthLessIsNoShrinking) {
  ASSERT_TRUE(build().has_value());
  feed("alpine/v3.17/main.json", secdb(8));
  EXPECT_EQ(error_of_build(), "");
}

TEST_F(BuildTest, AShardThatVanishesIsRefusedByName) {
  ASSERT_TRUE(build().has_value());
  fs::remove_all(root_ + "/feeds/alpine");
  EXPECT_THAT(error_of_build(), HasSubstr("alpine in alpine-3.17 shrank from 10 to 0 records"));
}

TEST_F(BuildTest, AFolderWithoutFeedsIsRefused) {
  fs::remove_all(root_ + "/feeds");
  ASSERT_TRUE(make_folders(root_ + "/feeds").has_value());
  EXPECT_THAT(error_of_build(), HasSubstr("no file of any feed"));
}

TEST_F(BuildTest, TheShardsBeforeTheLastBuildStayForTheirReaders) {
  ASSERT_TRUE(build().has_value());
  const std::unique_ptr<Database> reader = *open();
  feed("alpine/v3.17/main.json", secdb(11));
  ASSERT_TRUE(build().has_value());
  EXPECT_EQ((*reader->shard("alpine-3.17"))->find("openssl")->size(), 10u);
  EXPECT_EQ(files().size(), 4u);
  feed("alpine/v3.17/main.json", secdb(12));
  ASSERT_TRUE(build().has_value());
  EXPECT_EQ(files().size(), 4u);
}

// Every write past a size fails, at each size in turn: in a shard, in the manifest.
TEST_F(BuildTest, ABuildThatFailsAnywhereLeavesTheOldDatabase) {
  ASSERT_TRUE(build().has_value());
  const auto before = files();
  feed("alpine/v3.17/main.json", secdb(12));
  signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  size_t failures_count = 0;
  for (rlim_t bytes_max = 0;; bytes_max += 7) {
    const rlimit limited = {bytes_max, unlimited.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
    const Result<BuildSummary> built = build();
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    if (built) break;
    ++failures_count;
    auto now = files();
    // A whole new shard may be there already; nothing names it.
    std::erase_if(now, [&](const auto& file) { return !before.contains(file.first); });
    ASSERT_EQ(now, before) << bytes_max;
    ASSERT_EQ(openssl_count(), 10u) << bytes_max;
  }
  EXPECT_GT(failures_count, 10u);
  EXPECT_EQ(openssl_count(), 12u);
}

// --- Opening ----------------------------------------------------------------------------------

TEST_F(BuildTest, NoticesSayWhatAUserMustKnow) {
  ASSERT_TRUE(build().has_value());
  EXPECT_EQ((*open())->use().notice, "the database is not signed");
  const PrivateKey key = *PrivateKey::generate("test");
  BuildOptions options;
  options.feeds_folder = root_ + "/feeds";
  options.out_folder = root_ + "/db";
  options.built_at = kNow;
  options.expires_at = kNow + 86'400;
  options.key = &key;
  ASSERT_TRUE(build_database(options, [](const BuildProgress&) {}).has_value());
  EXPECT_THAT((*open())->use().notice, HasSubstr("signed by a key that is not trusted"));
  const std::string trusted = key.public_key().text();
  const DatabaseUse use = (*open({trusted}))->use();
  EXPECT_EQ(use.notice, "");
  EXPECT_TRUE(use.is_signed);
  EXPECT_EQ(use.signer, key.public_key().id());
  EXPECT_EQ(use.serial, static_cast<uint64_t>(kNow) + 1);
  EXPECT_EQ(use.built, format_time(kNow));
  EXPECT_THAT((*open({trusted}, kNow + 86'400))->use().notice, HasSubstr("expired on"));
}

TEST_F(BuildTest, UseListsTheShardsThatWereLookedInto) {
  ASSERT_TRUE(build().has_value());
  const std::unique_ptr<Database> database = *open();
  EXPECT_THAT(database->use().shards, IsEmpty());
  ASSERT_TRUE(database->shard("alpine-3.17").has_value());
  ASSERT_EQ(database->use().shards.size(), 1u);
  EXPECT_EQ(database->use().shards[0].name, "alpine-3.17");
  EXPECT_EQ(database->use().shards[0].coverage, "fixed-only");
}

TEST_F(BuildTest, ADamagedShardIsNamedAndOthersServe) {
  ASSERT_TRUE(build().has_value());
  const std::string path = shard_path("alpine-3.17");
  std::string bytes = *read_file(path, 1 << 20);
  bytes[bytes.size() - 10] = static_cast<char>(bytes[bytes.size() - 10] ^ 1);
  ASSERT_TRUE(write_atomically(path, bytes).has_value());
  const std::unique_ptr<Database> database = *open();
  // The shard is one block, so that opening it meets the damage.
  const auto shard = database->shard("alpine-3.17");
  ASSERT_FALSE(shard.has_value());
  EXPECT_THAT(shard.error().text(), HasSubstr("shard alpine-3.17: block 0 is damaged"));
  EXPECT_TRUE(database->release_life("debian", "12")->has_value());
  const DatabaseCheck check = *verify_database(root_ + "/db", {});
  EXPECT_FALSE(check.is_whole());
  EXPECT_THAT(check.shards[0].status.error().text(), HasSubstr("alpine-3.17"));
  EXPECT_TRUE(check.shards[1].status.has_value());
}

TEST_F(BuildTest, AShardOfAnotherSizeOrMissingIsSeenAtOpening) {
  ASSERT_TRUE(build().has_value());
  const std::string path = shard_path("alpine-3.17");
  ASSERT_EQ(truncate(path.c_str(), 100), 0);
  std::unique_ptr<Database> database = *open();
  EXPECT_THAT(database->use().notice, HasSubstr("the shard alpine-3.17 has 100 bytes"));
  EXPECT_THAT(database->shard("alpine-3.17").error().text(), HasSubstr("alpine-3.17"));
  ASSERT_EQ(unlink(path.c_str()), 0);
  database = *open();
  EXPECT_THAT(database->use().notice, HasSubstr("the shard alpine-3.17 is missing"));
  EXPECT_THAT(database->shard("alpine-3.17").error().text(), HasSubstr("alpine-3.17"));
  EXPECT_TRUE(database->release_life("debian", "12")->has_value());
}

TEST_F(BuildTest, AFolderWithoutADatabaseSaysWhatToDo) {
  const auto database = open();
  ASSERT_FALSE(database.has_value());
  EXPECT_EQ(database.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(database.error().text(), HasSubstr("vigil db update"));
}

TEST_F(BuildTest, AWholeDatabaseVerifies) {
  ASSERT_TRUE(build().has_value());
  EXPECT_TRUE(verify_database(root_ + "/db", {})->is_whole());
}

TEST(Starter, OpensAndVerifies) {
  const std::unique_ptr<Database> database = *open_database({});
  EXPECT_TRUE(database->use().is_starter);
  EXPECT_EQ(database->use().path, "embedded starter");
  EXPECT_THAT(database->use().notice,
              AllOf(HasSubstr("the starter is of 2024-"), HasSubstr("almalinux, bitnami"),
                    HasSubstr("a part of debian"), HasSubstr("'vigil db build'")));
  EXPECT_EQ((*database->shard("crates.io"))->find("smallvec")->empty(), false);
  EXPECT_EQ(database->facts("CVE-2014-0160")->value().epss, 0.94464);
  EXPECT_TRUE(verify_database("", {})->is_whole());
}

}  // namespace

}  // namespace vigil::advisory
