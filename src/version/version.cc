#include "version/version.h"

#include <array>
#include <string>
#include <utility>

#include "base/limits.h"

namespace vigil::version {

#define VIGIL_SCHEME(name) extern const Scheme name##_scheme;
#include "version/schemes.def"
#undef VIGIL_SCHEME

namespace {

const Scheme* const kSchemes[] = {
#define VIGIL_SCHEME(name) &name##_scheme,
#include "version/schemes.def"
#undef VIGIL_SCHEME
};

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kAliases = {{
    {"apk", "alpine"},
    {"deb", "debian"},
    {"dpkg", "debian"},
    {"gem", "rubygems"},
    {"golang", "go"},
    {"npm", "semver"},
    {"pep440", "pypi"},
    {"composer", "packagist"},
    {"rpm", "redhat"},
}};

std::string_view scheme_name(PackageKind kind) {
  switch (kind) {
    case PackageKind::kDeb:
      return "debian";
    case PackageKind::kApk:
      return "alpine";
    case PackageKind::kRpm:
      return "redhat";
    case PackageKind::kPypi:
      return "pypi";
    case PackageKind::kGo:
      return "go";
    case PackageKind::kMaven:
      return "maven";
    case PackageKind::kGem:
      return "rubygems";
    case PackageKind::kComposer:
      return "packagist";
    case PackageKind::kNuget:
      return "nuget";
    case PackageKind::kPub:
      return "pub";
    case PackageKind::kHackage:
      return "hackage";
    case PackageKind::kCran:
      return "cran";
    case PackageKind::kBitnami:
      return "bitnami";
    case PackageKind::kUnknown:
    case PackageKind::kNpm:
    case PackageKind::kCargo:
    case PackageKind::kHex:
    case PackageKind::kSwift:
    case PackageKind::kConan:
    case PackageKind::kGithubAction:
      return "semver";
  }
  return "semver";
}

}  // namespace

std::span<const Scheme* const> all_schemes() {
  return kSchemes;
}

const Scheme* find_scheme(std::string_view name) {
  for (const auto& [alias, target] : kAliases) {
    if (alias == name) name = target;
  }
  for (const Scheme* scheme : kSchemes) {
    if (scheme->name == name) return scheme;
  }
  return nullptr;
}

const Scheme& scheme_of(PackageKind kind) {
  return *find_scheme(scheme_name(kind));
}

namespace {

Status check_length(std::string_view version) {
  if (version.size() <= limits::kVersionBytesMax) return {};
  return fail(ErrorCode::kTooLarge, "version of " + std::to_string(version.size()) +
                                        " bytes; at most " +
                                        std::to_string(limits::kVersionBytesMax) + " are compared");
}

}  // namespace

Result<std::strong_ordering> compare(const Scheme& scheme, std::string_view a, std::string_view b) {
  TRY(check_length(a));
  TRY(check_length(b));
  return scheme.compare(a, b);
}

Result<bool> in_range(const Scheme& scheme, std::string_view version, const AffectedRange& range) {
  TRY(check_length(version));
  if (!range.introduced.empty() && range.introduced != "0") {
    if (TRY(compare(scheme, version, range.introduced)) < 0) return false;
  }
  if (!range.fixed.empty() && TRY(compare(scheme, version, range.fixed)) >= 0) return false;
  if (!range.last_affected.empty() && TRY(compare(scheme, version, range.last_affected)) > 0) {
    return false;
  }
  return true;
}

std::string range_text(const AffectedRange& range) {
  std::string text;
  const auto add = [&](std::string_view operation, const std::string& version) {
    if (version.empty()) return;
    text += text.empty() ? "" : ", ";
    text += operation;
    text += version;
  };
  if (range.introduced != "0") add(">= ", range.introduced);
  add("< ", range.fixed);
  add("<= ", range.last_affected);
  return text.empty() ? "all versions" : text;
}

}  // namespace vigil::version
