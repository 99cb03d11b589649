// Images written layer by layer into a temporary folder, right or wrong as asked. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "decode/fake_tar.h"
#include "image/image.h"

namespace vigil::image {

// A folder that goes away with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "vigil_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string write(std::string_view name, std::string_view content) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    EXPECT_TRUE(write_atomically(path.string(), content));
    return path.string();
  }

 private:
  std::string path_;
};

// The documents of an image with these layers, as they are stored.
struct FakeImage {
  std::vector<std::string> layers;    // Blobs.
  std::vector<std::string> diff_ids;  // Of the tars inside; made from the blobs where empty.
  std::string layer_type = "application/vnd.oci.image.layer.v1.tar";
  std::string architecture = "amd64";

  static std::string digest_of(std::string_view blob) { return sha256(as_bytes(blob)).text(); }

  std::string config() const {
    JsonWriter json(JsonWriter::Style::kCompact);
    json.begin_object().member("os", "linux").member("architecture", architecture);
    json.member("created", "2024-01-01T00:00:00Z");
    json.key("rootfs").begin_object().member("type", "layers").key("diff_ids").begin_array();
    for (size_t i = 0; i < layers.size(); ++i) {
      json.value(diff_ids.empty() ? digest_of(layers[i]) : diff_ids[i]);
    }
    json.end_array().end_object().key("history").begin_array();
    for (size_t i = 0; i < layers.size(); ++i) {
      json.begin_object().member("created_by", "step " + std::to_string(i)).end_object();
      json.begin_object().member("created_by", "ENV").member("empty_layer", true).end_object();
    }
    json.end_array().end_object();
    return json.take();
  }

  static void descriptor(JsonWriter& json, std::string_view type, std::string_view blob) {
    json.member("mediaType", type).member("digest", digest_of(blob));
    json.member("size", static_cast<uint64_t>(blob.size()));
  }

  std::string manifest() const {
    JsonWriter json(JsonWriter::Style::kCompact);
    json.begin_object().member("schemaVersion", 2);
    json.member("mediaType", "application/vnd.oci.image.manifest.v1+json");
    json.key("config").begin_object();
    descriptor(json, "application/vnd.oci.image.config.v1+json", config());
    json.end_object().key("layers").begin_array();
    for (const std::string& layer : layers) {
      json.begin_object();
      descriptor(json, layer_type, layer);
      json.end_object();
    }
    json.end_array().end_object();
    return json.take();
  }

  std::string index() const {
    JsonWriter json(JsonWriter::Style::kCompact);
    json.begin_object().member("schemaVersion", 2).key("manifests").begin_array().begin_object();
    descriptor(json, "application/vnd.oci.image.manifest.v1+json", manifest());
    json.key("annotations").begin_object();
    json.member("org.opencontainers.image.ref.name", "latest").end_object();
    json.end_object().end_array().end_object();
    return json.take();
  }

  // Name and content of every file of its OCI layout.
  std::vector<std::pair<std::string, std::string>> layout() const {
    std::vector<std::pair<std::string, std::string>> files = {
        {"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"}, {"index.json", index()}};
    const auto add = [&](const std::string& blob) { files.emplace_back(blob_path(blob), blob); };
    add(manifest());
    add(config());
    for (const std::string& layer : layers) add(layer);
    return files;
  }
  static std::string blob_path(std::string_view blob) {
    return "blobs/sha256/" + sha256(as_bytes(blob)).hex();
  }

  std::string oci_archive() const {
    decode::FakeTar tar;
    for (const auto& [name, content] : layout()) tar.long_name(name).file("x", content);
    return tar.finished();
  }
  std::string docker_archive() const {
    decode::FakeTar tar;
    JsonWriter json(JsonWriter::Style::kCompact);
    const std::string config_name = sha256(as_bytes(config())).hex() + ".json";
    json.begin_array().begin_object().member("Config", config_name);
    json.key("RepoTags").begin_array().value("app:1").end_array().key("Layers").begin_array();
    for (size_t i = 0; i < layers.size(); ++i) {
      const std::string name = std::to_string(i) + "/layer.tar";
      json.value(name);
      tar.file(name, layers[i]);
    }
    json.end_array().end_object().end_array();
    tar.file(config_name, config()).file("manifest.json", json.text());
    return tar.finished();
  }
  std::string write_layout(const TemporaryFolder& folder) const {
    for (const auto& [name, content] : layout()) folder.write(name, content);
    return folder.path();
  }
};

// An opened image with what it borrows.
struct OpenedImage {
  std::unique_ptr<FileAccess> files;
  Result<std::unique_ptr<Image>> image = fail(ErrorCode::kNotFound, "not opened");

  const Image* operator->() const { return image->get(); }
  std::string error() const { return image ? "" : image.error().text(); }
};

inline OpenedImage open_image(const std::string& path, std::span<const Claim> claims,
                              OpenOptions options = {}, ImageRef ref = {}) {
  OpenedImage opened;
  Result<std::unique_ptr<FileAccess>> files = open_local_files(path);
  if (!files) {
    opened.image = std::unexpected(files.error());
    return opened;
  }
  opened.files = *std::move(files);
  options.claims = claims;
  ref.path = path;
  for (const ImageSource* source : all_sources()) {
    if (!source->recognises(*opened.files)) continue;
    opened.image = source->open(*opened.files, ref, options);
    return opened;
  }
  opened.image = fail(ErrorCode::kUnsupported, "no source recognises it");
  return opened;
}

}  // namespace vigil::image
