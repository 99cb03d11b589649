#include <cstdint>

#include "base/bytes.h"
#include "match/ignore_file.h"

// The first byte chooses the kind of file.
namespace vigil::match {

static int run(ByteView bytes) {
  if (bytes.empty()) return 0;
  const std::string_view text = as_text(bytes.subspan(1));
  const Result<std::vector<IgnoreRule>> rules =
      read_ignore_file(text, (bytes[0] & 1) != 0 ? "x.yaml" : "x");
  if (!rules) return 0;
  Sbom sbom;
  sbom.distro = parse_distro("debian-12");
  Package& package = sbom.packages.emplace_back();
  package.kind = PackageKind::kDeb;
  package.name = "libssl3";
  package.version = "3.0.11-1";
  package.source = {"openssl", "3.0.11-1"};
  package.location.path = "var/lib/dpkg/status";
  package.purl = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12";
  Finding finding;
  finding.id = "CVE-2024-5535";
  apply_ignore_rules(*rules, {finding}, sbom, 1'700'000'000);
  return 0;
}

}  // namespace vigil::match

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return vigil::match::run({data, size});
}
