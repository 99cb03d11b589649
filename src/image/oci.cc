#include "image/oci.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "image/image_config.h"
#include "image/image_name.h"
#include "image/layered_image.h"

namespace vigil::image {

namespace {

struct Descriptor {
  std::string media_type;
  std::string digest;
  int64_t bytes = -1;
  Platform platform;
  bool has_platform = false;
  std::string reference;   // org.opencontainers.image.ref.name: a tag, or a whole name.
  std::string image_name;  // io.containerd.image.name.
  bool is_attestation = false;
};

bool is_index_type(std::string_view type) {
  return type == "application/vnd.oci.image.index.v1+json" ||
         type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool is_manifest_type(std::string_view type) {
  return type == "application/vnd.oci.image.manifest.v1+json" ||
         type == "application/vnd.docker.distribution.manifest.v2+json";
}

Descriptor read_descriptor(JsonView json) {
  Descriptor descriptor;
  descriptor.media_type = json["mediaType"].text();
  descriptor.digest = json["digest"].text();
  descriptor.bytes = json["size"].integer(-1);
  const JsonView platform = json["platform"];
  descriptor.has_platform = platform.is_object();
  descriptor.platform = {std::string(platform["os"].text()),
                         std::string(platform["architecture"].text()),
                         std::string(platform["variant"].text())};
  const JsonView annotations = json["annotations"];
  descriptor.reference = annotations["org.opencontainers.image.ref.name"].text();
  descriptor.image_name = annotations["io.containerd.image.name"].text();
  // BuildKit files provenance beside the images it is about.
  descriptor.is_attestation =
      annotations["vnd.docker.reference.type"].text() == "attestation-manifest" ||
      (descriptor.platform.os == "unknown" && descriptor.platform.architecture == "unknown");
  return descriptor;
}

// "sha256:" and 64 lower-case digits, so that a digest is a safe part of a path; others are
// refused.
Result<std::string> blob_name(std::string_view digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (digest.starts_with("sha512:")) {
    return fail(ErrorCode::kUnsupported, "blob " + std::string(digest) + ": only sha256 is read");
  }
  if (!digest.starts_with(kAlgorithm) || digest.size() != kAlgorithm.size() + 64 ||
      !std::ranges::all_of(digest.substr(kAlgorithm.size()), is_hex)) {
    return fail(ErrorCode::kMalformed,
                "\"" + std::string(digest.substr(0, 100)) + "\" is no sha256 digest");
  }
  return "blobs/sha256/" + std::string(digest.substr(kAlgorithm.size()));
}

class LayoutReader {
 public:
  LayoutReader(BlobStore& store, const ImageRef& ref) : store_(store), ref_(ref) {}

  Result<Descriptor> choose() {
    wanted_ = TRY(read_platform(ref_.platform));
    const std::string index =
        TRY(with_context(read_document("index.json", limits::kManifestBytesMax), "index.json"));
    TRY(with_context(collect(index, 1, !selects_by_digest() && ref_.selector.empty()),
                     "index.json"));
    return pick();
  }

  Result<std::string> read_checked(const Descriptor& descriptor, uint64_t bytes_max) {
    const std::string name = TRY(blob_name(descriptor.digest));
    return with_context(read_fitting(name, descriptor, bytes_max), "blob " + descriptor.digest);
  }

  Status check_size(const Blob& blob, const Descriptor& descriptor) const {
    if (descriptor.bytes >= 0 && blob.bytes == static_cast<uint64_t>(descriptor.bytes)) return {};
    return fail(ErrorCode::kMalformed, std::to_string(blob.bytes) + " bytes, but " +
                                           std::to_string(descriptor.bytes) + " are claimed");
  }

 private:
  Result<std::string> read_document(std::string_view name, uint64_t bytes_max) {
    const Blob blob = TRY(store_.open(name));
    return read_blob(blob, bytes_max);
  }

  Result<std::string> read_fitting(const std::string& name, const Descriptor& descriptor,
                                   uint64_t bytes_max) {
    const Blob blob = TRY(store_.open(name));
    TRY(check_size(blob, descriptor));
    std::string content = TRY(read_blob(blob, bytes_max));
    TRY(check_digest(content, descriptor.digest));
    return content;
  }

  bool selects_by_digest() const { return ref_.selector.starts_with("sha256:"); }

  bool is_selected(const Descriptor& descriptor) const {
    const std::string& selector = ref_.selector;
    if (selects_by_digest()) return descriptor.digest == selector;
    for (const std::string& name : {descriptor.reference, descriptor.image_name}) {
      if (!name.empty() && is_named(name, selector)) return true;
    }
    return false;
  }

  // All manifests that an index names, those of nested indexes too. `is_wanted`: what the selector
  // asks for lies above, so everything in here counts.
  Status collect(const std::string& text, uint64_t depth, bool is_wanted) {
    JsonDocument document;
    const JsonView root = TRY(document.parse(text));
    if (root["layers"].exists() || root["config"].exists()) {
      return fail(ErrorCode::kMalformed, "it is both an index and a manifest");
    }
    if (!root["manifests"].is_array()) {
      return fail(ErrorCode::kMalformed, "an index without manifests");
    }
    std::vector<Descriptor> nested;
    std::vector<bool> nested_wanted;
    for (const JsonView item : root["manifests"].items()) {
      if (++descriptors_count_ > limits::kIndexManifestsMax) {
        return fail(ErrorCode::kTooLarge, "more manifests than kIndexManifestsMax");
      }
      Descriptor descriptor = read_descriptor(item);
      const bool is_one = is_wanted || is_selected(descriptor);
      if (depth == 1) note_name(descriptor);
      if (is_index_type(descriptor.media_type)) {
        nested.push_back(std::move(descriptor));
        nested_wanted.push_back(is_one);
      } else if (is_one && !descriptor.is_attestation) {
        add_candidate(std::move(descriptor));
      }
    }
    for (size_t i = 0; i < nested.size(); ++i) {
      if (!nested_wanted[i] && !selects_by_digest()) continue;
      TRY(with_context(collect_nested(nested[i], depth + 1, nested_wanted[i]),
                       "blob " + nested[i].digest));
    }
    return {};
  }

  Status collect_nested(const Descriptor& descriptor, uint64_t depth, bool is_wanted) {
    if (depth > limits::kIndexDepthMax) {
      return fail(ErrorCode::kTooLarge, "indexes nested deeper than kIndexDepthMax");
    }
    // An index that two others name is read once for each way of wanting it.
    if (!visited_.emplace(descriptor.digest, is_wanted).second) return {};
    const std::string name = TRY(blob_name(descriptor.digest));
    const std::string text = TRY(read_fitting(name, descriptor, limits::kManifestBytesMax));
    return collect(text, depth, is_wanted);
  }

  void add_candidate(Descriptor descriptor) {
    const bool is_known = std::ranges::any_of(
        candidates_, [&](const Descriptor& known) { return known.digest == descriptor.digest; });
    if (!is_known) candidates_.push_back(std::move(descriptor));
  }

  void note_name(const Descriptor& descriptor) {
    const std::string& name =
        descriptor.reference.empty() ? descriptor.image_name : descriptor.reference;
    if (!name.empty()) names_.insert(name);
  }

  Result<Descriptor> pick() {
    if (candidates_.empty()) return nothing_found();
    // Those that fit best; one that does not say what it is for counts only where none does.
    std::vector<Descriptor> fitting;
    int best = 0;
    for (const Descriptor& candidate : candidates_) {
      const int fit = candidate.has_platform ? fitness(candidate.platform, wanted_) : 0;
      if (fit < best || (candidate.has_platform && fit == 0)) continue;
      if (fit > best) fitting.clear();
      best = fit;
      fitting.push_back(candidate);
    }
    // The only one is it, whatever this machine is; but what was asked for counts.
    const bool is_only = candidates_.size() == 1 && ref_.platform.empty();
    if (is_only) return candidates_[0];
    if (fitting.size() == 1) return fitting[0];
    const std::string trouble =
        fitting.empty() ? "none of its images is for " : "more than one of its images may be for ";
    return fail(fitting.empty() ? ErrorCode::kNotFound : ErrorCode::kMalformed,
                trouble + to_string(wanted_) + "; there are: " + listed() +
                    "; choose with --platform, a tag or a digest");
  }

  std::unexpected<Error> nothing_found() const {
    if (ref_.selector.empty()) {
      return fail(ErrorCode::kNotFound, "there is no image in this layout");
    }
    std::string names;
    for (const std::string& name : names_) {
      if (names.size() > 1000) break;
      if (!names.empty()) names += ", ";
      names += name;
    }
    return fail(ErrorCode::kNotFound, "there is no image " + ref_.selector + "; there are: " +
                                          (names.empty() ? std::string("none with a tag") : names));
  }

  std::string listed() const {
    std::string text;
    constexpr size_t kListedMax = 30;
    for (size_t i = 0; i < candidates_.size() && i < kListedMax; ++i) {
      const Descriptor& one = candidates_[i];
      if (i > 0) text += ", ";
      text += one.has_platform ? to_string(one.platform) : std::string("unknown platform");
      if (!one.reference.empty()) text += " " + one.reference;
      text += " " + one.digest.substr(0, 19);
    }
    if (candidates_.size() > kListedMax) text += ", …";
    return text;
  }

  BlobStore& store_;
  const ImageRef& ref_;
  Platform wanted_;
  uint64_t descriptors_count_ = 0;
  std::set<std::pair<std::string, bool>> visited_;
  std::vector<Descriptor> candidates_;
  std::set<std::string> names_;
};

// Layers whose publisher forbids passing them on lie elsewhere; their addresses are never asked.
bool is_foreign_type(std::string_view type) {
  return type.find("foreign") != std::string_view::npos ||
         type.find("nondistributable") != std::string_view::npos;
}

bool is_layer_type(std::string_view type) {
  constexpr std::string_view kOci = "application/vnd.oci.image.layer.";
  constexpr std::string_view kDocker = "application/vnd.docker.image.rootfs.";
  const bool is_known = type.starts_with(kOci) || type.starts_with(kDocker);
  return is_known && type.find("encrypted") == std::string_view::npos;
}

Status add_layers(JsonView manifest, const LayoutReader& reader, LayeredImageSource& source) {
  for (const JsonView item : manifest["layers"].items()) {
    if (source.layers.size() == limits::kLayersMax) {
      return fail(ErrorCode::kTooLarge, "more layers than kLayersMax");
    }
    const Descriptor descriptor = read_descriptor(item);
    LayerSource layer = {TRY(blob_name(descriptor.digest)), descriptor.digest, descriptor.digest,
                         false};
    Layer seen;
    seen.digest = descriptor.digest;
    seen.bytes = static_cast<uint64_t>(std::max<int64_t>(descriptor.bytes, 0));
    const Result<Blob> blob = source.store.open(layer.blob_name);
    if (!is_layer_type(descriptor.media_type)) {
      layer.is_absent = true;
      source.gaps.push_back({GapKind::kUnsupported, descriptor.digest,
                             "a layer of type " + descriptor.media_type + " is not read", ""});
    } else if (!blob && is_foreign_type(descriptor.media_type)) {
      layer.is_absent = true;
      source.gaps.push_back({GapKind::kUnsupported, descriptor.digest,
                             "a foreign layer that is not in the image is not fetched", ""});
    } else {
      const std::string where = "blob " + descriptor.digest;
      if (!blob) return with_context(Status(std::unexpected(blob.error())), where);
      TRY(with_context(reader.check_size(*blob, descriptor), where));
    }
    source.layers.push_back(std::move(seen));
    source.sources.push_back(std::move(layer));
  }
  return {};
}

Status check_manifest(JsonView manifest, const Descriptor& chosen) {
  if (manifest["manifests"].exists()) {
    return fail(ErrorCode::kMalformed, "it is both a manifest and an index");
  }
  if (manifest["schemaVersion"].integer() == 1 || manifest["fsLayers"].exists()) {
    return fail(ErrorCode::kUnsupported, "Docker's manifest schema 1 is not read");
  }
  const std::string_view type = manifest["mediaType"].text();
  if (!type.empty() && !chosen.media_type.empty() && type != chosen.media_type) {
    return fail(ErrorCode::kMalformed,
                "it calls itself " + std::string(type) + ", its index " + chosen.media_type);
  }
  if (!chosen.media_type.empty() && !is_manifest_type(chosen.media_type)) {
    return fail(ErrorCode::kUnsupported, "a manifest of type " + chosen.media_type);
  }
  if (!manifest["config"].is_object() || !manifest["layers"].is_array()) {
    return fail(ErrorCode::kMalformed, "a manifest without a configuration or layers");
  }
  const std::string_view config_type = manifest["config"]["mediaType"].text();
  if (config_type != "application/vnd.oci.image.config.v1+json" &&
      config_type != "application/vnd.docker.container.image.v1+json") {
    return fail(ErrorCode::kUnsupported,
                "it is no container image but an artifact of type " + std::string(config_type));
  }
  return {};
}

}  // namespace

Status check_digest(std::string_view content, std::string_view digest) {
  const std::string found = sha256(as_bytes(content)).text();
  if (found == digest) return {};
  return fail(ErrorCode::kMalformed,
              "it has digest " + found + ", but " + std::string(digest) + " is claimed");
}

bool has_oci_layout(BlobStore& store) {
  return has_blob(store, "oci-layout") && has_blob(store, "index.json");
}

Result<std::unique_ptr<Image>> open_oci_layout(BlobStore& store, TargetKind kind,
                                               const ImageRef& ref, const OpenOptions& options) {
  LayoutReader reader(store, ref);
  const Descriptor chosen = TRY(reader.choose());
  const std::string text = TRY(reader.read_checked(chosen, limits::kManifestBytesMax));
  const std::string where = "blob " + chosen.digest;
  JsonDocument document;
  const JsonView manifest = TRY(with_context(document.parse(text), where));
  TRY(with_context(check_manifest(manifest, chosen), where));
  const Descriptor config_descriptor = read_descriptor(manifest["config"]);
  const std::string config_text =
      TRY(reader.read_checked(config_descriptor, limits::kImageConfigBytesMax));
  const ImageConfig config =
      TRY(with_context(read_image_config(config_text), "blob " + config_descriptor.digest));
  TRY(check_platform(config, ref.platform));

  LayeredImageSource source = {{}, {}, {}, {}, store};
  source.target.kind = kind;
  source.target.name = ref.path;
  if (!ref.selector.empty()) {
    source.target.name += (ref.selector.starts_with("sha256:") ? "@" : ":") + ref.selector;
  }
  source.target.image_id = config_descriptor.digest;
  source.target.manifest_digest = chosen.digest;
  for (const std::string& name : {chosen.image_name, chosen.reference}) {
    if (!name.empty() && source.target.tags.empty()) source.target.tags.push_back(name);
  }
  TRY(with_context(add_layers(manifest, reader, source), where));
  apply_image_config(config, source.target, source.layers, source.gaps);
  return read_layers(std::move(source), options);
}

}  // namespace vigil::image
