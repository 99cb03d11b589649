// The problem: records come by source, with their own ids, and may name no CVE, one or several; two
// records may be about one vulnerability without saying so by a CVE. The way taken:
//   1. Every record stands under its CVEs, or, without one, under its own id.
//   2. A record without a CVE that names another one as its alias, or is named by it, stands where
//      that one stands; among several without a CVE the smallest id in byte order gives the name
//      ("GHSA-…" before "GO-…" before "PYSEC-…" before "RUSTSEC-…").
//   3. Under each id the matcher settles who has the last word; what still holds is a finding.
// Two CVEs never merge: an alias that is a CVE moves nothing.
#include "match/merge.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "match/rules.h"
#include "match/severity_words.h"

namespace vigil::match {

namespace {

// Borrowed from the advisories.
using Ids = std::vector<std::string_view>;

template <typename Text>
void add_once(std::vector<Text>& list, std::string_view text) {
  if (std::ranges::find(list, text) == list.end()) list.emplace_back(text);
}

// Notices stand apart from vulnerabilities of the same id.
std::pair<std::string_view, NoticeKind> key_of(const PlacedView& one) {
  return {one.id, one.statement->affected->notice};
}

// Under which ids each record stands: rules 1 and 2.
class Places {
 public:
  explicit Places(std::span<const StatementView> statements) {
    // Distributions' records name their CVEs, nearly always: nothing is to be joined then.
    const bool has_nameless = std::ranges::any_of(
        statements, [](const StatementView& one) { return one.advisory->cves.empty(); });
    if (!has_nameless) return;
    for (const StatementView& one : statements) {
      const Advisory& advisory = *one.advisory;
      if (!advisory.cves.empty()) {
        for (const std::string& cve : advisory.cves) {
          add_once(cves_[advisory.id], cve);
          for (const std::string& alias : advisory.aliases) add_once(cves_of_alias_[alias], cve);
        }
      } else {
        join(advisory.id, advisory.id);
        for (const std::string& alias : advisory.aliases) join(advisory.id, alias);
      }
    }
    for (const StatementView& one : statements) {
      if (one.advisory->cves.empty()) members_[root(one.advisory->id)].insert(one.advisory->id);
    }
  }

  // Borrows from the statements and their advisories.
  std::vector<PlacedView> of(std::span<const StatementView> statements) const {
    std::vector<PlacedView> placed;
    placed.reserve(statements.size());
    for (const StatementView& one : statements) {
      if (one.advisory->cves.empty()) {
        for (const std::string_view id : ids_of_nameless(*one.advisory))
          placed.push_back({id, &one});
      }
      for (const std::string& cve : one.advisory->cves) placed.push_back({cve, &one});
    }
    return placed;
  }

 private:
  // The CVEs of the records that are aliases of this one; where there are none, its own id or that
  // of one without a CVE that is.
  Ids ids_of_nameless(const Advisory& advisory) const {
    Ids ids;
    const auto add_all = [&](const auto& table, std::string_view key) {
      const auto found = table.find(key);
      if (found == table.end()) return;
      for (const std::string_view cve : found->second) add_once(ids, cve);
    };
    add_all(cves_of_alias_, advisory.id);
    for (const std::string& alias : advisory.aliases) add_all(cves_, alias);
    if (ids.empty()) ids.push_back(*members_.at(root(advisory.id)).begin());
    return ids;
  }

  std::string_view root(std::string_view id) const {
    for (auto at = parent_.find(id); at != parent_.end() && at->second != id;) {
      id = at->second;
      at = parent_.find(id);
    }
    return id;
  }
  void join(std::string_view a, std::string_view b) {
    parent_.try_emplace(a, a);
    parent_.try_emplace(b, b);
    const std::string_view left = root(a);
    const std::string_view right = root(b);
    if (left != right) parent_[std::max(left, right)] = std::min(left, right);
  }

  std::map<std::string_view, Ids> cves_;           // By record.
  std::map<std::string_view, Ids> cves_of_alias_;  // By what such records call their aliases.
  std::map<std::string_view, std::string_view> parent_;
  std::map<std::string_view, std::set<std::string_view>> members_;
};

// How much a state says, where several open records hold and none has a fix.
int rank_of(FixState state) {
  switch (state) {
    case FixState::kWillNotFix:
      return 0;
    case FixState::kEndOfLife:
      return 1;
    case FixState::kFixDeferred:
      return 2;
    case FixState::kAffected:
      return 3;
    case FixState::kFixed:
      return 3;
    case FixState::kUnderInvestigation:
      return 4;
    case FixState::kNotAffected:
      return 5;
  }
  return 5;
}

struct Fix {
  std::string version;
  const StatementView* statement;
  size_t index;  // In the order found.
};

// Whether a record denies that the version is a fix. An open record without an end knows of no fix,
// so it denies none that another source has.
bool denies_fix(const version::Scheme& scheme, std::string_view fix, const Affected& affected) {
  const bool has_all_ranges = affected.state == FixState::kFixed;
  return std::ranges::any_of(affected.ranges,
                             [&](const AffectedRange& range) {
                               const bool is_bounded =
                                   !range.fixed.empty() || !range.last_affected.empty();
                               return (has_all_ranges || is_bounded) &&
                                      version::in_range(scheme, fix, range).value_or(false);
                             }) ||
         listed_version(scheme, fix, affected) != nullptr;
}

// Whether one record speaks alone, of all versions below one: that one is then the fix, as what
// holds is below it.
bool is_plain_fix(std::span<const StatementView* const> held) {
  const Affected& first = *held.front()->affected;
  return held.size() == 1 && first.state == FixState::kFixed && first.ranges.size() == 1 &&
         !first.ranges[0].fixed.empty() && first.ranges[0].last_affected.empty() &&
         first.ranges[0].introduced.empty() && first.versions.empty();
}

// The versions that end the vulnerability, nearest first: above the installed one, and not
// themselves affected by what else is said under this id.
std::vector<Fix> fixes_of(const version::Scheme& scheme,
                          std::span<const StatementView* const> held) {
  std::vector<Fix> fixes;
  for (const StatementView* one : held) {
    if (one->affected->state != FixState::kFixed) continue;
    for (const AffectedRange& range : one->affected->ranges) {
      if (range.fixed.empty()) continue;
      const Result<std::strong_ordering> order =
          version::compare(scheme, range.fixed, one->lookup->version);
      if (!order || *order != std::strong_ordering::greater) continue;
      const bool is_affected = std::ranges::any_of(held, [&](const StatementView* other) {
        return denies_fix(scheme, range.fixed, *other->affected);
      });
      if (!is_affected) fixes.push_back({range.fixed, one, fixes.size()});
    }
  }
  // Maven's order is not transitive. A stable sort stays within the list all the same; a plain one
  // may leave it.
  std::ranges::stable_sort(fixes, [&](const Fix& a, const Fix& b) {
    const Result<std::strong_ordering> order = version::compare(scheme, a.version, b.version);
    if (order && *order != std::strong_ordering::equal) return *order == std::strong_ordering::less;
    return std::tie(a.version, a.index) < std::tie(b.version, b.index);
  });
  const auto repeated = std::ranges::unique(
      fixes, {}, [](const Fix& fix) -> const std::string& { return fix.version; });
  fixes.erase(repeated.begin(), repeated.end());
  return fixes;
}

// What the installed version is among, as people read it.
std::string range_text(const StatementView& statement) {
  if (statement.range != nullptr) return version::range_text(*statement.range);
  return statement.version == nullptr ? "all versions" : "= " + *statement.version;
}

void add_records(Finding& finding, const Plan& plan, std::span<const StatementView* const> held) {
  for (const StatementView* one : held) {
    const Advisory& advisory = *one->advisory;
    const bool is_new = std::ranges::none_of(finding.advisories, [&](const MatchedAdvisory& known) {
      return known.id == advisory.id && known.source == advisory.source;
    });
    if (is_new) {
      MatchedAdvisory& record = finding.advisories.emplace_back();
      record.id = advisory.id;
      record.source = advisory.source;
      record.shard = plan.shard;
      record.name_searched = one->lookup->name;
      record.version_compared = one->lookup->version;
      record.is_indirect = one->lookup->is_source && !one->lookup->is_binary;
      record.range = range_text(*one);
      record.scheme = plan.scheme->name;
      record.url = advisory.url;
    }
    // With several CVEs the record is a bulletin about them, not another name of one.
    if (advisory.cves.size() <= 1) {
      if (advisory.id != finding.id) finding.aliases.push_back(advisory.id);
      std::ranges::remove_copy(advisory.aliases, std::back_inserter(finding.aliases), finding.id);
    }
    for (const Cvss& cvss : advisory.cvss) {
      if (std::ranges::find(finding.cvss, cvss.vector, &Cvss::vector) == finding.cvss.end()) {
        finding.cvss.push_back(cvss);
      }
    }
    for (const std::string& cwe : advisory.cwes) add_once(finding.cwes, cwe);
    const bool is_earlier =
        advisory.published_at != 0 &&
        (finding.published_at == 0 || advisory.published_at < finding.published_at);
    if (is_earlier) finding.published_at = advisory.published_at;
    finding.modified_at = std::max(finding.modified_at, advisory.modified_at);
  }
  std::ranges::sort(finding.aliases);
  const auto repeated = std::ranges::unique(finding.aliases);
  finding.aliases.erase(repeated.begin(), repeated.end());
  std::ranges::sort(finding.advisories, {}, [](const MatchedAdvisory& record) {
    return std::tie(record.source, record.id);
  });
}

// The most severe of the vendor's words that the records carry.
void add_vendor_severity(Finding& finding, std::string_view shard,
                         std::span<const StatementView* const> held) {
  for (const StatementView* one : held) {
    const std::string& word = one->affected->vendor_severity.empty()
                                  ? one->advisory->vendor_severity
                                  : one->affected->vendor_severity;
    const std::optional<Severity> severity = severity_of_word(shard, word);
    if (severity && *severity > finding.severity) {
      finding.severity = *severity;
      finding.severity_source = one->advisory->source;
      finding.vendor_severity = word;
    } else if (finding.vendor_severity.empty()) {
      finding.vendor_severity = word;
    }
  }
}

void add_fix(Finding& finding, const Plan& plan, std::span<const StatementView* const> held) {
  // Most findings: nothing is to be compared.
  if (is_plain_fix(held)) {
    const Affected& affected = *held.front()->affected;
    finding.state = FixState::kFixed;
    finding.fixed_versions.push_back(affected.ranges[0].fixed);
    finding.fixed_at = affected.fixed_at;
    finding.fix_channel = affected.channel;
    return;
  }
  const std::vector<Fix> fixes = fixes_of(*plan.scheme, held);
  if (!fixes.empty()) {
    finding.state = FixState::kFixed;
    for (const Fix& fix : fixes) finding.fixed_versions.push_back(fix.version);
    finding.fixed_at = fixes[0].statement->affected->fixed_at;
    finding.fix_channel = fixes[0].statement->affected->channel;
    return;
  }
  const auto best = std::ranges::min_element(
      held, {}, [](const StatementView* one) { return rank_of(one->affected->state); });
  const FixState state = (*best)->affected->state;
  finding.state = state == FixState::kFixed ? FixState::kAffected : state;
}

}  // namespace

std::vector<PlacedView> place_statements(std::span<const StatementView> statements) {
  std::vector<PlacedView> placed = Places(statements).of(statements);
  // The records of one source come sorted by id.
  if (!std::ranges::is_sorted(placed, {}, key_of)) std::ranges::stable_sort(placed, {}, key_of);
  return placed;
}

size_t end_of_group(std::span<const PlacedView> placed, size_t from) {
  while (from > 0 && from < placed.size() && key_of(placed[from]) == key_of(placed[from - 1])) {
    ++from;
  }
  return from;
}

std::vector<Finding> merge_findings(const Matcher& matcher, const Plan& plan,
                                    std::span<const PlacedView> placed) {
  std::vector<Finding> findings;
  findings.reserve(placed.size());
  std::vector<StatementView> group;
  std::vector<const StatementView*> held;
  for (size_t first = 0, end = 0; first < placed.size(); first = end) {
    end = end_of_group(placed, first + 1);
    group.clear();
    for (size_t i = first; i < end; ++i) group.push_back(*placed[i].statement);
    matcher.settle(group, plan);
    held.clear();
    for (const StatementView& one : group) {
      const bool is_match =
          one.holds && !one.is_dropped && one.affected->state != FixState::kNotAffected;
      if (is_match) held.push_back(&one);
    }
    if (held.empty()) continue;
    Finding& finding = findings.emplace_back();
    finding.id = placed[first].id;
    finding.notice = placed[first].statement->affected->notice;
    add_records(finding, plan, held);
    add_vendor_severity(finding, plan.shard, held);
    add_fix(finding, plan, held);
  }
  return findings;
}

}  // namespace vigil::match
