#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"
#include "catalog/package_purl.h"
#include "model/purl.h"

namespace vigil::catalog {
extern const Cataloger apk_cataloger;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const vigil::catalog::FakeFs fs;
  const auto output =
      vigil::catalog::apk_cataloger.catalog({.path = "lib/apk/db/installed",
                                             .content = vigil::as_text({data, size}),
                                             .fs = fs,
                                             .files_wanted = true});
  CHECK(output.has_value());
  for (const vigil::OwnedFile& file : output->files) CHECK(file.package < output->packages.size());
  for (const vigil::Package& package : output->packages) {
    const auto purl = vigil::Purl::parse(vigil::catalog::package_purl(package, vigil::Distro()));
    CHECK(!purl || purl->version == package.version);
  }
  return 0;
}
