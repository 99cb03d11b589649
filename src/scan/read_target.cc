#include "scan/read_target.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/limits.h"
#include "decode/inflate.h"
#include "image/blob_store.h"
#include "image/image.h"
#include "report/sbom_reader.h"

namespace vigil::scan {

namespace {

using catalog::Inventory;
using Links = image::FileAccess::Links;

// The source for the target; null where it is a document.
const image::ImageSource* source_of(image::FileAccess& files, const TypedTarget& target) {
  if (target.kind) return image::find_source(*target.kind);
  if (target.place != TargetPlace::kPath) return nullptr;
  for (const image::ImageSource* source : image::all_sources()) {
    if (source->recognises(files)) return source;
  }
  return nullptr;
}

uint64_t since_us(std::chrono::steady_clock::time_point start) {
  const auto spent = std::chrono::steady_clock::now() - start;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
}

Result<Inventory> read_image(const image::ImageSource& source, image::FileAccess& files,
                             const ReadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const TypedTarget& target = options.target;
  if (source.kind == TargetKind::kDirectory && !target.selector.empty()) {
    return fail(ErrorCode::kMalformed, target.path + " is a root filesystem, and none has a tag");
  }
  if (source.kind == TargetKind::kDirectory && !options.platform.empty()) {
    return fail(
        ErrorCode::kMalformed,
        target.path + " is a root filesystem, which has one platform: leave --platform out");
  }
  const image::ImageRef ref = {source.kind, target.path, target.selector, options.platform};
  std::unique_ptr<image::Image> opened =
      TRY(source.open(files, ref,
                      {.claims = catalog::all_claims(),
                       .threads_count = options.threads_count,
                       .verify_diff_ids = options.verify_diff_ids,
                       .work = options.work}));
  if (options.work != nullptr) set_count(options.work->unpack_us, since_us(start));
  Inventory inventory = catalog::catalog_image(
      std::move(opened), {.threads_count = options.threads_count, .work = options.work});
  if (options.work != nullptr) set_count(options.work->catalog_us, since_us(start));
  return inventory;
}

// Why a file is nothing that can be scanned, told by its first bytes.
std::unexpected<Error> not_recognised(image::FileAccess& files, TargetPlace place,
                                      std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kMalformed, "it is empty");
  const decode::Compression compression = decode::compression_of(as_bytes(text.substr(0, 16)));
  if (compression != decode::Compression::kNone) {
    return fail(ErrorCode::kUnsupported,
                "it is compressed with " + std::string(to_string(compression)) +
                    ": decompress it first if it is an image, or unpack it if it is a root "
                    "filesystem and type dir:FOLDER");
  }
  constexpr size_t kTarMagicOffset = 257;
  if (text.size() > kTarMagicOffset && text.substr(kTarMagicOffset).starts_with("ustar")) {
    if (place == TargetPlace::kStandardInput) {
      return fail(ErrorCode::kUnsupported,
                  "an image archive is not read from standard input; write it to a file, as docker "
                  "save -o app.tar IMAGE does");
    }
    // Where it is cut short, what tells may be what is missing.
    const auto store = image::open_tar_store(files);
    if (!store) return std::unexpected(store.error());
    return fail(ErrorCode::kUnsupported,
                "it is a tar without manifest.json or index.json, so no image; unpack it if it is "
                "a root filesystem and type dir:FOLDER");
  }
  return fail(ErrorCode::kUnsupported,
              "it is no image archive (docker save, OCI), no SBOM (CycloneDX, SPDX or Syft JSON) "
              "and no list of purls; a prefix forces a kind: docker-archive:, oci-archive:, "
              "oci-dir:, dir:, sbom:, purl:");
}

Result<Sbom> read_recognised(image::FileAccess& files, TargetPlace place, std::string_view text) {
  std::string_view front = text;
  if (front.starts_with("\xef\xbb\xbf")) front.remove_prefix(3);
  front.remove_prefix(std::min(front.find_first_not_of(" \t\r\n"), front.size()));
  if (front.starts_with('{') || front.starts_with('<') || front.starts_with("SPDXVersion:")) {
    return report::read_sbom(text);
  }
  if (front.starts_with("pkg:") || front.starts_with('#')) return report::read_purls(text);
  return not_recognised(files, place, text);
}

Result<std::string> read_document(image::FileAccess& files, const TypedTarget& target) {
  if (target.place == TargetPlace::kTyped) return target.text;
  const Fd fd = TRY(files.open("", Links::kFollow));
  return read_all(fd, limits::kDocumentBytesMax);
}

}  // namespace

Result<Inventory> read_target(image::FileAccess& files, const ReadOptions& options) {
  const image::ImageSource* source = source_of(files, options.target);
  if (source != nullptr) return read_image(*source, files, options);
  if (!options.platform.empty()) {
    return fail(ErrorCode::kMalformed, options.target.name + " is no image: leave --platform out");
  }
  const std::string text = TRY(read_document(files, options.target));
  Inventory inventory;
  if (!options.target.kind) {
    inventory.sbom = TRY(read_recognised(files, options.target.place, text));
  } else if (options.target.kind == TargetKind::kSbom) {
    inventory.sbom = TRY(report::read_sbom(text));
  } else {
    inventory.sbom = TRY(report::read_purls(text));
  }
  if (options.work != nullptr) {
    set_count(options.work->bytes_read, text.size());
    set_count(options.work->packages_count, inventory.sbom.packages.size());
  }
  return inventory;
}

}  // namespace vigil::scan
