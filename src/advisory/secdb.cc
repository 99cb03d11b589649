#include "advisory/secdb.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "base/limits.h"
#include "decode/yaml.h"

namespace vigil::advisory {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

Result<SecdbDocument> from_json(std::string_view text) {
  JsonDocument json;
  const JsonView root = TRY(json.parse(text));
  SecdbDocument document;
  document.distroversion = root["distroversion"].text();
  document.reponame = root["reponame"].text();
  root["packages"].each([&](JsonView entry) {
    const JsonView pkg = entry["pkg"];
    SecdbPackage package;
    package.name = pkg["name"].text();
    pkg["secfixes"].each_member([&](std::string_view version, JsonView list) {
      std::vector<std::string> ids;
      list.each([&](JsonView id) { ids.emplace_back(id.text()); });
      package.fixes.emplace_back(std::string(version), std::move(ids));
    });
    document.packages.push_back(std::move(package));
  });
  return document;
}

Result<SecdbDocument> from_yaml(std::string_view text) {
  const decode::Yaml root = TRY(decode::parse_yaml(text));
  SecdbDocument document;
  document.distroversion = root["distroversion"].scalar;
  document.reponame = root["reponame"].scalar;
  for (const decode::Yaml& entry : root["packages"].list) {
    const decode::Yaml& pkg = entry["pkg"];
    SecdbPackage package;
    package.name = pkg["name"].scalar;
    for (const auto& [version, list] : pkg["secfixes"].map) {
      std::vector<std::string> ids;
      for (const decode::Yaml& id : list.list) ids.push_back(id.scalar);
      package.fixes.emplace_back(version, std::move(ids));
    }
    document.packages.push_back(std::move(package));
  }
  return document;
}

// The well-formed CVE id at the front of a word ("CVE-2021-35940.patch", "CVE_2019-2426",
// "CVE-2017-17434-1"), "" where there is none.
std::string leading_cve(std::string_view word) {
  constexpr size_t kPrefix = 9;  // "CVE-2021-"
  if (word.size() < kPrefix || !word.starts_with("CVE")) return "";
  std::string id(word);
  if (id[3] == '_') id[3] = '-';
  size_t end = kPrefix;
  while (end < id.size() && is_digit(id[end])) ++end;
  if (end < id.size() && (is_letter(id[end]) || id[end] == '?')) return "";
  id.resize(end);
  return is_cve(id) ? id : "";
}

// "XSA-207", "wnpa-sec-2017-18", "VSV00010", "GHSA-fhpf-pp6p-55qc", but not "XPTI".
bool is_other_id(std::string_view word) {
  if (word.empty() || !is_letter(word[0]) || word.starts_with("CVE")) return false;
  const bool is_plain = std::ranges::all_of(
      word, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == ':'; });
  return is_plain && (word.starts_with("GHSA-") || std::ranges::any_of(word, is_digit));
}

void add_once(std::vector<std::string>& list, std::string id) {
  if (std::ranges::find(list, id) == list.end()) list.push_back(std::move(id));
}

// What one package says of one id.
struct Fixes {
  std::vector<std::string> versions;  // In the order of the document.
  bool is_never_affected = false;
};

struct Entry {
  std::set<std::string> aliases;
  std::map<std::string, Fixes> packages;
};

bool is_sound(const SecdbPackage& package) {
  return !package.name.empty() && package.name.size() <= limits::kNameBytesMax;
}

void collect(const SecdbPackage& package, std::map<std::string, Entry>& entries,
             AdvisorySink& sink) {
  for (const auto& [version, strings] : package.fixes) {
    if (version.empty() || version.size() > limits::kVersionBytesMax) {
      sink.skip("secdb: a fix without a usable version");
      continue;
    }
    if (strings.empty()) sink.skip("secdb: a fix version without ids");
    for (const std::string& text : strings) {
      SecdbIds ids = parse_secdb_ids(text);
      if (ids.cves.empty() && ids.others.empty()) {
        sink.skip("secdb: a fix without a usable id");
        continue;
      }
      // Without a CVE the first id names the vulnerability and the others are its aliases.
      if (ids.cves.empty()) {
        ids.cves.push_back(std::move(ids.others.front()));
        ids.others.erase(ids.others.begin());
      }
      for (const std::string& id : ids.cves) {
        Entry& entry = entries[id];
        entry.aliases.insert(ids.others.begin(), ids.others.end());
        Fixes& fixes = entry.packages[package.name];
        if (version == "0") {
          fixes.is_never_affected = true;
        } else {
          add_once(fixes.versions, version);
        }
      }
    }
  }
}

// A package that is both never affected and fixed was affected once.
Affected affected_of(const std::string& package, const Fixes& fixes, std::string_view repository) {
  Affected affected;
  affected.package = package;
  affected.name_kind = NameKind::kSource;
  affected.repository = repository;
  affected.state = fixes.versions.empty() ? FixState::kNotAffected : FixState::kFixed;
  for (const std::string& version : fixes.versions) {
    affected.ranges.push_back({.introduced = "", .fixed = version, .last_affected = ""});
  }
  return affected;
}

}  // namespace

Result<SecdbDocument> parse_secdb(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  return is_json ? from_json(text) : from_yaml(text);
}

SecdbIds parse_secdb_ids(std::string_view text) {
  text = text.substr(0, text.find('('));  // A remark: "(BGP)", "(+ regression fix)".
  SecdbIds ids;
  bool is_after_bare_cve = false;
  while (true) {
    const size_t start = text.find_first_not_of(" \t,;");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const size_t end = std::min(text.find_first_of(" \t,;"), text.size());
    std::string word(text.substr(0, end));
    text.remove_prefix(end);
    if (is_after_bare_cve) word = "CVE-" + word;
    is_after_bare_cve = word == "CVE";
    std::string cve = leading_cve(word);
    if (!cve.empty()) {
      add_once(ids.cves, std::move(cve));
    } else if (is_other_id(word)) {
      add_once(ids.others, std::move(word));
    }
  }
  return ids;
}

void add_secdb(const SecdbDocument& document, std::string_view source, std::string_view shard,
               AdvisorySink& sink) {
  std::map<std::string, Entry> entries;
  for (const SecdbPackage& package : document.packages) {
    if (is_sound(package)) {
      collect(package, entries, sink);
    } else {
      sink.skip("secdb: a package without a usable name");
    }
  }
  for (const auto& [id, entry] : entries) {
    Advisory advisory;
    advisory.id = id;
    advisory.source = source;
    if (is_cve(id)) advisory.cves.push_back(id);
    advisory.aliases.assign(entry.aliases.begin(), entry.aliases.end());
    for (const auto& [package, fixes] : entry.packages) {
      advisory.affected.push_back(affected_of(package, fixes, document.reponame));
    }
    sink.add(shard, std::move(advisory));
  }
}

}  // namespace vigil::advisory
