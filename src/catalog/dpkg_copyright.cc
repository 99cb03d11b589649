#include "catalog/dpkg_copyright.h"

#include <string.h>  // memmem

#include <algorithm>
#include <memory>
#include <set>

#include "decode/deb822.h"

namespace vigil::catalog {

namespace {

// string_view's own look-up takes several times as long.
size_t find_after(std::string_view text, std::string_view wanted, size_t from) {
  const void* found =
      ::memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

// Whether the text says that it is of the machine-readable form, with the first field of it.
bool is_machine_readable(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text.starts_with("Format:") || text.starts_with("Format-Specification:");
}

bool is_name_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '+' || c == '_';
}

void read_fields(std::string_view text, std::set<std::string, std::less<>>& licences) {
  constexpr std::string_view kField = "\nLicense:";
  for (size_t at = find_after(text, kField, 0); at != std::string_view::npos;
       at = find_after(text, kField, at)) {
    at += kField.size();
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view value = decode::trimmed(text.substr(at, end - at));
    if (!value.empty() && value.size() <= limits::kNameBytesMax) licences.emplace(value);
    at = end;
  }
}

// "… can be found in `/usr/share/common-licenses/GPL-2'."
void read_references(std::string_view text, std::set<std::string, std::less<>>& licences) {
  constexpr std::string_view kFolder = "/common-licenses/";
  for (size_t at = find_after(text, kFolder, 0); at != std::string_view::npos;
       at = find_after(text, kFolder, at)) {
    at += kFolder.size();
    const size_t start = at;
    while (at < text.size() && is_name_letter(text[at])) ++at;
    std::string_view name = text.substr(start, std::min(at - start, limits::kNameBytesMax));
    while (name.ends_with('.')) name.remove_suffix(1);  // Of the sentence.
    if (!name.empty()) licences.emplace(name);
  }
}

}  // namespace

std::vector<std::string> read_copyright(std::string_view text) {
  std::set<std::string, std::less<>> licences;
  is_machine_readable(text) ? read_fields(text, licences) : read_references(text, licences);
  return {licences.begin(), licences.end()};
}

std::string Copyrights::licence_of(const std::string& package) {
  const std::string path = "usr/share/doc/" + package + "/copyright";
  const auto [at, is_new] = known_.try_emplace(fs_.real_path(path));
  if (is_new) at->second = read(path);
  return at->second;
}

std::string Copyrights::read(const std::string& path) {
  if (bytes_ > limits::kKeptBytesMax) return "";
  const Result<std::shared_ptr<const std::string>> text =
      fs_.share(path, limits::kCopyrightBytesMax);
  if (!text) {
    const bool is_limit = text.error().code == ErrorCode::kTooLarge;
    if (text.error().code != ErrorCode::kNotFound) {
      gaps_.add_at(path, is_limit ? GapKind::kLimit : GapKind::kUnreadable, text.error().message,
                   is_limit ? "kCopyrightBytesMax" : "");
    }
    return "";
  }
  bytes_ += (*text)->size();
  if (bytes_ > limits::kKeptBytesMax) {
    gaps_.add_at(path, GapKind::kLimit, "more copyright files than are read", "kKeptBytesMax");
    return "";
  }
  std::vector<std::string> licences = read_copyright(**text);
  if (licences.size() > limits::kLicencesMax) {
    gaps_.add_at(path, GapKind::kLimit, "more licences than are kept", "kLicencesMax");
    licences.resize(limits::kLicencesMax);
  }
  std::string joined;
  for (const std::string& licence : licences) joined += (joined.empty() ? "" : " AND ") + licence;
  return joined;
}

}  // namespace vigil::catalog
