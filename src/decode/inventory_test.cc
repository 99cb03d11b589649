#include "decode/inventory.h"

#include <gtest/gtest.h>

namespace vigil::decode {
namespace {

Sbom sample_sbom() {
  Sbom sbom;
  sbom.target = {.kind = TargetKind::kOciArchive,
                 .name = "app.tar",
                 .image_id = "sha256:1",
                 .manifest_digest = "sha256:2",
                 .tags = {"app:1", "app:latest"},
                 .os = "linux",
                 .architecture = "amd64",
                 .variant = "",
                 .created = "2024-01-01T00:00:00Z"};
  sbom.distro = {.id = "debian",
                 .version = "12",
                 .codename = "bookworm",
                 .pretty_name = "Debian GNU/Linux 12",
                 .id_like = {"x"},
                 .support_ends_at = 1700000000};
  sbom.layers = {{.digest = "sha256:3",
                  .diff_id = "sha256:4",
                  .created_by = "RUN x",
                  .bytes = uint64_t{1} << 40,
                  .is_verified = true},
                 {}};
  Package package;
  package.kind = PackageKind::kDeb;
  package.name = "bash";
  package.version = "5.2-2";
  package.source = {"bash", "5.2-2"};
  package.location = {"var/lib/dpkg/status", 1};
  package.install_order = 7;
  package.installed_at = 1700000000;
  sbom.packages = {package, {}};
  sbom.gaps = {{GapKind::kLimit, "x", "too long", "kFieldBytesMax"}};
  return sbom;
}

std::vector<OwnedFile> sample_files() {
  return {{0, "bin/bash", "md5:aa", {"usr/bin/bash"}},
          {1, "bin/sh", "", {}},
          {1, "usr/bin/bash", "md5:bb", {}}};
}

std::string encode_sbom(const Sbom& sbom) {
  std::string bytes;
  append_sbom(bytes, sbom);
  return bytes;
}

std::string encode_ownership(const std::vector<OwnedFile>& files) {
  std::string bytes;
  append_ownership(bytes, files);
  return bytes;
}

TEST(InventoryTest, RefusesOtherBytes) {
  EXPECT_EQ(decode_sbom({}).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(decode_sbom(as_bytes("vgl-sbm2 not an inventory")).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(OwnershipView::open(as_bytes("vgl-own1"), 2).error().code, ErrorCode::kMalformed);
}

TEST(InventoryTest, RefusesEveryTruncation) {
  const std::string whole = encode_sbom(sample_sbom());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_sbom(as_bytes(whole.substr(0, size)))) << size;
  }
  const std::string files = encode_ownership(sample_files());
  for (size_t size = 0; size < files.size(); ++size) {
    EXPECT_FALSE(OwnershipView::open(as_bytes(files.substr(0, size)), 2)) << size;
  }
}

TEST(InventoryTest, RefusesAPackageInALayerThatIsNotThere) {
  Sbom sbom = sample_sbom();
  sbom.packages[0].location.layer = 2;
  EXPECT_EQ(decode_sbom(as_bytes(encode_sbom(sbom))).error().message,
            "package in a layer that is not there");
}

TEST(InventoryTest, RefusesAFileOfAPackageThatIsNotThere) {
  EXPECT_EQ(OwnershipView::open(as_bytes(encode_ownership(sample_files())), 1).error().message,
            "ownership names a package that is not there");
}

TEST(InventoryTest, SbomReadsBackAsWritten) {
  const Result<Sbom> read = decode_sbom(as_bytes(encode_sbom(sample_sbom())));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, sample_sbom());
}

TEST(InventoryTest, OwnershipFindsPathsAndAliases) {
  const std::string bytes = encode_ownership(sample_files());
  const Result<OwnershipView> view = OwnershipView::open(as_bytes(bytes), 2);
  ASSERT_TRUE(view) << view.error().text();
  EXPECT_EQ(view->size(), 3u);
  EXPECT_EQ(view->find("bin/sh"), std::vector<size_t>{1});
  EXPECT_EQ(view->find("usr/bin/bash"), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(view->find("bin/nothing"), std::vector<size_t>{});
  EXPECT_EQ(*view->file(0), sample_files()[0]);
}

}  // namespace
}  // namespace vigil::decode
