#include "catalog/dpkg_database.h"

#include <algorithm>

#include "base/limits.h"

namespace vigil::catalog {

namespace {

using decode::take_word;
using decode::trimmed;

constexpr size_t kMd5Digits = 32;

std::string_view without_slash(std::string_view path) {
  if (path.starts_with("./")) path.remove_prefix(2);
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

bool is_md5(std::string_view digits) {
  if (digits.size() != kMd5Digits) return false;
  bool is_hex = true;  // Without a branch for each digit: there are millions.
  for (size_t i = 0; i < kMd5Digits; ++i) {
    const char c = digits[i];
    is_hex &= (c >= '0' && c <= '9') | (c >= 'a' && c <= 'f') | (c >= 'A' && c <= 'F');
  }
  return is_hex;
}

// The last word of `text`, taken off its end.
std::string_view take_last_word(std::string_view& text) {
  text = trimmed(text);
  const size_t space = text.find_last_of(" \t");
  const std::string_view word = space == std::string_view::npos ? text : text.substr(space + 1);
  text.remove_suffix(word.size());
  return word;
}

// "install ok installed": wanted, error flag, state.
bool is_installed_status(std::string_view status) {
  take_word(status);
  take_word(status);
  const std::string_view state = take_word(status);
  return state != "not-installed" && state != "config-files";
}

// "name" or "name (version)".
SourcePackage read_source(std::string_view value) {
  SourcePackage source;
  const size_t open = value.find('(');
  source.name = trimmed(value.substr(0, open));
  if (open != std::string_view::npos) {
    const std::string_view rest = value.substr(open + 1);
    source.version = trimmed(rest.substr(0, rest.find(')')));
  }
  return source;
}

// The fields of a stanza that are used, as views.
struct Fields {
  std::string_view package;
  std::string_view status;
  std::string_view version;
  std::string_view architecture;
  std::string_view source;
  std::string_view maintainer;
  std::string_view multi_arch;
  std::string_view conffiles;
};

Fields read_fields(decode::Deb822Reader& reader) {
  Fields fields;
  while (const auto field = reader.next_field()) {
    if (field->is("Package")) fields.package = field->value;
    if (field->is("Status")) fields.status = field->value;
    if (field->is("Version")) fields.version = field->value;
    if (field->is("Architecture")) fields.architecture = field->value;
    if (field->is("Source")) fields.source = field->value;
    if (field->is("Maintainer")) fields.maintainer = field->value;
    if (field->is("Multi-Arch")) fields.multi_arch = field->value;
    if (field->is("Conffiles")) fields.conffiles = field->value;
  }
  return fields;
}

}  // namespace

std::optional<DpkgEntry> read_dpkg_entry(decode::Deb822Reader& reader, GapList& gaps) {
  const Fields fields = read_fields(reader);
  if (fields.package.empty()) {
    gaps.add(GapKind::kMalformed, "a stanza without a package name");
    return std::nullopt;
  }
  if (fields.package.size() > limits::kNameBytesMax) {
    gaps.add(GapKind::kLimit, "a package whose name is too long", "kNameBytesMax");
    return std::nullopt;
  }
  DpkgEntry entry;
  Package& package = entry.package;
  package.kind = PackageKind::kDeb;
  package.name = fields.package;
  entry.is_installed = fields.status.empty() || is_installed_status(fields.status);
  entry.is_multi_arch_same = fields.multi_arch == "same";
  entry.conffiles = fields.conffiles;
  if (!entry.is_installed) {
    if (fields.architecture.size() <= limits::kNameBytesMax) package.arch = fields.architecture;
    return entry;
  }
  const auto bounded = [&](std::string_view value, uint64_t bytes_max, std::string_view field,
                           const char* limit) -> std::string_view {
    if (value.size() <= bytes_max) return value;
    gaps.add(GapKind::kLimit,
             "package " + package.name + ": field " + std::string(field) + " is too long", limit);
    return {};
  };
  constexpr uint64_t kNameBytes = limits::kNameBytesMax;
  package.version =
      bounded(fields.version, limits::kVersionBytesMax, "Version", "kVersionBytesMax");
  package.arch = bounded(fields.architecture, kNameBytes, "Architecture", "kNameBytesMax");
  package.maintainer = bounded(fields.maintainer, kNameBytes, "Maintainer", "kNameBytesMax");
  entry.conffiles =
      bounded(fields.conffiles, limits::kFieldBytesMax, "Conffiles", "kFieldBytesMax");
  if (fields.version.empty()) {
    gaps.add(GapKind::kMalformed, "package " + package.name + " has no version");
  }
  SourcePackage source =
      read_source(bounded(fields.source, 2 * kNameBytes, "Source", "kNameBytesMax"));
  const bool is_own = (source.name.empty() || source.name == package.name) &&
                      (source.version.empty() || source.version == package.version);
  if (!is_own) {
    if (source.version.empty()) source.version = package.version;
    package.source = std::move(source);
  }
  return entry;
}

std::string md5_digest(std::string_view digits) {
  constexpr std::string_view kStart = "md5:";
  std::string digest;
  digest.reserve(kStart.size() + digits.size());
  digest.append(kStart).append(digits);
  for (char& c : digest) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return digest;
}

void read_md5sums(std::string_view text, std::vector<DpkgDigest>& digests) {
  decode::each_line(text, [&](std::string_view line) {
    const std::string_view digits = take_word(line);
    if (!is_md5(digits) || line.empty()) return;
    // Two blanks, or a blank and the asterisk of md5sum's binary mode, and the path as it is.
    line.remove_prefix(1);
    if (line.starts_with(' ') || line.starts_with('*')) line.remove_prefix(1);
    digests.push_back({without_slash(line), digits});
  });
}

void read_conffiles(std::string_view value, std::vector<DpkgDigest>& digests) {
  decode::each_line(value, [&](std::string_view line) {
    std::string_view word = take_last_word(line);
    if (word == "obsolete" || word == "remove-on-upgrade") word = take_last_word(line);
    if (word == "obsolete" || word == "remove-on-upgrade") word = take_last_word(line);
    const std::string_view path = without_slash(trimmed(line));
    if (is_md5(word) && !path.empty()) digests.push_back({path, word});
  });
}

void sort_digests(std::vector<DpkgDigest>& digests) {
  // The packaging tools have sorted them, nearly always.
  if (!std::ranges::is_sorted(digests, {}, &DpkgDigest::path)) {
    std::ranges::stable_sort(digests, {}, &DpkgDigest::path);
  }
  const auto repeated = std::ranges::unique(digests, {}, &DpkgDigest::path);
  digests.erase(repeated.begin(), repeated.end());
}

Diversions read_diversions(std::string_view text) {
  std::vector<std::string_view> lines;
  Diversions diversions;
  decode::each_line(text, [&](std::string_view line) {
    lines.push_back(line);
    if (lines.size() < 3) return;
    if (!lines[0].empty() && !lines[1].empty()) {
      diversions.emplace(without_slash(lines[0]),
                         Diversion{std::string(without_slash(lines[1])),
                                   lines[2] == ":" ? std::string() : std::string(lines[2])});
    }
    lines.clear();
  });
  return diversions;
}

}  // namespace vigil::catalog
