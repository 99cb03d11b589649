// Language packages, all ecosystems: by name in the ecosystem's shard. A record stands for itself:
// each source that calls the version affected is a match, whatever another source leaves out.
#include <algorithm>
#include <array>

#include "match/rules.h"
#include "model/purl.h"
#include "version/semver_text.h"

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
    {PackageKind::kGo, "go", "go", NameForm::kSlash},
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
    {PackageKind::kBitnami, "bitnami", "bitnami", NameForm::kPlain},
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

// Bitnami's revision of the packaging, "-2" of "1.8.0-2".
std::string_view revision_of(const Package& package) {
  if (package.kind != PackageKind::kBitnami) return "";
  return version::packaging_revision(package.version);
}

bool counts_revisions(const Affected& affected) {
  return std::ranges::any_of(affected.ranges, [](const AffectedRange& range) {
    return std::ranges::any_of(
        std::array{&range.introduced, &range.fixed, &range.last_affected},
        [](const std::string* bound) { return !version::packaging_revision(*bound).empty(); });
  });
}

Plan plan(const Package& package, const Distro&) {
  const Ecosystem& ecosystem = *ecosystem_of(package.kind);
  Plan out;
  out.shard = ecosystem.shard;
  out.scheme = version::find_scheme(ecosystem.scheme);
  out.lookups.push_back({.name = name_of(package, ecosystem),
                         .version = package.version,
                         .is_source = true,
                         .is_binary = true});
  const size_t revision_bytes = revision_of(package).size();
  if (revision_bytes != 0) {
    Lookup upstream = out.lookups[0];
    upstream.version.resize(upstream.version.size() - revision_bytes);
    out.lookups.push_back(std::move(upstream));
  }
  if (out.scheme == nullptr) {
    out.refusal = "no version order for " + std::string(ecosystem.shard);
  } else if (package.kind == PackageKind::kGo && !out.scheme->is_valid(package.version)) {
    // "(devel)" and the like: a build without a version, which no range speaks of.
    out.refusal = "its version does not follow the order of " + std::string(ecosystem.shard);
  } else if (!out.scheme->is_valid(out.lookups[0].version)) {
    // Matched by the order's fallback; what that does not find is not therefore clean.
    out.caveat = "its version does not follow the order of " + std::string(ecosystem.shard);
  }
  return out;
}

// Few of Bitnami's records count revisions; to the others "1.8.0-2" is 1.8.0, also where that is
// the last version affected.
std::optional<StatementView> decide(const Package& package, const Plan& of, const Lookup& lookup,
                                    const Affected& affected) {
  const bool has_revision = !revision_of(package).empty();
  const bool is_whole = lookup.version.size() == package.version.size();
  if (has_revision && is_whole != counts_revisions(affected)) return std::nullopt;
  return decide_plain(package, of, lookup, affected);
}

}  // namespace

extern const Matcher language_matcher;
const Matcher language_matcher = {
    .name = "language",
    .packages = "language packages: PyPI, npm, Go, Maven, crates.io, RubyGems, Packagist, …",
    .owns = owns,
    .plan = plan,
    .decide = decide,
    .settle = settle_plain,
};

}  // namespace vigil::match
