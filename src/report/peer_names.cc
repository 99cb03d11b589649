#include "report/peer_names.h"

#include <algorithm>
#include <array>

namespace vigil::report {

namespace {

constexpr std::array<PeerNames, 20> kNames = {{
    {PackageKind::kUnknown, "UnknownPackage", "", "stock-matcher", "generic"},
    {PackageKind::kDeb, "deb", "", "dpkg-matcher", ""},
    {PackageKind::kApk, "apk", "", "apk-matcher", ""},
    {PackageKind::kRpm, "rpm", "", "rpm-matcher", ""},
    {PackageKind::kPypi, "python", "python", "python-matcher", "python-pkg"},
    {PackageKind::kNpm, "npm", "javascript", "javascript-matcher", "node-pkg"},
    {PackageKind::kGo, "go-module", "go", "go-module-matcher", "gobinary"},
    {PackageKind::kMaven, "java-archive", "java", "java-matcher", "jar"},
    {PackageKind::kCargo, "rust-crate", "rust", "rust-matcher", "rustbinary"},
    {PackageKind::kGem, "gem", "ruby", "ruby-gem-matcher", "gemspec"},
    {PackageKind::kComposer, "php-composer", "php", "stock-matcher", "composer-vendor"},
    {PackageKind::kNuget, "dotnet", "dotnet", "dotnet-matcher", "dotnet-core"},
    {PackageKind::kPub, "dart-pub", "dart", "stock-matcher", "pub"},
    {PackageKind::kHex, "hex", "elixir", "hex-matcher", "hex"},
    {PackageKind::kHackage, "hackage", "haskell", "stock-matcher", "hackage"},
    {PackageKind::kCran, "R-package", "R", "stock-matcher", "cran"},
    {PackageKind::kSwift, "swift", "swift", "stock-matcher", "swift"},
    {PackageKind::kConan, "conan", "c++", "stock-matcher", "conan"},
    {PackageKind::kBitnami, "bitnami", "", "bitnami-matcher", "bitnami"},
    {PackageKind::kGithubAction, "github-action", "", "stock-matcher", "github-action"},
}};

}  // namespace

const PeerNames& peer_names(PackageKind kind) {
  const auto* found = std::ranges::find(kNames, kind, &PeerNames::kind);
  return found == kNames.end() ? kNames[0] : *found;
}

PackageKind kind_of_syft_type(std::string_view type) {
  const auto* found = std::ranges::find(kNames, type, &PeerNames::syft_type);
  return found == kNames.end() ? PackageKind::kUnknown : found->kind;
}

}  // namespace vigil::report
