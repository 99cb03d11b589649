#include "match/ignore_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/glob.h"
#include "base/limits.h"
#include "decode/yaml.h"

namespace vigil::match {

namespace {

using decode::Yaml;

// What is wrong at a place of the file.
std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

Result<UnixSeconds> read_date(std::string_view text) {
  const Result<UnixSeconds> time = parse_time(text);
  if (time && *time > 0) return *time;
  return wrong(fmt::format("'{}' is no date; write it like 2027-01-31", text));
}

// A scalar, or a list of scalars; what is not there is none.
Result<std::vector<std::string>> texts_of(const Yaml& node, std::string_view key) {
  std::vector<std::string> texts;
  if (node.kind == Yaml::Kind::kNull) return texts;
  const std::span<const Yaml> all = node.kind == Yaml::Kind::kList
                                        ? std::span<const Yaml>(node.list)
                                        : std::span<const Yaml>(&node, 1);
  for (const Yaml& one : all) {
    if (one.kind != Yaml::Kind::kScalar || one.scalar.empty()) {
      return wrong(fmt::format("'{}' wants a text, or a list of texts", key));
    }
    texts.push_back(one.scalar);
  }
  if (texts.empty()) return wrong(fmt::format("'{}' is an empty list; leave it out", key));
  return texts;
}

Result<std::string> text_of(const Yaml& node, std::string_view key) {
  std::vector<std::string> texts = TRY(texts_of(node, key));
  if (texts.size() > 1) return wrong(fmt::format("'{}' wants one text", key));
  return texts.empty() ? std::string() : std::move(texts[0]);
}

Result<std::vector<std::string>> globs_of(const Yaml& node, std::string_view key) {
  std::vector<std::string> patterns = TRY(texts_of(node, key));
  for (const std::string& pattern : patterns) TRY(check_glob(pattern));
  return patterns;
}

Result<std::vector<Purl>> purls_of(const Yaml& node, std::string_view key) {
  std::vector<Purl> purls;
  const std::vector<std::string> texts = TRY(texts_of(node, key));
  for (const std::string& text : texts) {
    Purl purl = TRY(with_context(Purl::parse(text), text));
    for (const std::string* part : {&purl.space, &purl.name, &purl.version, &purl.subpath}) {
      TRY(check_glob(*part));
    }
    purls.push_back(std::move(purl));
  }
  return purls;
}

Result<std::vector<FixState>> states_of(const Yaml& node, std::string_view key) {
  std::vector<FixState> states;
  const std::vector<std::string> words = TRY(texts_of(node, key));
  for (const std::string& word : words) {
    const std::vector<FixState> named = fix_states_named(word);
    if (named.empty()) {
      return wrong(
          fmt::format("'{}' is no state of a fix; there are: affected, fixed, "
                      "will_not_fix, fix_deferred, end_of_life, under_investigation",
                      word));
    }
    states.insert(states.end(), named.begin(), named.end());
  }
  return states;
}

Result<std::vector<Distro>> distros_of(const Yaml& node, std::string_view key) {
  std::vector<Distro> distros;
  const std::vector<std::string> texts = TRY(texts_of(node, key));
  for (const std::string& text : texts) {
    distros.push_back(parse_distro(text));
    if (!distros.back().is_known()) {
      return wrong(
          fmt::format("'{}' names no distribution; write it like debian or alpine-3.20", text));
    }
  }
  return distros;
}

// One member of a rule. False: no such member.
Result<bool> take_own(IgnoreRule& rule, std::string_view key, const Yaml& value) {
  if (key == "id") {
    rule.ids = TRY(texts_of(value, key));
  } else if (key == "package") {
    rule.packages = TRY(globs_of(value, key));
  } else if (key == "purl") {
    rule.purls = TRY(purls_of(value, key));
  } else if (key == "path") {
    rule.paths = TRY(globs_of(value, key));
  } else if (key == "distro") {
    rule.distros = TRY(distros_of(value, key));
  } else if (key == "state") {
    rule.states = TRY(states_of(value, key));
  } else if (key == "reason") {
    rule.reason = TRY(text_of(value, key));
  } else if (key == "expires") {
    const std::string date = TRY(text_of(value, key));
    rule.expires_at = TRY(read_date(date));
  } else {
    return false;
  }
  return true;
}

Result<bool> take_trivy(IgnoreRule& rule, std::string_view key, const Yaml& value) {
  if (key == "id") {
    rule.ids = TRY(texts_of(value, key));
  } else if (key == "paths") {
    rule.paths = TRY(globs_of(value, key));
  } else if (key == "purls") {
    rule.purls = TRY(purls_of(value, key));
  } else if (key == "statement") {
    rule.reason = TRY(text_of(value, key));
  } else if (key == "expired_at" && value) {
    const std::string date = TRY(text_of(value, key));
    rule.expires_at = TRY(read_date(date));
  } else {
    return key == "expired_at";
  }
  return true;
}

// Grype's patterns of names are regular expressions of the whole name. Names and ".*" are
// understood; a dot stands for itself.
Result<std::vector<std::string>> names_of(const Yaml& node, std::string_view key) {
  std::vector<std::string> names = TRY(texts_of(node, key));
  for (std::string& name : names) {
    for (size_t at = 0; (at = name.find(".*", at)) != std::string::npos; at += 2) {
      name.replace(at, 2, "**");
    }
    std::string rest = name;
    for (size_t at = 0; (at = rest.find("**")) != std::string::npos;) rest.erase(at, 2);
    if (rest.find_first_of("*?|()^$[{\\") != std::string::npos) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("of regular expressions only .* is understood: '{}'", name));
    }
    TRY(check_glob(name));
  }
  return names;
}

// Syft's word for a kind of package, where it is not the purl's.
PackageKind kind_named(std::string_view word) {
  constexpr std::pair<std::string_view, PackageKind> kWords[] = {
      {"python", PackageKind::kPypi},           {"go-module", PackageKind::kGo},
      {"java-archive", PackageKind::kMaven},    {"rust-crate", PackageKind::kCargo},
      {"php-composer", PackageKind::kComposer}, {"dotnet", PackageKind::kNuget},
      {"dart-pub", PackageKind::kPub}};
  const auto found =
      std::ranges::find(kWords, word, &std::pair<std::string_view, PackageKind>::first);
  return found == std::end(kWords) ? package_kind(word) : found->second;
}

Result<bool> take_grype_package(IgnoreRule& rule, std::string_view key, const Yaml& value) {
  if (key == "name") {
    rule.packages = TRY(names_of(value, key));
  } else if (key == "version") {
    rule.versions = TRY(texts_of(value, key));
  } else if (key == "location") {
    rule.paths = TRY(globs_of(value, key));
  } else if (key == "upstream-name") {
    rule.upstreams = TRY(texts_of(value, key));
  } else if (key == "type") {
    const std::string word = TRY(text_of(value, key));
    rule.kinds.push_back(kind_named(word));
    if (rule.kinds[0] == PackageKind::kUnknown) {
      return wrong(fmt::format("'{}' is no type of package that is known here", word));
    }
  } else {
    return false;
  }
  return true;
}

using Take = Result<bool> (*)(IgnoreRule& rule, std::string_view key, const Yaml& value);

// All members of a map into the rule. An Error begins with the member's line.
Status take_each(IgnoreRule& rule, const Yaml& map, Take take, std::string_view known,
                 std::string_view name) {
  for (const auto& [key, value] : map.map) {
    const std::string place = fmt::format("{}:{}", name, value.line);
    const bool is_taken = TRY(with_context(take(rule, key, value), place));
    if (is_taken) continue;
    return with_context(
        Status(fail(ErrorCode::kUnsupported,
                    fmt::format("'{}' is not understood in a rule; there are: {}", key, known))),
        place);
  }
  return {};
}

Result<bool> take_grype(IgnoreRule& rule, std::string_view key, const Yaml& value) {
  if (key == "vulnerability") {
    rule.ids = TRY(texts_of(value, key));
  } else if (key == "fix-state") {
    rule.states = TRY(states_of(value, key));
  } else if (key == "reason") {
    rule.reason = TRY(text_of(value, key));
  } else if (key == "package") {
    for (const auto& [part, node] : value.map) {
      if (!TRY(take_grype_package(rule, part, node))) {
        return fail(ErrorCode::kUnsupported,
                    fmt::format("'package.{}' is not understood; there are: name, version, type, "
                                "location, upstream-name",
                                part));
      }
    }
  } else {
    return key == "include-aliases";  // They always are.
  }
  return true;
}

// One of the three kinds of YAML.
struct Dialect {
  std::string_view list;  // The member that holds the rules.
  Take take;
  std::string_view known;  // The members of a rule.
  bool wants_reason;
};
constexpr Dialect kDialects[] = {
    {"rules", take_own, "id, package, purl, path, distro, state, reason, expires", true},
    {"vulnerabilities", take_trivy, "id, paths, purls, statement, expired_at", false},
    {"ignore", take_grype, "vulnerability, package, fix-state, reason", false}};

Result<std::vector<IgnoreRule>> read_rules(const Yaml& list, const Dialect& dialect,
                                           std::string_view name) {
  std::vector<IgnoreRule> rules;
  const auto at = [&](const Yaml& node) { return fmt::format("{}:{}", name, node.line); };
  if (!list) return rules;
  if (list.kind != Yaml::Kind::kList) {
    return wrong(fmt::format("{}: '{}' wants a list of rules", at(list), dialect.list));
  }
  if (list.list.size() > limits::kIgnoreRulesMax) {
    return fail(ErrorCode::kTooLarge, fmt::format("{}: more than kIgnoreRulesMax rules", name));
  }
  for (const Yaml& one : list.list) {
    if (one.kind != Yaml::Kind::kMap) {
      return wrong(fmt::format("{}: a rule wants members: {}", at(one), dialect.known));
    }
    IgnoreRule rule;
    rule.place = at(one);
    TRY(take_each(rule, one, dialect.take, dialect.known, name));
    if (!is_selective(rule)) {
      return wrong(fmt::format("{}: a rule that names no id and no package would hide everything",
                               rule.place));
    }
    if (dialect.wants_reason && rule.reason.empty()) {
      return wrong(fmt::format("{}: a rule wants a reason: why may this be ignored?", rule.place));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::vector<IgnoreRule>> read_yaml(std::string_view text, std::string_view name) {
  const Yaml root = TRY(with_context(decode::parse_yaml(text), name));
  if (!root) return std::vector<IgnoreRule>();
  for (const Dialect& dialect : kDialects) {
    const bool is_there = std::ranges::any_of(
        root.map, [&](const auto& member) { return member.first == dialect.list; });
    if (!is_there) continue;
    // In a file of our own all that is not understood is a mistake.
    if (dialect.wants_reason && root.map.size() > 1) {
      return wrong(fmt::format("{}:{}: beside 'rules' nothing is understood", name, root.line));
    }
    return read_rules(root[dialect.list], dialect, name);
  }
  constexpr std::string_view kOfTrivy[] = {"secrets", "misconfigurations", "licenses"};
  const bool is_of_trivy = std::ranges::any_of(kOfTrivy, [&](std::string_view section) {
    return std::ranges::find(root.map, section, &std::pair<std::string, Yaml>::first) !=
           root.map.end();
  });
  if (is_of_trivy) return std::vector<IgnoreRule>();
  return wrong(
      fmt::format("{}:{}: no ignore rules are in it; they stand in a list 'rules:' (or "
                  "Trivy's 'vulnerabilities:', or Grype's 'ignore:')",
                  name, root.line));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

// The first word, which is taken off.
std::string_view next_word(std::string_view& rest) {
  rest = trimmed(rest);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

// One line of a .trivyignore; nothing where it holds no rule.
Result<std::optional<IgnoreRule>> read_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view id = next_word(rest);
  if (id.empty() || id.starts_with('#')) return std::nullopt;
  IgnoreRule rule;
  rule.ids.emplace_back(id);
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (word.starts_with('#')) {
      rule.reason = trimmed(std::string(word.substr(1)) + std::string(rest));
      break;
    }
    if (word.starts_with("exp:")) rule.expires_at = TRY(read_date(word.substr(4)));
  }
  return rule;
}

Result<std::vector<IgnoreRule>> read_lines(std::string_view text, std::string_view name) {
  std::vector<IgnoreRule> rules;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string place = fmt::format("{}:{}", name, number);
    std::optional<IgnoreRule> rule = TRY(with_context(read_line(line), place));
    if (!rule) continue;
    if (rules.size() == limits::kIgnoreRulesMax) {
      return fail(ErrorCode::kTooLarge, place + ": more than kIgnoreRulesMax rules");
    }
    rule->place = place;
    rules.push_back(*std::move(rule));
  }
  return rules;
}

}  // namespace

Result<std::vector<IgnoreRule>> read_ignore_file(std::string_view text, std::string_view name) {
  if (text.size() > limits::kIgnoreFileBytesMax) {
    return fail(ErrorCode::kTooLarge, fmt::format("{}: larger than kIgnoreFileBytesMax", name));
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const bool is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
  return is_yaml ? read_yaml(text, name) : read_lines(text, name);
}

}  // namespace vigil::match
