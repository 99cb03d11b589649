// The database is meta.db (containerd's metadata/buckets.go):
//   v1/NAMESPACE/containers/ID        "image", and the bucket "labels"
//   v1/NAMESPACE/images/NAME/target   "digest": of a manifest, or of an index of some
// Manifests are files named by their digest.
#include "sensor/containerd_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"
#include "base/limits.h"
#include "decode/bolt.h"

namespace vigil::sensor {

namespace {

std::string value_of(const decode::BoltEntries& entries, std::string_view key) {
  const auto at = std::ranges::find(entries, key, &decode::BoltEntry::key);
  return at == entries.end() || at->value.size() > limits::kNameBytesMax ? "" : at->value;
}

Result<std::string> read_at(const Fd& file, uint64_t offset, uint64_t bytes_count) {
  if (offset > INT64_MAX) return fail(ErrorCode::kMalformed, "the database is cut short");
  std::string bytes(bytes_count, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(ErrorCode::kMalformed, "the database is cut short");
    done += static_cast<size_t>(count);
  }
  return bytes;
}

// Of the image's configuration; "" where it isn't told. Of an index, the first manifest that was
// fetched counts: it is that of this machine.
std::string config_digest(const std::string& folder, const std::string& digest) {
  const std::string blobs = folder + "/io.containerd.content.v1.content/blobs/sha256/";
  const auto read = [&](std::string_view name) {
    const bool is_digest = name.starts_with("sha256:") && name.find('/') == std::string_view::npos;
    const Result<std::string> text =
        is_digest ? read_file(blobs + std::string(name.substr(7)), limits::kRuntimeFileBytesMax)
                  : std::string();
    return parse_image_manifest(text ? *text : "").value_or(ImageManifest());
  };
  const ImageManifest manifest = read(digest);
  if (!manifest.config_digest.empty()) return manifest.config_digest;
  for (const std::string& one : manifest.manifests) {
    const std::string found = read(one).config_digest;
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

Result<RuntimeFacts> read_containerd_store(const std::string& folder, std::string_view id) {
  const Fd file = TRY(open_regular(folder + "/io.containerd.metadata.v1.bolt/meta.db"));
  const auto read = [&](uint64_t offset, uint64_t count) { return read_at(file, offset, count); };
  const auto entries = [&](std::vector<std::string_view> names) {
    return decode::read_bolt_bucket(read, names);
  };
  for (const decode::BoltEntry& space : TRY(entries({"v1"}))) {
    const auto container = entries({"v1", space.key, "containers", id});
    if (!container && container.error().code == ErrorCode::kNotFound) continue;
    const std::string image = value_of(TRY(container), "image");
    RuntimeFacts facts = facts_of_labels(
        entries({"v1", space.key, "containers", id, "labels"}).value_or(decode::BoltEntries()));
    if (facts.image.empty()) facts.image = image;
    const auto target = entries({"v1", space.key, "images", image, "target"});
    if (target) facts.image_digest = config_digest(folder, value_of(*target, "digest"));
    return facts;
  }
  return fail(ErrorCode::kNotFound, "containerd knows no such container");
}

}  // namespace vigil::sensor
