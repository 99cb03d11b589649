#include "catalog/package_purl.h"

#include "base/check.h"
#include "model/purl.h"

namespace vigil::catalog {

namespace {

struct SplitVersion {
  std::string epoch;
  std::string rest;
};

SplitVersion split_epoch(const std::string& version) {
  const size_t colon = version.find(':');
  if (colon == std::string::npos) return {"", version};
  return {version.substr(0, colon), version.substr(colon + 1)};
}

std::string upstream(const Package& package) {
  const SourcePackage& source = package.source;
  if (source.name.empty()) return "";
  if (package.kind == PackageKind::kRpm) {
    return source.version.empty()
               ? source.name
               : source.name + "-" + split_epoch(source.version).rest + ".src.rpm";
  }
  const bool has_own_version = !source.version.empty() && source.version != package.version;
  return has_own_version ? source.name + "@" + source.version : source.name;
}

}  // namespace

std::string package_purl(const Package& package, const Distro& distro) {
  CHECK(is_os_package(package.kind));
  Purl purl;
  purl.type = purl_type(package.kind);
  purl.space = distro.id;
  purl.name = package.name;
  purl.version = package.version;
  if (package.kind == PackageKind::kRpm) {
    SplitVersion version = split_epoch(package.version);
    purl.version = std::move(version.rest);
    purl.set_qualifier("epoch", version.epoch);
    purl.set_qualifier("rpmmod", package.module);
  }
  purl.set_qualifier("arch", package.arch);
  purl.set_qualifier("upstream", upstream(package));
  if (distro.is_known()) {
    purl.set_qualifier("distro",
                       distro.version.empty() ? distro.id : distro.id + "-" + distro.version);
  }
  return purl.text();
}

}  // namespace vigil::catalog
