// What `docker save` writes: a tar with manifest.json, a configuration and a tar for each layer.
// The manifest claims nothing about a layer's bytes; only the configuration's diff ids do, and they
// are checked where OpenOptions::verify_diff_ids asks for it.
#include <algorithm>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/blob_store.h"
#include "image/claim_table.h"
#include "image/image.h"
#include "image/image_config.h"
#include "image/image_name.h"
#include "image/layered_image.h"

namespace vigil::image {

namespace {

constexpr std::string_view kManifest = "manifest.json";

bool recognises(FileAccess& files) {
  const Result<std::unique_ptr<BlobStore>> store = open_tar_store(files);
  return store && (has_blob(**store, kManifest) || has_blob(**store, "repositories"));
}

// One of the images in the archive: the only one, or the one with the tag that was asked for.
Result<JsonView> choose(JsonView manifest, const std::string& selector) {
  if (!manifest.is_array()) return fail(ErrorCode::kMalformed, "it is no list of images");
  const std::vector<JsonView> images = manifest.items();
  if (images.empty()) return fail(ErrorCode::kNotFound, "there is no image in this archive");
  std::vector<JsonView> found;
  std::string names;
  for (const JsonView image : images) {
    bool is_selected = selector.empty();
    image["RepoTags"].each([&](JsonView tag) {
      const std::string_view name = tag.text();
      is_selected |= is_named(name, selector);
      if (names.size() < 1000) names += (names.empty() ? "" : ", ") + std::string(name);
    });
    if (is_selected) found.push_back(image);
  }
  if (found.size() == 1) return found[0];
  return fail(found.empty() ? ErrorCode::kNotFound : ErrorCode::kMalformed,
              (found.empty() ? "there is no image " + selector
                             : std::string("there is more than one image")) +
                  "; there are: " + (names.empty() ? std::string("none with a tag") : names));
}

// The configuration's digest; its file is named by it, and a name that does not fit is an Error.
Result<std::string> image_id_of(std::string_view config, std::string_view file_name) {
  std::string_view name = name_of(file_name);
  if (name.ends_with(".json")) name.remove_suffix(5);
  const Sha256Digest digest = sha256(as_bytes(config));
  const bool is_hex = name.size() == 64 && from_hex(name).has_value();
  if (is_hex && name != digest.hex()) {
    return fail(ErrorCode::kMalformed, "it has digest " + digest.text() +
                                           ", but sha256:" + std::string(name) + " is claimed");
  }
  return digest.text();
}

Status add_layers(JsonView image, LayeredImageSource& source) {
  for (const JsonView item : image["Layers"].items()) {
    if (source.layers.size() == limits::kLayersMax) {
      return fail(ErrorCode::kTooLarge, "more layers than kLayersMax");
    }
    const std::string name(item.text());
    const Blob blob = TRY(with_context(source.store.open(name), "layer " + name));
    Layer layer;
    layer.bytes = blob.bytes;
    source.layers.push_back(std::move(layer));
    source.sources.push_back({name, name, "", false});
  }
  return {};
}

Result<std::unique_ptr<Image>> open(FileAccess& files, const ImageRef& ref,
                                    const OpenOptions& options) {
  const std::unique_ptr<BlobStore> store = TRY(open_tar_store(files));
  if (!has_blob(*store, kManifest)) {
    if (has_blob(*store, "repositories")) {
      return fail(ErrorCode::kUnsupported,
                  "it was written by a Docker older than 1.10; load and save it with a newer one");
    }
    return fail(ErrorCode::kNotFound, "it is no docker archive: manifest.json is missing");
  }
  const Blob manifest_blob = TRY(store->open(kManifest));
  const std::string text =
      TRY(with_context(read_blob(manifest_blob, limits::kManifestBytesMax), kManifest));
  JsonDocument document;
  const JsonView manifest = TRY(with_context(document.parse(text), kManifest));
  const JsonView image = TRY(with_context(choose(manifest, ref.selector), kManifest));

  const std::string config_name(image["Config"].text());
  const std::string where = "configuration " + config_name;
  const Blob config_blob = TRY(with_context(store->open(config_name), where));
  const std::string config_text =
      TRY(with_context(read_blob(config_blob, limits::kImageConfigBytesMax), where));
  const ImageConfig config = TRY(with_context(read_image_config(config_text), where));
  TRY(check_platform(config, ref.platform));

  LayeredImageSource source = {{}, {}, {}, {}, *store};
  source.target.kind = TargetKind::kDockerArchive;
  source.target.name = ref.path;
  source.target.image_id = TRY(with_context(image_id_of(config_text, config_name), where));
  image["RepoTags"].each([&](JsonView tag) { source.target.tags.emplace_back(tag.text()); });
  TRY(with_context(add_layers(image, source), kManifest));
  apply_image_config(config, source.target, source.layers, source.gaps);
  return read_layers(std::move(source), options);
}

}  // namespace

extern const ImageSource docker_archive_source;
constexpr ImageSource docker_archive_source = {"docker-archive", TargetKind::kDockerArchive,
                                               recognises, open};

}  // namespace vigil::image
