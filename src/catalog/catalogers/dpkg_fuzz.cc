// The input is a status file, and behind lines of "====" a package's list of files, its digests,
// and the diversions.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"

namespace vigil::catalog {
extern const Cataloger dpkg_cataloger;
extern const Cataloger dpkg_status_d_cataloger;
}  // namespace vigil::catalog

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kSeparator = "====\n";
  std::string_view text = vigil::as_text({data, size});
  const auto take_part = [&] {
    const size_t end = std::min(text.find(kSeparator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + kSeparator.size(), text.size()));
    return std::string(part);
  };
  vigil::catalog::FakeFs fs;
  const std::string status = take_part();
  fs.files["var/lib/dpkg/info/a.list"] = take_part();
  fs.files["var/lib/dpkg/info/a.md5sums"] = take_part();
  fs.files["var/lib/dpkg/status.d/a.md5sums"] = fs.files["var/lib/dpkg/info/a.md5sums"];
  fs.files["var/lib/dpkg/diversions"] = take_part();
  for (const auto& [cataloger, path] :
       {std::pair(&vigil::catalog::dpkg_cataloger, "var/lib/dpkg/status"),
        std::pair(&vigil::catalog::dpkg_status_d_cataloger, "var/lib/dpkg/status.d/a")}) {
    const auto output =
        cataloger->catalog({.path = path, .content = status, .fs = fs, .files_wanted = true});
    CHECK(output.has_value());
    for (const vigil::OwnedFile& file : output->files)
      CHECK(file.package < output->packages.size());
  }
  return 0;
}
