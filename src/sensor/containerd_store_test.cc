#include "sensor/containerd_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"

namespace vigil::sensor {
namespace {

constexpr const char* kConfig =
    "sha256:aa7d04e91a9beba7e89e51ace85b7d26e150f2864f3ce4539cfcc3ab89d79881";
const std::string kManifest =
    "cfa7393b2cdbb3c8aa28af3417d408db942022fda0156f8e8ee278961ba19504";  // In meta.db.
const std::string kManifestText = std::string(R"({"config":{"digest":")") + kConfig + R"("}})";

class ContainerdStore : public ::testing::Test {
 protected:
  void SetUp() override {
    char place[] = "/tmp/vigil_containerd_XXXXXX";
    folder_ = ::mkdtemp(place);
    std::filesystem::create_directories(folder_ + "/io.containerd.metadata.v1.bolt");
    std::filesystem::create_directories(blob(""));
    std::filesystem::copy_file(
        std::string(VIGIL_SOURCE_DIR) + "/src/decode/testdata/bolt_fuzz/meta.db", database());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string database() const { return folder_ + "/io.containerd.metadata.v1.bolt/meta.db"; }
  std::string blob(const std::string& name) const {
    return folder_ + "/io.containerd.content.v1.content/blobs/sha256/" + name;
  }

  std::string folder_;
};

TEST_F(ContainerdStore, NameAndImageInAnyNamespace) {
  ASSERT_TRUE(write_atomically(blob(kManifest), kManifestText));
  EXPECT_EQ(
      read_containerd_store(folder_, "one").value(),
      (RuntimeFacts{.name = "fine", .image = "localhost/vigil-small:1", .image_digest = kConfig}));
  std::string pod_id;
  for (int i = 0; i < 32; ++i) pod_id += "ab";
  EXPECT_EQ(
      read_containerd_store(folder_, pod_id).value(),
      (RuntimeFacts{
          .name = "prod/shop-7/web", .image = "localhost/vigil-small:1", .image_digest = kConfig}));
}

TEST_F(ContainerdStore, AnIndexOfManifestsOfWhichOneWasFetched) {
  const std::string absent(64, '1');
  const std::string present(64, '2');
  ASSERT_TRUE(write_atomically(blob(kManifest), R"({"manifests":[{"digest":"sha256:)" + absent +
                                                    R"("},{"digest":"sha256:)" + present +
                                                    R"("}]})"));
  ASSERT_TRUE(write_atomically(blob(present), kManifestText));
  EXPECT_EQ(read_containerd_store(folder_, "one")->image_digest, kConfig);
}

TEST_F(ContainerdStore, WhatIsMissing) {
  EXPECT_EQ(read_containerd_store(folder_, "one")->image, "localhost/vigil-small:1");
  EXPECT_EQ(read_containerd_store(folder_, "one")->image_digest, "");
  EXPECT_EQ(read_containerd_store(folder_, "two").error().code, ErrorCode::kNotFound);
  std::filesystem::resize_file(database(), 100);
  EXPECT_EQ(read_containerd_store(folder_, "one").error().code, ErrorCode::kMalformed);
  std::filesystem::remove(database());
  EXPECT_FALSE(read_containerd_store(folder_, "one"));
}

}  // namespace
}  // namespace vigil::sensor
