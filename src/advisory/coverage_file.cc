#include "advisory/coverage_file.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr size_t kAlternativesMax = 1000;  // Of one pattern, all braces taken apart.

// "a/{b,c}" is "a/b" and "a/c". Nothing where there are too many.
std::optional<std::vector<std::string>> without_braces(std::string_view pattern) {
  std::vector<std::string> open = {std::string(pattern)};
  std::vector<std::string> out;
  while (!open.empty()) {
    const std::string one = open.back();
    open.pop_back();
    const size_t end = one.find('}');
    const size_t start = end == std::string::npos ? end : one.rfind('{', end);
    if (start == std::string::npos) {
      out.push_back(one);
    } else {
      std::string_view words = std::string_view(one).substr(start + 1, end - start - 1);
      for (bool is_last = false; !is_last;) {
        const size_t comma = words.find(',');
        is_last = comma == std::string_view::npos;
        open.push_back(one.substr(0, start) + std::string(words.substr(0, comma)) +
                       one.substr(end + 1));
        words.remove_prefix(is_last ? words.size() : comma + 1);
        if (open.size() > kAlternativesMax) return std::nullopt;
      }
    }
    if (out.size() > kAlternativesMax) return std::nullopt;
  }
  std::ranges::sort(out);
  return out;
}

// "v3.11" as {3, 11}; empty for anything else.
std::vector<unsigned> release_numbers(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  std::vector<unsigned> numbers;
  while (!text.empty()) {
    unsigned number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc()) return {};
    numbers.push_back(number);
    text.remove_prefix(static_cast<size_t>(parsed.ptr - text.data()));
    if (text.empty()) break;
    if (text[0] != '.') return {};
    text.remove_prefix(1);
  }
  return numbers;
}

// Whether a part of a path is what a key of `as_of` names: itself, or a release in its span.
bool is_named(std::string_view key, std::string_view part) {
  if (key == part) return true;
  const size_t dash = key.find('-');
  if (dash == std::string_view::npos) return false;
  const std::vector<unsigned> from = release_numbers(key.substr(0, dash));
  const std::vector<unsigned> to = release_numbers(key.substr(dash + 1));
  const std::vector<unsigned> release = release_numbers(part);
  return !from.empty() && !to.empty() && !release.empty() && from <= release && release <= to;
}

bool is_named_in(std::string_view key, std::string_view path) {
  if (key.empty()) return true;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (is_named(key, path.substr(0, slash))) return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

}  // namespace

bool matches_pattern(const std::string& pattern, const std::string& path) {
  return fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

Result<CoverageFile> CoverageFile::parse(std::string_view json) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(json));
  CoverageFile out;
  for (const JsonView feed : root["feeds"].items()) {
    Entry entry;
    const std::string path(feed["path"].text());
    const auto malformed = [&](const std::string& why) {
      return fail(ErrorCode::kMalformed, "the entry of '" + path + "' " + why);
    };
    std::optional<std::vector<std::string>> patterns = without_braces(path);
    if (path.empty() || path.size() > limits::kPathBytesMax || !patterns)
      return malformed("has no usable path");
    entry.patterns = *std::move(patterns);
    if (!feed["coverage"].is_string()) return malformed("does not say its coverage");
    entry.coverage = parse_coverage(feed["coverage"].text());
    bool is_date = true;
    const auto add_date = [&](std::string_view key, JsonView value) {
      const Result<UnixSeconds> date = parse_time(value.text());
      is_date = is_date && date.has_value();
      if (date) entry.as_of.emplace_back(key, *date);
    };
    if (feed["as_of"].is_object()) {
      feed["as_of"].each_member(add_date);
    } else if (feed["as_of"].exists()) {
      add_date("", feed["as_of"]);
    }
    if (!is_date) return malformed("has an as_of that is no date");
    out.entries_.push_back(std::move(entry));
  }
  return out;
}

std::optional<FileStatement> CoverageFile::find(std::string_view path) const {
  const std::string whole(path);
  for (const Entry& entry : entries_) {
    const bool is_it = std::ranges::any_of(entry.patterns, [&](const std::string& pattern) {
      return matches_pattern(pattern, whole);
    });
    if (!is_it) continue;
    FileStatement statement{.coverage = entry.coverage};
    for (const auto& [key, date] : entry.as_of) {
      if (is_named_in(key, path)) statement.as_of = date;
    }
    return statement;
  }
  return std::nullopt;
}

}  // namespace vigil::advisory
