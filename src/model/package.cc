#include "model/package.h"

#include <array>
#include <utility>

namespace vigil {

namespace {

constexpr std::array<std::pair<PackageKind, std::string_view>, 20> kTypes = {{
    {PackageKind::kUnknown, "generic"},   {PackageKind::kDeb, "deb"},
    {PackageKind::kApk, "apk"},           {PackageKind::kRpm, "rpm"},
    {PackageKind::kPypi, "pypi"},         {PackageKind::kNpm, "npm"},
    {PackageKind::kGo, "golang"},         {PackageKind::kMaven, "maven"},
    {PackageKind::kCargo, "cargo"},       {PackageKind::kGem, "gem"},
    {PackageKind::kComposer, "composer"}, {PackageKind::kNuget, "nuget"},
    {PackageKind::kPub, "pub"},           {PackageKind::kHex, "hex"},
    {PackageKind::kHackage, "hackage"},   {PackageKind::kCran, "cran"},
    {PackageKind::kSwift, "swift"},       {PackageKind::kConan, "conan"},
    {PackageKind::kBitnami, "bitnami"},   {PackageKind::kGithubAction, "githubactions"},
}};

}  // namespace

PackageKind package_kind(std::string_view purl_type) {
  for (const auto& [kind, type] : kTypes) {
    if (type == purl_type) return kind;
  }
  return PackageKind::kUnknown;
}

std::string_view purl_type(PackageKind kind) {
  for (const auto& [known, type] : kTypes) {
    if (known == kind) return type;
  }
  return "generic";
}

bool is_os_package(PackageKind kind) {
  return kind == PackageKind::kDeb || kind == PackageKind::kApk || kind == PackageKind::kRpm;
}

}  // namespace vigil
