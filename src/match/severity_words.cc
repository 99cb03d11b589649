#include "match/severity_words.h"

#include <algorithm>
#include <span>
#include <utility>

namespace vigil::match {

namespace {

using Word = std::pair<std::string_view, Severity>;

// Urgencies: https://security-team.debian.org/security_tracker.html#severity-levels. A star says
// that the urgency was set by a rule and not by a person. "not yet assigned" and "end-of-life" are
// no judgement.
constexpr Word kDebian[] = {
    {"unimportant", Severity::kNegligible},
    {"low", Severity::kLow},
    {"medium", Severity::kMedium},
    {"high", Severity::kHigh},
};

// Priorities: https://ubuntu.com/security/cves/about#priority. "untriaged" is no judgement.
constexpr Word kUbuntu[] = {
    {"negligible", Severity::kNegligible}, {"low", Severity::kLow},
    {"medium", Severity::kMedium},         {"high", Severity::kHigh},
    {"critical", Severity::kCritical},
};

// https://access.redhat.com/security/updates/classification, and who rebuilds or follows it.
constexpr Word kRedhat[] = {
    {"none", Severity::kNegligible},   {"low", Severity::kLow},
    {"moderate", Severity::kMedium},   {"medium", Severity::kMedium},
    {"important", Severity::kHigh},    {"high", Severity::kHigh},
    {"critical", Severity::kCritical},
};

// GHSA's words, and those of the databases that use CVSS's bands as words.
constexpr Word kBands[] = {
    {"none", Severity::kNegligible}, {"negligible", Severity::kNegligible},
    {"low", Severity::kLow},         {"moderate", Severity::kMedium},
    {"medium", Severity::kMedium},   {"high", Severity::kHigh},
    {"important", Severity::kHigh},  {"critical", Severity::kCritical},
};

struct Vendor {
  std::string_view family;  // The shard, or its part before the release.
  std::span<const Word> words;
};

constexpr Vendor kVendors[] = {
    {"almalinux", kRedhat}, {"amazon", kRedhat}, {"debian", kDebian}, {"fedora", kRedhat},
    {"oracle", kRedhat},    {"redhat", kRedhat}, {"rocky", kRedhat},  {"ubuntu", kUbuntu},
};

std::span<const Word> words_of(std::string_view shard) {
  const std::string_view family = shard.substr(0, shard.find('-'));
  for (const Vendor& vendor : kVendors) {
    if (vendor.family == family) return vendor.words;
  }
  return kBands;
}

}  // namespace

std::optional<Severity> severity_of_word(std::string_view shard, std::string_view word) {
  while (word.ends_with('*')) word.remove_suffix(1);
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  for (const auto& [known, severity] : words_of(shard)) {
    if (std::ranges::equal(known, word, {}, {}, lower)) return severity;
  }
  return std::nullopt;
}

}  // namespace vigil::match
