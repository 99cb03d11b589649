// Package URLs, after package-url/purl-spec: PURL-SPECIFICATION.rst ("Rules for each purl
// component", "How to parse a purl string in its components") and the definitions of the types.
//
// One deliberate difference. The specification lower-cases the names of golang, npm and apk too,
// but those registries tell names by case (github.com/Masterminds/…, JSONStream, Alpine's R), and
// advisories name them as the registry does. A lower-cased name would silently match nothing, so
// the case of these three is kept. Nothing is lost for those who compare without case.
#include "model/purl.h"

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace vigil {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, "not a purl: " + std::move(message));
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Control characters have no place in any part of a purl, escaped or not: they would carry line
// ends and terminal escapes into lists and reports.
Result<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return malformed("a percent sign without two digits");
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return malformed("a percent sign without two digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return malformed("a control character");
    out += c;
  }
  return out;
}

// "Character encoding": letters, digits, ".-_~" and the colon stay as they are.
void append_encoded(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) ||
        std::string_view(".-_~:").find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    if (const std::string_view part = text.substr(0, end); !part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void append_segments(std::string& out, std::string_view path) {
  bool is_first = true;
  for (const std::string_view segment : split(path, '/')) {
    if (!is_first) out += '/';
    is_first = false;
    append_encoded(out, segment);
  }
}

Result<std::string> parse_type(std::string_view text) {
  if (text.empty() || is_digit(text[0])) return malformed("no type");
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '+') {
      return malformed("a type with other characters than letters, digits, '.', '+' and '-'");
    }
  }
  return lowered(text);
}

Result<std::string> parse_namespace(std::string_view text) {
  // Some writers escape the slashes between segments; the namespace is the same.
  const std::string decoded = TRY(decode(text));
  std::string out;
  for (const std::string_view segment : split(decoded, '/')) {
    if (!out.empty()) out += '/';
    out += segment;
  }
  return out;
}

Result<std::string> parse_subpath(std::string_view text) {
  std::string out;
  for (const std::string_view segment : split(text, '/')) {
    const std::string decoded = TRY(decode(segment));
    if (decoded.find('/') != std::string::npos) return malformed("an escaped slash in the subpath");
    if (decoded == "." || decoded == "..") continue;
    if (!out.empty()) out += '/';
    out += decoded;
  }
  return out;
}

Status parse_qualifiers(std::string_view text, Purl& purl) {
  for (const std::string_view pair : split(text, '&')) {
    const size_t equals = pair.find('=');
    const std::string key = lowered(pair.substr(0, equals));
    if (key.empty() || is_digit(key[0])) return malformed("a qualifier without a key");
    for (const char c : key) {
      if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '_') {
        return malformed(
            "a qualifier's key with other characters than letters, digits, '.', '-', '_'");
      }
    }
    if (equals == std::string_view::npos) continue;
    const std::string value = TRY(decode(pair.substr(equals + 1)));
    if (value.empty()) continue;
    purl.qualifiers.emplace_back(key, value);
  }
  std::sort(purl.qualifiers.begin(), purl.qualifiers.end());
  const auto same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(purl.qualifiers.begin(), purl.qualifiers.end(), same_key) !=
      purl.qualifiers.end()) {
    return malformed("a qualifier twice");
  }
  return {};
}

// What the definitions of the types demand.
void normalise(Purl& purl) {
  static constexpr std::array<std::string_view, 9> kLowerBoth = {
      "alpm", "bitbucket", "composer", "deb", "github", "hex", "luarocks", "qpkg", "githubactions"};
  static constexpr std::array<std::string_view, 2> kLowerNamespace = {"apk", "rpm"};
  static constexpr std::array<std::string_view, 4> kLowerName = {"bitnami", "oci", "pub", "pypi"};
  const auto is_in = [&](const auto& types) {
    return std::find(types.begin(), types.end(), purl.type) != types.end();
  };
  if (is_in(kLowerBoth) || is_in(kLowerNamespace)) purl.space = lowered(purl.space);
  if (is_in(kLowerBoth) || is_in(kLowerName)) purl.name = lowered(purl.name);
  if (purl.type == "pypi") std::replace(purl.name.begin(), purl.name.end(), '_', '-');
  if (purl.type == "huggingface") purl.version = lowered(purl.version);
}

}  // namespace

std::string_view Purl::qualifier(std::string_view key) const {
  for (const auto& [name_of, value] : qualifiers) {
    if (name_of == key) return value;
  }
  return "";
}

void Purl::set_qualifier(std::string_view key, std::string_view value) {
  std::erase_if(qualifiers, [&](const auto& pair) { return pair.first == key; });
  if (value.empty()) return;
  std::pair<std::string, std::string> added(key, value);
  qualifiers.insert(std::upper_bound(qualifiers.begin(), qualifiers.end(), added), added);
}

std::string Purl::text() const {
  std::string out = "pkg:" + type + "/";
  if (!space.empty()) {
    append_segments(out, space);
    out += '/';
  }
  append_encoded(out, name);
  if (!version.empty()) {
    out += '@';
    append_encoded(out, version);
  }
  char separator = '?';
  for (const auto& [key, value] : qualifiers) {
    if (value.empty()) continue;
    out += separator;
    separator = '&';
    out += key;
    out += '=';
    append_encoded(out, value);
  }
  if (!subpath.empty()) {
    out += '#';
    append_segments(out, subpath);
  }
  return out;
}

Result<Purl> Purl::parse(std::string_view text) {
  if (text.size() > limits::kPurlBytesMax) {
    return fail(ErrorCode::kTooLarge, "a purl longer than kPurlBytesMax");
  }
  if (text.size() < 4 || lowered(text.substr(0, 4)) != "pkg:") {
    return malformed("it does not begin with pkg:");
  }
  text.remove_prefix(4);
  Purl purl;
  if (const size_t hash = text.rfind('#'); hash != std::string_view::npos) {
    purl.subpath = TRY(parse_subpath(text.substr(hash + 1)));
    text = text.substr(0, hash);
  }
  if (const size_t question = text.rfind('?'); question != std::string_view::npos) {
    TRY(parse_qualifiers(text.substr(question + 1), purl));
    text = text.substr(0, question);
  }
  while (text.starts_with('/')) text.remove_prefix(1);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return malformed("no name");
  purl.type = TRY(parse_type(text.substr(0, slash)));
  text.remove_prefix(slash + 1);
  // An at sign that begins a segment is a scope which the writer did not escape: npm/@babel/core.
  const size_t at = text.rfind('@');
  if (at != std::string_view::npos && at > 0 && text[at - 1] != '/') {
    purl.version = TRY(decode(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  const size_t last = text.rfind('/');
  if (last != std::string_view::npos) {
    purl.space = TRY(parse_namespace(text.substr(0, last)));
    text.remove_prefix(last + 1);
  }
  purl.name = TRY(decode(text));
  if (purl.name.empty()) return malformed("no name");
  normalise(purl);
  return purl;
}

}  // namespace vigil
