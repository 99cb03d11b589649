// Language packages, all ecosystems: by name in the ecosystem's shard. A record stands for itself:
// each source that calls the version affected is a match, whatever another source leaves out.
#include <algorithm>

#include "match/rules.h"
#include "model/purl.h"

namespace vigil::match {

namespace {

// How the namespace of a purl and its name make the name that advisories use.
enum class NameForm { kPlain, kSlash, kColon };

struct Ecosystem {
  PackageKind kind;
  std::string_view shard;
  std::string_view scheme;
  NameForm form;
};

constexpr Ecosystem kEcosystems[] = {
    {PackageKind::kPypi, "pypi", "pypi", NameForm::kPlain},
    {PackageKind::kNpm, "npm", "semver", NameForm::kSlash},
    {PackageKind::kGo, "go", "semver", NameForm::kSlash},
    {PackageKind::kMaven, "maven", "maven", NameForm::kColon},
    {PackageKind::kCargo, "crates.io", "semver", NameForm::kPlain},
    {PackageKind::kGem, "rubygems", "rubygems", NameForm::kPlain},
    {PackageKind::kComposer, "packagist", "packagist", NameForm::kSlash},
    {PackageKind::kNuget, "nuget", "nuget", NameForm::kPlain},
    {PackageKind::kPub, "pub", "pub", NameForm::kPlain},
    {PackageKind::kHex, "hex", "semver", NameForm::kPlain},
    {PackageKind::kHackage, "hackage", "hackage", NameForm::kPlain},
    {PackageKind::kCran, "cran", "cran", NameForm::kPlain},
    {PackageKind::kSwift, "swifturl", "semver", NameForm::kSlash},
    {PackageKind::kConan, "conancenter", "semver", NameForm::kPlain},
    {PackageKind::kBitnami, "bitnami", "semver", NameForm::kPlain},
    {PackageKind::kGithubAction, "github-actions", "semver", NameForm::kSlash},
};

const Ecosystem* ecosystem_of(PackageKind kind) {
  const auto* found = std::ranges::find(kEcosystems, kind, &Ecosystem::kind);
  return found == std::end(kEcosystems) ? nullptr : found;
}

bool owns(const Package& package, const Distro&) {
  return ecosystem_of(package.kind) != nullptr;
}

// The purl is the surer source: catalogers and documents differ in how they write names.
std::string name_of(const Package& package, const Ecosystem& ecosystem) {
  const Result<Purl> purl = Purl::parse(package.purl);
  std::string name = package.name;
  if (purl && !purl->space.empty() && ecosystem.form == NameForm::kSlash) {
    name = purl->space + "/" + purl->name;
  } else if (purl && !purl->space.empty() && ecosystem.form == NameForm::kColon) {
    name = purl->space + ":" + purl->name;
  }
  return normal_package_name(ecosystem.shard, name);
}

// "go1.21.3" and "v1.21.3" are "1.21.3" to the advisories.
std::string go_version(std::string_view version) {
  for (const std::string_view prefix : {"go", "v"}) {
    if (version.starts_with(prefix)) version.remove_prefix(prefix.size());
  }
  return std::string(version);
}

// Bitnami adds a revision of its packaging, "1.8.0-2", which its advisories do not count; semver
// would read it as a version before 1.8.0.
std::string without_revision(std::string_view version) {
  const size_t dash = version.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == version.size()) return std::string(version);
  const std::string_view revision = version.substr(dash + 1);
  const std::string_view digits = revision.starts_with('r') ? revision.substr(1) : revision;
  const bool is_number =
      !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return std::string(is_number ? version.substr(0, dash) : version);
}

std::string version_of(const Package& package) {
  if (package.kind == PackageKind::kGo) return go_version(package.version);
  if (package.kind == PackageKind::kBitnami) return without_revision(package.version);
  return package.version;
}

Plan plan(const Package& package, const Distro&) {
  const Ecosystem& ecosystem = *ecosystem_of(package.kind);
  Plan out;
  out.shard = ecosystem.shard;
  out.scheme = version::find_scheme(ecosystem.scheme);
  out.lookups.push_back({.name = name_of(package, ecosystem),
                         .version = version_of(package),
                         .is_source = true,
                         .is_binary = true});
  if (out.scheme == nullptr) {
    out.refusal = "no version order for " + std::string(ecosystem.shard);
  } else if (!out.scheme->is_valid(out.lookups[0].version)) {
    // Matched by the order's fallback; what that does not find is not therefore clean.
    out.caveat = "its version does not follow the order of " + std::string(ecosystem.shard);
  }
  return out;
}

}  // namespace

extern const Matcher language_matcher;
const Matcher language_matcher = {
    .name = "language",
    .packages = "language packages: PyPI, npm, Go, Maven, crates.io, RubyGems, Packagist, …",
    .owns = owns,
    .plan = plan,
    .decide = decide_plain,
    .settle = settle_plain,
};

}  // namespace vigil::match
