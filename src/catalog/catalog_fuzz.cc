// Any bytes as the only layer of an image, catalogued whole: what one database says meets what the
// others and the links of the file system say.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "catalog/cataloger.h"
#include "decode/fake_tar.h"
#include "image/memory_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using vigil::decode::FakeTar;
  // Two layers of the same, so that every path is also replaced.
  const std::string layer =
      FakeTar::with_checksums(std::string(reinterpret_cast<const char*>(data), size));
  const std::string manifest = R"([{"Config":"config","Layers":["0","1"]}])";
  vigil::image::MemoryFiles files({{"", FakeTar()
                                            .file("config", R"({"os":"linux"})")
                                            .file("0", layer)
                                            .file("1", layer.substr(0, layer.size() / 1024 * 512))
                                            .file("manifest.json", manifest)
                                            .finished()}});
  const auto* source = vigil::image::find_source(vigil::TargetKind::kDockerArchive);
  const vigil::image::ImageRef ref = {vigil::TargetKind::kDockerArchive, "x", "", ""};
  auto image =
      source->open(files, ref, {.claims = vigil::catalog::all_claims(), .threads_count = 1});
  if (!image) return 0;
  const vigil::catalog::Inventory inventory = vigil::catalog::catalog_image(*std::move(image));
  CHECK(!inventory.sbom.packages.empty() || !inventory.sbom.gaps.empty());
  for (const vigil::OwnedFile& file : inventory.files) {
    CHECK(file.package < inventory.sbom.packages.size());
  }
  return 0;
}
