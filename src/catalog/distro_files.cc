#include "catalog/distro_files.h"

#include <algorithm>
#include <string>

#include "decode/deb822.h"

namespace vigil::catalog {

namespace {

using image::Claim;
using image::ClaimKind;

constexpr uint64_t kBytesMax = 1 << 20;

bool is_version_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '_';
}

Distro parse_alpine_release(std::string_view text) {
  const std::string_view version = decode::take_word(text);
  if (version.empty() || !std::ranges::all_of(version, is_version_letter)) return {};
  return parse_distro("alpine:" + std::string(version));
}

Distro parse_system_release(std::string_view text) {
  return parse_release_line(text.substr(0, text.find('\n')));
}

// In the order in which they are believed. Oracle Linux also has a redhat-release that names Red
// Hat, Ubuntu a debian_version that names Debian's testing release of its day.
struct DistroFile {
  Claim claim;
  Distro (*parse)(std::string_view text);  // Null: os-release.
};
constexpr DistroFile kFiles[] = {
    {{ClaimKind::kPath, "etc/os-release", kBytesMax}, nullptr},
    {{ClaimKind::kPath, "usr/lib/os-release", kBytesMax}, nullptr},
    {{ClaimKind::kPath, "etc/alpine-release", kBytesMax}, parse_alpine_release},
    {{ClaimKind::kPath, "etc/lsb-release", kBytesMax}, parse_lsb_release},
    {{ClaimKind::kPath, "etc/debian_version", kBytesMax}, parse_debian_version},
    {{ClaimKind::kPath, "etc/oracle-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/almalinux-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/rocky-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/fedora-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/centos-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/redhat-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/SuSE-release", kBytesMax}, parse_system_release},
    {{ClaimKind::kPath, "etc/system-release", kBytesMax}, parse_system_release},
};

// What such lines call distributions, lower case; longer beginnings before shorter.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"almalinux", "almalinux"},
    {"amazon linux", "amazon"},
    {"centos", "centos"},
    {"fedora", "fedora"},
    {"mageia", "mageia"},
    {"openeuler", "openeuler"},
    {"opensuse", "opensuse"},
    {"oracle linux", "oracle"},
    {"red hat", "redhat"},
    {"rocky linux", "rocky"},
    {"suse linux enterprise", "sles"},
};

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_version(std::string_view word) {
  return !word.empty() && word[0] >= '0' && word[0] <= '9' &&
         word.find_first_not_of("0123456789.") == std::string_view::npos;
}

// A line NAME=value's value without quotes, "" where there is none.
std::string value_of(std::string_view text, std::string_view name) {
  std::string found;
  decode::each_line(text, [&](std::string_view line) {
    line = decode::trimmed(line);
    if (!line.starts_with(name) || !line.substr(name.size()).starts_with('=')) return;
    line.remove_prefix(name.size() + 1);
    if (line.size() >= 2 && line[0] == '"' && line.ends_with('"')) {
      line = line.substr(1, line.size() - 2);
    }
    found = line;
  });
  return found;
}

}  // namespace

Distro parse_release_line(std::string_view text) {
  const std::string line = lowered(decode::trimmed(text));
  const auto named =
      std::ranges::find_if(kNames, [&](const auto& name) { return line.starts_with(name.first); });
  if (named == std::end(kNames)) return {};
  std::string_view rest = line;
  for (std::string_view word = decode::take_word(rest); !word.empty();
       word = decode::take_word(rest)) {
    if (!is_version(word)) continue;
    std::string id(named->second);
    // Named apart since 42.1; before, there was one openSUSE, which no advisory speaks of any more.
    if (id == "opensuse" && word.find('.') != std::string_view::npos && word >= "15") {
      id = "opensuse-leap";
    }
    Distro distro = parse_distro(id + ":" + std::string(word));
    distro.pretty_name = decode::trimmed(text);
    return distro;
  }
  return {};
}

Distro parse_lsb_release(std::string_view text) {
  const std::string id = value_of(text, "DISTRIB_ID");
  if (id.empty()) return {};
  Distro distro;
  distro.id = canonical_distro_id(id);
  distro.version = value_of(text, "DISTRIB_RELEASE");
  distro.codename = lowered(value_of(text, "DISTRIB_CODENAME"));
  distro.pretty_name = value_of(text, "DISTRIB_DESCRIPTION");
  return distro;
}

Distro parse_debian_version(std::string_view text) {
  const std::string_view word = decode::take_word(text);
  if (is_version(word)) return parse_distro("debian:" + std::string(word));
  // "trixie/sid" stands in both until the release is made; the archive has it under its codename.
  const std::string codename(word.substr(0, word.find('/')));
  if (codename.empty() || !std::ranges::all_of(codename, is_version_letter)) return {};
  Distro distro = parse_distro("debian:" + codename);
  const bool is_known = distro.version != codename || codename == "sid";
  return is_known ? distro : Distro();
}

std::span<const Claim> distro_claims() {
  static const std::vector<Claim> claims = [] {
    std::vector<Claim> all;
    for (const DistroFile& file : kFiles) all.push_back(file.claim);
    return all;
  }();
  return claims;
}

DistroReading read_distro(const image::ImageFs& fs) {
  DistroReading reading;
  for (const DistroFile& file : kFiles) {
    const std::string_view path = file.claim.text;
    const Result<std::string> text = fs.read(path, kBytesMax);
    if (!text) {
      if (text.error().code == ErrorCode::kNotFound) continue;
      const bool is_limit = text.error().code == ErrorCode::kTooLarge;
      reading.gaps.push_back({is_limit ? GapKind::kLimit : GapKind::kUnreadable, std::string(path),
                              text.error().message, is_limit ? "bytes_max" : ""});
      continue;
    }
    if (file.parse != nullptr) {
      reading.distro = file.parse(*text);
    } else if (Result<Distro> distro = parse_os_release(*text)) {
      reading.distro = *std::move(distro);
    } else {
      reading.gaps.push_back({GapKind::kMalformed, std::string(path), distro.error().message, ""});
    }
    if (reading.distro.is_known()) break;
  }
  return reading;
}

}  // namespace vigil::catalog
