#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "catalog/cataloger.h"

namespace vigil::catalog {

extern const Cataloger rpm_cataloger;

namespace {

std::string read_testdata(const std::string& name) {
  std::ifstream in(std::string(VIGIL_SOURCE_DIR) + "/src/decode/testdata/" + name,
                   std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Files by path, and links of folders by prefix.
class FakeFs : public image::ImageFs {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> folder_links;  // "var/lib/rpm/" to "usr/lib/sysimage/rpm/".

  Result<std::string> read(std::string_view path, uint64_t bytes_max) const override {
    const auto file = files.find(real_path(path));
    if (file == files.end()) return fail(ErrorCode::kNotFound, "no such file");
    if (file->second.size() > bytes_max) return fail(ErrorCode::kTooLarge, "too large");
    return file->second;
  }
  std::vector<std::string> list(std::string_view) const override { return {}; }
  std::string real_path(std::string_view path) const override {
    for (const auto& [from, to] : folder_links) {
      if (path.starts_with(from)) return to + std::string(path.substr(from.size()));
    }
    return std::string(path);
  }
  std::vector<std::string> hard_links(std::string_view) const override { return {}; }
};

Result<CatalogOutput> run(const FakeFs& fs, const std::string& path) {
  const std::string content = fs.read(path, UINT64_MAX).value_or("");
  return rpm_cataloger.catalog({.path = path, .content = content, .fs = fs, .files_wanted = true});
}

std::vector<std::string> names(const Result<CatalogOutput>& output) {
  std::vector<std::string> out;
  if (!output) return {output.error().text()};
  for (const Package& package : output->packages) out.push_back(package.name);
  return out;
}

TEST(RpmCataloger, RefusesWhatIsNoDatabase) {
  FakeFs fs;
  fs.files["var/lib/rpm/Packages"] = "not a database";
  EXPECT_FALSE(run(fs, "var/lib/rpm/Packages"));
}

TEST(RpmCataloger, DamageIsAGapAndTheRestIsRead) {
  FakeFs fs;
  std::string& database = fs.files["var/lib/rpm/Packages.db"];
  database = read_testdata("rpmdb_ndb_fuzz/two_packages");
  database[4096 + 100] ^= 1;
  const auto output = run(fs, "var/lib/rpm/Packages.db");
  EXPECT_EQ(names(output), std::vector<std::string>{"two"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->gaps,
            (std::vector<Gap>{{GapKind::kMalformed, "var/lib/rpm/Packages.db",
                               "package number 1: a blob whose checksum does not fit", ""}}));
}

TEST(RpmCataloger, ALogLeftBehindIsAGap) {
  FakeFs fs;
  fs.files["var/lib/rpm/rpmdb.sqlite"] = read_testdata("rpmdb_sqlite_fuzz/wal_mode");
  fs.files["var/lib/rpm/rpmdb.sqlite-wal"] = "";
  auto output = run(fs, "var/lib/rpm/rpmdb.sqlite");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->gaps, std::vector<Gap>{});
  fs.files["var/lib/rpm/rpmdb.sqlite-wal"] = std::string(5000, 'x');
  output = run(fs, "var/lib/rpm/rpmdb.sqlite");
  ASSERT_TRUE(output);
  ASSERT_EQ(output->gaps.size(), 1u);
  EXPECT_EQ(output->gaps[0].kind, GapKind::kUnsupported);
}

TEST(RpmCataloger, ReadsPackagesAndTheirFiles) {
  Package one;
  one.kind = PackageKind::kRpm;
  one.name = "one";
  one.version = "2:1.0-1.el8";
  one.arch = "x86_64";
  one.source = {"one-src", "2:1.0-1.el8"};
  one.maintainer = "Vendor";
  one.licence = "MIT";
  one.module = "mod:1:2:3";
  one.origin = "Packager";
  one.installed_at = 1700000000;
  one.install_order = 0;
  one.location.path = "var/lib/rpm/Packages";
  Package two = one;
  two.name = "two";
  two.version = "2.0-1";
  two.source = {"two-src", "2.0-1"};
  two.install_order = 1;
  FakeFs fs;
  fs.files["var/lib/rpm/Packages"] = read_testdata("rpmdb_bdb_fuzz/big_hash");
  const auto output = run(fs, "var/lib/rpm/Packages");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->packages, (std::vector<Package>{one, two}));
  EXPECT_EQ(output->files, (std::vector<OwnedFile>{
                               {0, "usr/bin/one", "sha256:" + std::string(64, 'a'), {}},
                               {0, "var/log/one.log", "", {}},
                               {0, "usr/bin/one-link", "", {}},
                               {0, "usr/share/doc/README", "sha256:" + std::string(64, 'd'), {}}}));
  EXPECT_EQ(output->gaps, std::vector<Gap>{});
}

TEST(RpmCataloger, LeavesOutSigningKeys) {
  FakeFs fs;
  fs.files["var/lib/rpm/Packages.db"] = read_testdata("rpmdb_ndb_fuzz/public_key");
  EXPECT_EQ(names(run(fs, "var/lib/rpm/Packages.db")), std::vector<std::string>{"two"});
}

TEST(RpmCataloger, PrefersTheLatestFormatOfAFolder) {
  FakeFs fs;
  fs.files["var/lib/rpm/Packages"] = read_testdata("rpmdb_bdb_fuzz/little_btree");
  fs.files["var/lib/rpm/rpmdb.sqlite"] = read_testdata("rpmdb_sqlite_fuzz/two_packages");
  fs.files["var/lib/rpm/Packages.db"] = "";
  EXPECT_EQ(names(run(fs, "var/lib/rpm/Packages")), std::vector<std::string>{});
  EXPECT_EQ(names(run(fs, "var/lib/rpm/Packages.db")), std::vector<std::string>{});
  EXPECT_EQ(names(run(fs, "var/lib/rpm/rpmdb.sqlite")), (std::vector<std::string>{"one", "two"}));
  // A broken or empty newer one does not hide the older.
  fs.files["var/lib/rpm/rpmdb.sqlite"] = "SQLite format 3";
  EXPECT_EQ(names(run(fs, "var/lib/rpm/Packages")), std::vector<std::string>{"one"});
}

TEST(RpmCataloger, ALinkedFolderIsReadOnce) {
  FakeFs fs;
  fs.files["usr/lib/sysimage/rpm/rpmdb.sqlite"] = read_testdata("rpmdb_sqlite_fuzz/two_packages");
  fs.folder_links["var/lib/rpm/"] = "usr/lib/sysimage/rpm/";
  EXPECT_EQ(names(run(fs, "usr/lib/sysimage/rpm/rpmdb.sqlite")),
            (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(names(run(fs, "var/lib/rpm/rpmdb.sqlite")), std::vector<std::string>{});
  // A link to a place where nobody else looks is followed.
  fs.files["opt/rpm/rpmdb.sqlite"] = fs.files["usr/lib/sysimage/rpm/rpmdb.sqlite"];
  fs.folder_links["var/lib/rpm/"] = "opt/rpm/";
  EXPECT_EQ(names(run(fs, "var/lib/rpm/rpmdb.sqlite")), (std::vector<std::string>{"one", "two"}));
}

TEST(RpmCataloger, ReadsARealDatabaseWhole) {
  const std::string packed =
      std::string(VIGIL_SOURCE_DIR) + "/../shared/images/rpmdb/cbl-mariner-2.0-rpmdb.sqlite.xz";
  if (!std::filesystem::exists(packed))
    GTEST_SKIP() << "the real rpm database is not there: " << packed;
  FILE* pipe = popen(("xz -dc '" + packed + "'").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  FakeFs fs;
  std::string& content = fs.files["var/lib/rpm/rpmdb.sqlite"];
  char buffer[65536];
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) content.append(buffer, count);
  ASSERT_EQ(pclose(pipe), 0);
  const auto output = run(fs, "var/lib/rpm/rpmdb.sqlite");
  ASSERT_TRUE(output) << output.error().text();
  EXPECT_EQ(output->gaps, std::vector<Gap>{});
  EXPECT_EQ(output->packages.size(), 129u);
  EXPECT_EQ(output->files.size(), 6298u);
  std::set<int32_t> orders;
  for (const Package& package : output->packages) orders.insert(package.install_order);
  EXPECT_EQ(orders.size(), 129u);
  EXPECT_EQ(*orders.rbegin(), 128);
}

}  // namespace
}  // namespace vigil::catalog
