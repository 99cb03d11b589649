#include "model/sbom.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace vigil {

std::string_view to_string(GapKind kind) {
  switch (kind) {
    case GapKind::kUnreadable:
      return "unreadable";
    case GapKind::kMalformed:
      return "malformed";
    case GapKind::kLimit:
      return "limit";
    case GapKind::kUnsupported:
      return "unsupported";
    case GapKind::kStopped:
      return "stopped";
    case GapKind::kUnverified:
      return "unverified";
  }
  return "unknown";
}

std::string_view to_string(TargetKind kind) {
  switch (kind) {
    case TargetKind::kDockerArchive:
      return "docker-archive";
    case TargetKind::kOciArchive:
      return "oci-archive";
    case TargetKind::kOciDirectory:
      return "oci-dir";
    case TargetKind::kDirectory:
      return "dir";
    case TargetKind::kSbom:
      return "sbom";
    case TargetKind::kPurl:
      return "purl";
  }
  return "unknown";
}

void sort_packages(std::vector<Package>& packages, std::vector<uint32_t>* old_to_new) {
  const auto key = [&](uint32_t index) {
    const Package& package = packages[index];
    return std::tie(package.kind, package.name, package.version, package.arch,
                    package.location.path, package.distro, package.purl, package.bom_ref);
  };
  std::vector<uint32_t> order(packages.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) { return key(a) < key(b); });

  std::vector<Package> sorted;
  sorted.reserve(packages.size());
  if (old_to_new != nullptr) old_to_new->assign(packages.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || key(order[i]) != key(order[i - 1])) sorted.emplace_back();
    if (old_to_new != nullptr) (*old_to_new)[order[i]] = static_cast<uint32_t>(sorted.size() - 1);
    if (i == 0 || key(order[i]) != key(order[i - 1])) sorted.back() = packages[order[i]];
  }
  packages = std::move(sorted);
}

}  // namespace vigil
