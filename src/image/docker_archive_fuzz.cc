// Any bytes as a docker-archive with its layers. Checksums of tar headers are made right first,
// those of the layers inside too. The answer must not depend on threads, nor lead out of the root.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "decode/fake_tar.h"
#include "image/image.h"
#include "image/memory_files.h"

namespace {

using vigil::image::Claim;
using vigil::image::ClaimKind;

constexpr Claim kClaims[] = {
    {ClaimKind::kPath, "etc/os-release", 64 << 10},
    {ClaimKind::kPath, "lib/apk/db/installed", 1 << 20},
    {ClaimKind::kUnderFolder, "var/lib/dpkg/info/", 64 << 10},
};

void describe(const vigil::image::ImageFs& fs, std::string& out) {
  for (const Claim& claim : kClaims) {
    out += fs.real_path(claim.text) + '\n';
    out += fs.read(claim.text, claim.bytes_max).value_or("-") + '\n';
    for (const std::string& name : fs.list(claim.text)) {
      CHECK(name != "." && name != ".." && name.find('/') == std::string::npos);
      out += name + '\n';
    }
    for (const std::string& name : fs.hard_links(claim.text)) out += "=" + name + '\n';
  }
}

std::string read_image(const std::string& tar, size_t threads_count) {
  vigil::image::MemoryFiles files({{"", tar}});
  const vigil::image::ImageSource* source =
      vigil::image::find_source(vigil::TargetKind::kDockerArchive);
  static_cast<void>(source->recognises(files));
  const vigil::image::ImageRef ref = {vigil::TargetKind::kDockerArchive, "x", "", ""};
  const auto image = source->open(files, ref, {.claims = kClaims, .threads_count = threads_count});
  if (!image) return image.error().text();
  std::string out;
  describe((*image)->fs(), out);
  for (size_t layer = 0; layer < (*image)->layers().size(); ++layer) {
    describe(*(*image)->fs_at(layer), out);
    for (const std::string& path : (*image)->changed_paths(layer)) {
      CHECK(!path.starts_with('/') && !path.starts_with("../"));
      out += path + '\n';
    }
  }
  for (const vigil::Gap& gap : (*image)->gaps()) out += gap.path + gap.reason + gap.limit + '\n';
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string tar = vigil::decode::FakeTar::with_checksums(
      std::string(reinterpret_cast<const char*>(data), size));
  const std::string once = read_image(tar, 1);
  CHECK(once == read_image(tar, 2));
  return 0;
}
