#include "advisory/install.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "advisory/traced_child.h"
#include "base/digest.h"
#include "net/fake_server.h"

namespace vigil::advisory {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

PrivateKey key_of(std::string_view seed) {
  const Sha256Digest digest = sha256(as_bytes(seed));
  return {std::string(as_text(digest.bytes)), ""};
}

// A database as a publisher has it: names of shards, their bytes and their counts of records.
struct Published {
  struct Content {
    std::string bytes;
    uint64_t records_count = 100;
  };
  uint64_t serial = 1;
  UnixSeconds expires_at = 0;
  std::map<std::string, Content> shards;

  Manifest manifest() const {
    Manifest out;
    out.serial = serial;
    out.built_at = 1769800000;
    out.expires_at = expires_at;
    out.tool_version = "0.1.0";
    for (const auto& [name, content] : shards) {
      out.shards.push_back({.name = name,
                            .digest = sha256(as_bytes(content.bytes)).text(),
                            .bytes = content.bytes.size(),
                            .records_count = content.records_count,
                            .sources = {{"kev", {}, 1769700000}}});
    }
    return out;
  }
  // By file name, as an origin serves it.
  std::map<std::string, std::string> files(const PrivateKey* key) const {
    std::map<std::string, std::string> out;
    out["manifest.json"] = encode_manifest(manifest(), key);
    for (const ManifestShard& shard : manifest().shards) {
      out[shard.file_name()] = shards.at(shard.name).bytes;
    }
    return out;
  }
  void write(const std::string& folder, const PrivateKey* key) const {
    EXPECT_TRUE(make_folders(folder + "/shards"));
    for (const auto& [name, bytes] : files(key)) {
      EXPECT_TRUE(write_atomically(folder + "/" + name, bytes));
    }
  }
};

Published first_database() {
  return {.serial = 10,
          .shards = {{"alpine-3.17", {std::string(70000, 'a')}}, {"facts", {"facts, old"}}}};
}

Published second_database() {
  return {.serial = 11,
          .shards = {{"alpine-3.17", {std::string(70000, 'a')}},
                     {"debian-12", {std::string(300000, 'd')}},
                     {"facts", {"facts, new"}}}};
}

// The manifest's serial where every shard is whole; else what is wrong.
std::string state_of(const std::string& folder) {
  const Result<SignedManifest> read = read_manifest(folder, {});
  if (!read) return read.error().text();
  for (const ManifestShard& shard : read->manifest.shards) {
    const Result<std::string> bytes = read_file(folder + "/" + shard.file_name(), 1 << 20);
    if (!bytes) return bytes.error().text();
    if (sha256(as_bytes(*bytes)).text() != shard.digest) return shard.name + " is damaged";
  }
  return std::to_string(read->manifest.serial);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

class InstallTest : public testing::Test {
 protected:
  InstallTest()
      : root_(testing::TempDir() + "/vigil-install-" + std::to_string(getpid())),
        folder_(root_ + "/db"),
        from_(root_ + "/from") {
    fs::remove_all(root_);
    EXPECT_TRUE(make_folders(root_));
  }
  ~InstallTest() override { fs::remove_all(root_); }

  Result<InstallSummary> install(const std::string& from, InstallOptions options = {}) {
    options.folder = folder_;
    options.now = 1769900000;
    const Result<std::unique_ptr<DatabaseOrigin>> origin = open_origin(from);
    if (!origin) return std::unexpected(origin.error());
    return install_database(options, **origin,
                            [&](const InstallProgress& now) { told_.push_back(now); });
  }
  std::string error_of(const std::string& from, const InstallOptions& options = {}) {
    const Result<InstallSummary> installed = install(from, options);
    return installed ? "no error" : installed.error().text();
  }

  std::string root_;
  std::string folder_;
  std::string from_;
  std::vector<InstallProgress> told_;  // Whose texts are gone.
};

TEST_F(InstallTest, OnlyWhatIsMissingIsFetchedAndWhatNobodyNamesGoes) {
  first_database().write(from_, nullptr);
  const auto first = install(from_);
  ASSERT_TRUE(first.has_value()) << first.error().text();
  EXPECT_EQ(first->serial_before, 0u);
  EXPECT_EQ(first->shards_fetched_count, 2u);
  ASSERT_FALSE(told_.empty());
  EXPECT_EQ(told_.front().bytes_done, 0u);
  EXPECT_EQ(told_.front().shards_total, 2u);
  EXPECT_EQ(told_.back().shards_done, 1u);  // The second came whole.
  EXPECT_EQ(told_.back().bytes_done, first->bytes_fetched);
  EXPECT_EQ(told_.back().bytes_total, first->bytes_fetched);
  EXPECT_EQ(first->warnings,
            std::vector<std::string>{"the database is not signed; every result will say so"});
  EXPECT_EQ(state_of(folder_), "10");

  EXPECT_TRUE(write_atomically(folder_ + "/shards/.partial-x", "left by an interrupted update"));
  second_database().write(from_, nullptr);
  const auto second = install(from_);
  ASSERT_TRUE(second.has_value()) << second.error().text();
  EXPECT_EQ(second->installed.manifest, second_database().manifest());
  EXPECT_EQ(second->serial_before, 10u);
  EXPECT_TRUE(second->is_changed);
  EXPECT_EQ(second->shards_fetched_count, 2u);
  EXPECT_EQ(second->bytes_fetched, 300010u);
  // The shards of the database before stay for who has it open.
  std::vector<std::string> expected;
  for (const Published& published : {first_database(), second_database()}) {
    for (const ManifestShard& shard : published.manifest().shards) {
      expected.push_back(fs::path(shard.file_name()).filename().string());
    }
  }
  std::ranges::sort(expected);
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  EXPECT_EQ(names_in(folder_ + "/shards"), expected);

  const auto again = install(from_);
  ASSERT_TRUE(again.has_value()) << again.error().text();
  EXPECT_FALSE(again->is_changed);
  EXPECT_EQ(again->shards_fetched_count, 0u);
}

TEST_F(InstallTest, SignaturesAreAskedForWhereAnybodyMayAnswer) {
  const PrivateKey key = key_of("publisher");
  const std::vector<PublicKey> right = {key.public_key()};
  const std::vector<PublicKey> wrong = {key_of("other").public_key()};
  std::map<std::string, std::string> files = first_database().files(&key);
  const auto serve = [&](const net::FakeRequest& request) {
    const auto found = files.find(request.path.substr(std::string("/db/").size()));
    if (found == files.end()) return net::answer("404 Not Found", "", "");
    return net::answer("200 OK", "", found->second);
  };
  const std::string unsigned_text = encode_manifest(first_database().manifest(), nullptr);
  {
    const net::FakeServer server(serve);
    EXPECT_EQ(error_of(server.url("/db")),
              server.url("/db") +
                  ": there is no trusted key: name the publisher's with --key FILE "
                  "or put it into /etc/vigil/keys. Nothing was changed");
    EXPECT_EQ(error_of(server.url("/db"), {.trusted_keys = wrong}),
              server.url("/db") +
                  ": the database is signed by no key that is trusted. Nothing was changed");
    EXPECT_EQ(state_of(folder_), folder_ + "/manifest.json: No such file or directory");
    const auto installed = install(server.url("/db/"), {.trusted_keys = right});
    ASSERT_TRUE(installed.has_value()) << installed.error().text();
    EXPECT_EQ(installed->installed.signer, key.public_key().id());
    EXPECT_EQ(installed->warnings, std::vector<std::string>());
    EXPECT_EQ(error_of(server.url("/elsewhere"), {.trusted_keys = right}),
              server.url("/elsewhere") + ": " + server.url("/elsewhere/manifest.json") +
                  ": the server answered 404");
  }
  files["manifest.json"] = unsigned_text;
  const net::FakeServer server(serve);
  EXPECT_EQ(error_of(server.url("/db"), {.trusted_keys = right}),
            server.url("/db") + ": the database is not signed. Nothing was changed");
  // A local folder may be unsigned, unless a signature is asked for.
  first_database().write(from_, nullptr);
  EXPECT_EQ(error_of(from_, {.trusted_keys = right, .needs_signature = true}),
            from_ + ": the database is not signed. Nothing was changed");
  EXPECT_EQ(error_of(from_, {.trusted_keys = right}), "no error");
}

TEST_F(InstallTest, OlderAndConflictingDatabasesAreRefused) {
  second_database().write(from_, nullptr);
  ASSERT_EQ(error_of(from_), "no error");
  const std::string older = root_ + "/older";
  first_database().write(older, nullptr);
  EXPECT_EQ(error_of(older, {.accepts_shrink = true}),
            "the offered database has serial 10, older than serial 11, which is installed; "
            "--allow-rollback takes it all the same. Nothing was changed");
  Published conflicting = second_database();
  conflicting.shards["facts"].bytes = "facts, other";
  const std::string other = root_ + "/other";
  conflicting.write(other, nullptr);
  EXPECT_THAT(error_of(other), HasSubstr("serial 11 like the installed one and another content"));
  EXPECT_EQ(state_of(folder_), "11");
  EXPECT_EQ(error_of(other, {.allows_rollback = true}), "no error");
  EXPECT_EQ(error_of(older, {.allows_rollback = true, .accepts_shrink = true}), "no error");
  EXPECT_EQ(state_of(folder_), "10");
}

TEST_F(InstallTest, ShrinkingShardsAreRefused) {
  Published published = second_database();
  published.write(from_, nullptr);
  ASSERT_EQ(error_of(from_), "no error");
  const auto offer = [&](uint64_t debian_count) {
    published.serial += 1;
    published.shards["debian-12"].records_count = debian_count;
    published.write(from_, nullptr);
  };
  offer(79);
  EXPECT_EQ(error_of(from_),
            "shards lost more than a fifth of their records: debian-12 from 100 to 79; "
            "--accept-shrink takes it all the same. Nothing was changed");
  EXPECT_EQ(state_of(folder_), "11");
  offer(80);
  EXPECT_EQ(error_of(from_), "no error");
  published.shards.erase("debian-12");
  published.serial += 1;
  published.write(from_, nullptr);
  EXPECT_THAT(error_of(from_), HasSubstr("debian-12 from 80 to 0"));
  EXPECT_EQ(error_of(from_, {.accepts_shrink = true}), "no error");
}

TEST_F(InstallTest, AnExpiredDatabaseIsTakenWithAWarning) {
  Published published = first_database();
  published.expires_at = 1769800001;
  published.write(from_, nullptr);
  const auto installed = install(from_);
  ASSERT_TRUE(installed.has_value()) << installed.error().text();
  EXPECT_EQ(installed->warnings.back(),
            "the database expired on 2026-01-30: its publisher may have stopped, or the address "
            "serves old data");
}

TEST_F(InstallTest, DamagedShardsAreNamedAndNotInstalled) {
  first_database().write(from_, nullptr);
  ASSERT_EQ(error_of(from_), "no error");
  second_database().write(from_, nullptr);
  const std::string path =
      from_ + "/" + second_database().manifest().find("debian-12")->file_name();
  std::string bytes = second_database().shards["debian-12"].bytes;
  const auto error_with = [&](const std::string& content) {
    EXPECT_TRUE(write_atomically(path, content));
    return error_of(from_);
  };
  bytes[1234] = 'e';
  EXPECT_EQ(error_with(bytes), from_ +
                                   ": shard debian-12: it is damaged: its digest is not the one "
                                   "that the manifest states");
  EXPECT_EQ(error_with(bytes.substr(1)),
            from_ + ": shard debian-12: it was cut short: 299999 of 300000 bytes came");
  EXPECT_EQ(error_with(bytes + "x"),
            from_ + ": shard debian-12: " + path + ": more than the 300000 bytes that are taken");
  fs::remove(path);
  EXPECT_EQ(error_of(from_), from_ + ": shard debian-12: " + path + ": No such file or directory");
  EXPECT_EQ(state_of(folder_), "10");
}

TEST_F(InstallTest, DamageOfTheInstalledDatabaseIsRepaired) {
  first_database().write(from_, nullptr);
  ASSERT_EQ(error_of(from_), "no error");
  const std::string path = folder_ + "/" + first_database().manifest().find("facts")->file_name();
  EXPECT_TRUE(write_atomically(path, "facts, OLD"));
  const auto repaired = install(from_);
  ASSERT_TRUE(repaired.has_value()) << repaired.error().text();
  EXPECT_EQ(repaired->warnings.back(), "the shard facts was damaged and is replaced");
  EXPECT_EQ(state_of(folder_), "10");
  EXPECT_TRUE(write_atomically(folder_ + "/manifest.json", "{"));
  const auto replaced = install(from_);
  ASSERT_TRUE(replaced.has_value()) << replaced.error().text();
  EXPECT_THAT(replaced->warnings.back(), HasSubstr("manifest.json is replaced: "));
  EXPECT_EQ(state_of(folder_), "10");
}

TEST_F(InstallTest, AnInterruptedDownloadGoesOn) {
  const PrivateKey key = key_of("publisher");
  const std::map<std::string, std::string> files = second_database().files(&key);
  const net::FakeServer server([&](const net::FakeRequest& request) {
    const std::string& content = files.at(request.path.substr(1));
    const std::string range = request.header("Range");
    if (range == "bytes=1000-") {
      return net::answer("206 Partial Content", "Content-Range: bytes 1000-299999/300000\r\n",
                         content.substr(1000));
    }
    return net::answer("200 OK", "", range.empty() ? content : "");
  });
  const std::string name = second_database().manifest().find("debian-12")->file_name();
  const std::string partial = folder_ + "/shards/.partial-" + name.substr(name.find('/') + 1);
  for (const std::string& beginning :
       {std::string(1000, 'd'), std::string(1000, 'x'), std::string(400000, 'x')}) {
    fs::remove_all(folder_);
    EXPECT_TRUE(make_folders(folder_ + "/shards"));
    EXPECT_TRUE(write_atomically(partial, beginning));
    EXPECT_EQ(error_of(server.url(""), {.trusted_keys = {key.public_key()}}), "no error");
    EXPECT_EQ(state_of(folder_), "11") << beginning.size();
  }
}

TEST_F(InstallTest, OneAtATime) {
  first_database().write(from_, nullptr);
  EXPECT_TRUE(make_folders(folder_));
  {
    const Result<Fd> held = lock_database(folder_);
    ASSERT_TRUE(held.has_value()) << held.error().text();
    EXPECT_EQ(error_of(from_), folder_ +
                                   ": another vigil is changing this database; try again "
                                   "when it is done");
  }
  EXPECT_EQ(error_of(from_), "no error");
}

TEST_F(InstallTest, AnExportFileIsTheDatabase) {
  const PrivateKey key = key_of("publisher");
  second_database().write(from_, &key);
  const std::string file = root_ + "/vigil-db.tar.zst";
  ASSERT_TRUE(export_database(from_, file));
  const std::string once = read_file(file, 1 << 20).value();
  ASSERT_TRUE(export_database(from_, file));
  EXPECT_EQ(read_file(file, 1 << 20).value(), once);

  const auto installed =
      install(file, {.trusted_keys = {key.public_key()}, .needs_signature = true});
  ASSERT_TRUE(installed.has_value()) << installed.error().text();
  EXPECT_EQ(installed->shards_fetched_count, 3u);
  EXPECT_EQ(state_of(folder_), "11");

  fs::remove_all(folder_);
  ASSERT_TRUE(write_atomically(file, once.substr(0, once.size() - 20)));
  EXPECT_THAT(error_of(file), HasSubstr("vigil-db.tar.zst: "));
  EXPECT_THAT(state_of(folder_), HasSubstr("No such file"));
  ASSERT_TRUE(write_atomically(file, "no archive"));
  EXPECT_THAT(error_of(file), HasSubstr(file + ": "));
  EXPECT_EQ(error_of("ftp://host/db"), "ftp://host/db: only http and https addresses are read");
  EXPECT_EQ(error_of(root_ + "/absent"), root_ + "/absent: No such file or directory");

  ASSERT_TRUE(
      write_atomically(from_ + "/" + second_database().manifest().shards[0].file_name(), ""));
  const Status damaged = export_database(from_, root_ + "/damaged");
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().text(), HasSubstr("does not have the digest"));
  EXPECT_EQ(names_in(root_), (std::vector<std::string>{"db", "from", "vigil-db.tar.zst"}));
}

// Each system call of an update fails once, or the process dies at it. Dying when memory runs out
// lies between two calls, so that it leaves what dying at the second one leaves.
TEST_F(InstallTest, WhateverInterruptsAnUpdateOneOfTheDatabasesIsWhole) {
  if (!can_trace()) GTEST_SKIP() << "this system does not let a process trace its child";
  const std::string old = root_ + "/old";
  first_database().write(old, nullptr);
  second_database().write(from_, nullptr);
  for (const Fault fault : {Fault::kFails, Fault::kDies}) {
    std::map<std::string, int> states;
    for (size_t call = 0;; ++call) {
      ASSERT_LT(call, 5000u);
      fs::remove_all(folder_);
      fs::copy(old, folder_, fs::copy_options::recursive);
      const TracedRun run =
          run_traced([&] { return install(from_).has_value(); }, {.fault = fault, .call = call});
      const std::string state = state_of(folder_);
      ASSERT_TRUE(state == "10" || state == "11") << state << " after call " << call;
      if (!run.is_reached) {
        EXPECT_TRUE(run.is_success);
        EXPECT_EQ(state, "11");
        break;
      }
      EXPECT_TRUE(!run.is_success || state == "11") << "after call " << call;
      ++states[state];
      // Nothing stands in the way of the next try.
      ASSERT_EQ(error_of(from_), "no error") << "after call " << call;
      ASSERT_EQ(state_of(folder_), "11") << "after call " << call;
    }
    EXPECT_GT(states["10"], 20);
    EXPECT_GT(states["11"], 0);
  }
}

}  // namespace
}  // namespace vigil::advisory
