// match_sbom: judge each package · make its findings, with facts, severity, risk, fingerprint ·
// order · say which data was used. Packages are judged, and batches of findings made, in parallel,
// each into its own slot, so that the output does not depend on the number of threads.
#include "match/match.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "base/digest.h"
#include "base/limits.h"
#include "base/thread_pool.h"
#include "base/work_counts.h"
#include "match/merge.h"
#include "match/risk.h"
#include "model/purl.h"

namespace vigil::match {

namespace {

using advisory::AffectedEntry;
using advisory::Database;
using advisory::Knowledge;
using advisory::Shard;

constexpr std::string_view kDamageStart = "the shard ";
constexpr std::string_view kDamageEnd = " is damaged";

std::string damage_of(std::string_view shard) {
  return std::string(kDamageStart) + std::string(shard) + std::string(kDamageEnd);
}

// What is said of a package, and the advisories that it borrows from.
struct Said {
  std::list<Advisory> advisories;  // Without their entries; stay where they are.
  std::list<Affected> entries;
  std::vector<StatementView> statements;
};

// A distribution that packages speak of.
struct Release {
  Distro distro;
  // Since when nobody looks after it any more, not even under extended support; "" where somebody
  // does, or it is not known.
  std::string end_of_support;
};

// What came of one package.
struct Judgement {
  PackageVerdict verdict;  // Of the shard's silence, until there are findings.
  std::vector<Gap> gaps;
  std::string shard;  // Looked into; "" where none was.
  uint64_t work = 0;  // How much there is to be read.
  // What its findings are made of.
  const Matcher* matcher = nullptr;
  Plan plan;
  Said said;
  std::vector<PlacedView> placed;
};

PackageVerdict not_checkable(std::string reason) {
  return {.state = PackageState::kNotCheckable, .reason = std::move(reason)};
}

// "alpine 3.20", or the ecosystem's name.
std::string subject_of(const Package& package, const Distro& distro, const Plan& plan) {
  if (!is_os_package(package.kind)) return plan.shard;
  const std::string release = feed_release(distro);
  return release.empty() ? distro.id : distro.id + " " + release;
}

// Whether the distribution's packages are of another kind.
bool is_foreign(const Package& package, const Distro& distro) {
  return std::ranges::any_of(
      std::initializer_list<PackageKind>{PackageKind::kDeb, PackageKind::kApk, PackageKind::kRpm},
      [&](PackageKind kind) {
        Package other;
        other.kind = kind;
        return kind != package.kind && find_matcher(other, distro) != nullptr;
      });
}

// A plan, or the reason why there is none.
Plan plan_for(const Package& package, const Distro& distro, const Matcher* matcher) {
  Plan plan;
  if (package.kind == PackageKind::kUnknown) {
    plan.refusal = "its kind is not known";
  } else if (is_os_package(package.kind) && !distro.is_known()) {
    plan.refusal = "the distribution is not known";
  } else if (matcher == nullptr && is_os_package(package.kind) && is_foreign(package, distro)) {
    plan.refusal = distro.text() + " has no " + std::string(purl_type(package.kind)) + " packages";
  } else if (matcher == nullptr) {
    const std::string what =
        is_os_package(package.kind) ? distro.text() : std::string(purl_type(package.kind));
    plan.refusal = "no advisories for " + what + " in the database";
  } else {
    plan = matcher->plan(package, distro);
    if (plan.refusal.empty() && package.version.empty()) plan.refusal = "it has no version";
  }
  return plan;
}

// The first lookup whose version is past the bound.
const Lookup* overlong(const Plan& plan) {
  for (const Lookup& lookup : plan.lookups) {
    if (lookup.version.size() > limits::kVersionBytesMax) return &lookup;
  }
  return nullptr;
}

// Never 0.
uint64_t hashed(std::string_view id) {
  return xxh3(as_bytes(id)) | 1;
}

// Whether a hash is in both lists. A kernel has thousands: sorting them takes a fifth of what
// judging it does, so they go to a table that is half empty.
bool have_common(std::span<const uint64_t> some, std::span<const uint64_t> others) {
  const size_t mask = std::bit_ceil(2 * some.size() + 1) - 1;
  std::vector<uint64_t> table(mask + 1);
  const auto place_of = [&](uint64_t hash) -> uint64_t& {
    size_t at = hash >> 1 & mask;
    while (table[at] != 0 && table[at] != hash) at = (at + 1) & mask;
    return table[at];
  };
  for (const uint64_t hash : some) place_of(hash) = hash;
  return std::ranges::any_of(others, [&](uint64_t hash) { return place_of(hash) == hash; });
}

// Reads what the shard says of one package. Most advisories are about versions long gone, and
// are let pass without a copy of anything, unless they have a say in what another one claims.
class Listener {
 public:
  enum class Keep { kMatches, kAll };

  Listener(const Package& package, const Matcher& matcher, const Plan& plan, Keep keep)
      : package_(package),
        matcher_(matcher),
        plan_(plan),
        keep_(keep),
        by_lookup_(plan.lookups.size()) {}

  Status listen(const Shard& shard) {
    for (size_t i = 0; i < plan_.lookups.size(); ++i) {
      const std::string& name = plan_.lookups[i].name;
      const auto before = std::span(plan_.lookups).first(i);
      if (std::ranges::find(before, name, &Lookup::name) != before.end()) continue;
      decided_.assign(plan_.lookups.size(), {});
      const auto hear_of_name = [&](Advisory& advisory, std::span<const AffectedEntry> entries) {
        return hear(advisory, entries, name);
      };
      TRY(shard.each(name, said_.entries, hear_of_name));
    }
    return {};
  }

  // Whether what was let pass changes nothing: it shares no id with what was kept.
  bool is_enough() {
    if (said_.advisories.empty() || passed_.empty()) return true;
    if (has_nameless_) return false;
    return !have_common(kept_, passed_);
  }

  Said take() {
    for (std::vector<StatementView>& statements : by_lookup_) {
      if (said_.statements.empty()) {
        said_.statements = std::move(statements);
      } else {
        std::ranges::move(statements, std::back_inserter(said_.statements));
      }
    }
    return std::move(said_);
  }

 private:
  // Of all lookups that share the name. Whether it is kept.
  bool hear(Advisory& advisory, std::span<const AffectedEntry> entries, std::string_view name) {
    if (advisory.is_withdrawn) return false;
    heard_.clear();
    bool is_kept = keep_ == Keep::kAll;
    for (size_t i = 0; i < plan_.lookups.size(); ++i) {
      if (plan_.lookups[i].name != name) continue;
      for (const AffectedEntry& entry : entries) {
        const std::optional<StatementView> statement = decide(i, entry);
        if (!statement) continue;
        is_kept |= statement->holds && entry.affected->state != FixState::kNotAffected;
        heard_.emplace_back(i, *statement);
      }
    }
    if (heard_.empty()) return false;
    has_nameless_ |= advisory.cves.empty();
    std::vector<uint64_t>& ids = is_kept ? kept_ : passed_;
    for (const std::string& cve : advisory.cves) ids.push_back(hashed(cve));
    if (advisory.cves.empty()) ids.push_back(hashed(advisory.id));
    if (!is_kept) return false;
    said_.advisories.push_back(std::move(advisory));
    for (auto& [index, statement] : heard_) {
      statement.advisory = &said_.advisories.back();
      by_lookup_[index].push_back(statement);
    }
    return true;
  }

  // What many advisories say is compared once.
  std::optional<StatementView> decide(size_t lookup, const AffectedEntry& entry) {
    const auto decide_anew = [&] {
      return matcher_.decide(package_, plan_, plan_.lookups[lookup], *entry.affected);
    };
    if (!entry.number) return decide_anew();
    std::vector<std::optional<Decision>>& decided = decided_[lookup];
    if (decided.size() <= *entry.number) decided.resize(*entry.number + 1);
    std::optional<Decision>& decision = decided[*entry.number];
    if (!decision) decision = decide_anew();
    return *decision;
  }

  using Decision = std::optional<StatementView>;

  const Package& package_;
  const Matcher& matcher_;
  const Plan& plan_;
  const Keep keep_;
  Said said_;
  std::vector<std::vector<StatementView>> by_lookup_;
  // By lookup and the entry's number; of one name.
  std::vector<std::vector<std::optional<Decision>>> decided_;
  std::vector<std::pair<size_t, StatementView>> heard_;  // Of one advisory.
  std::vector<uint64_t> kept_;  // Ids, hashed: one that only seems to be shared does no harm.
  std::vector<uint64_t> passed_;
  bool has_nameless_ = false;  // An advisory without a CVE: its aliases join it with others.
};

Result<Said> listen(const Package& package, const Matcher& matcher, const Plan& plan,
                    const Shard& shard) {
  Listener matches(package, matcher, plan, Listener::Keep::kMatches);
  TRY(matches.listen(shard));
  if (matches.is_enough()) return matches.take();
  Listener all(package, matcher, plan, Listener::Keep::kAll);
  TRY(all.listen(shard));
  return all.take();
}

// How long the release is looked after: what the database knows of it, else what the system says
// of itself. Nothing where neither does, which is not to say that it is supported.
Result<std::optional<ReleaseLife>> life_of(const Distro& distro, const Database& database) {
  std::optional<ReleaseLife> life = TRY(database.release_life(distro.id, feed_release(distro)));
  if (life && life->end_of_life_at != 0) return life;
  if (distro.support_ends_at == 0) return std::nullopt;
  life.emplace();
  life->end_of_life_at = distro.support_ends_at;
  return life;
}

Release release_of(Distro distro, const Database& database, UnixSeconds now) {
  Release out = {.distro = std::move(distro), .end_of_support = ""};
  if (!out.distro.is_known()) return out;
  const Result<std::optional<ReleaseLife>> life = life_of(out.distro, database);
  if (!life || !*life) return out;
  const UnixSeconds end = std::max((*life)->end_of_life_at, (*life)->end_of_extended_life_at);
  if (now < end) return out;
  out.end_of_support = out.distro.id + " " + feed_release(out.distro) +
                       " has had no support since " + format_date(end);
  return out;
}

// By what the packages say, each read once: in a document every purl names one. Fixed once built.
class Releases {
 public:
  Releases(const Sbom& sbom, const Database& database, UnixSeconds now) {
    for (const Package& package : sbom.packages) {
      if (known_.contains(package.distro)) continue;
      Distro distro = package.distro.empty() ? sbom.distro : parse_distro(package.distro);
      known_.emplace(package.distro, release_of(std::move(distro), database, now));
    }
  }

  const Release& of(const Package& package) const { return known_.find(package.distro)->second; }

 private:
  std::map<std::string, Release, std::less<>> known_;
};

// What the shard's silence means. Requires: the judgement names a shard.
void judge_silence(Judgement& out, const Package& package, const Release& release,
                   const Database& database) {
  std::string caveat = out.plan.caveat;
  if (is_os_package(package.kind) && caveat.empty()) caveat = release.end_of_support;
  if (!caveat.empty()) {
    out.verdict = not_checkable(std::move(caveat));
    return;
  }
  const Shard& shard = **database.shard(out.shard);
  Knowledge known = Knowledge::kNone;
  for (const Lookup& lookup : out.plan.lookups) {
    const Result<Knowledge> one = shard.knowledge(lookup.name);
    if (!one) {
      out.gaps.push_back({.kind = GapKind::kMalformed,
                          .path = out.shard,
                          .reason = one.error().text(),
                          .limit = ""});
      out.verdict = not_checkable(damage_of(out.shard));
      return;
    }
    known = std::max(known, *one);
  }
  switch (known) {
    case Knowledge::kFull:
      out.verdict = {.state = PackageState::kClean, .reason = ""};
      return;
    case Knowledge::kFixedOnly:
      out.verdict = {.state = PackageState::kNoKnownFixMissing, .reason = ""};
      return;
    case Knowledge::kNone:
      out.verdict = not_checkable("the database knows a part of " +
                                  subject_of(package, release.distro, out.plan) +
                                  " only, and not this package");
  }
}

// What is to be judged.
Judgement prepare(const Package& package, const Release& release, const Database& database) {
  Judgement out;
  out.matcher = find_matcher(package, release.distro);
  out.plan = plan_for(package, release.distro, out.matcher);
  if (!out.plan.refusal.empty()) return out;
  const Result<const Shard*> shard = database.shard(out.plan.shard);
  if (!shard || *shard == nullptr) return out;
  for (const Lookup& lookup : out.plan.lookups) out.work += (*shard)->bytes_about(lookup.name);
  return out;
}

void judge(Judgement& out, const Package& package, const Release& release,
           const Database& database) {
  const Distro& distro = release.distro;
  Plan& plan = out.plan;
  if (!plan.refusal.empty()) {
    out.verdict = not_checkable(plan.refusal);
    return;
  }
  if (const Lookup* lookup = overlong(plan)) {
    out.gaps.push_back({.kind = GapKind::kLimit,
                        .path = package.location.path,
                        .reason = "the version of " + lookup->name + " is too long to be compared",
                        .limit = "kVersionBytesMax"});
    out.verdict = not_checkable("its version is too long to be compared");
    return;
  }
  const bool is_ordered = std::ranges::all_of(
      plan.lookups, [&](const Lookup& lookup) { return plan.scheme->is_valid(lookup.version); });
  if (!is_ordered && plan.caveat.empty()) {
    plan.caveat = "its version does not follow the order of " + std::string(plan.scheme->name);
  }
  const Result<const Shard*> shard = database.shard(plan.shard);
  if (shard && *shard == nullptr) {
    out.verdict = not_checkable("no advisories for " + subject_of(package, distro, plan) +
                                " in the database");
    return;
  }
  Result<Said> said =
      shard ? listen(package, *out.matcher, plan, **shard) : std::unexpected(shard.error());
  if (!said) {
    out.gaps.push_back({.kind = GapKind::kMalformed,
                        .path = plan.shard,
                        .reason = said.error().text(),
                        .limit = ""});
    out.verdict = not_checkable(damage_of(plan.shard));
    return;
  }
  out.shard = plan.shard;
  out.said = *std::move(said);
  out.placed = place_statements(out.said.statements);
  if (out.placed.empty()) judge_silence(out, package, release, database);
}

// CVSS decides where the vendor's words did not: the newest version first, in it the highest score.
void set_severity_by_cvss(Finding& finding) {
  if (finding.severity != Severity::kUnknown) return;
  for (const std::string_view version : {"4.0", "3.1", "3.0", "2.0"}) {
    const Cvss* best = nullptr;
    for (const Cvss& cvss : finding.cvss) {
      if (cvss.version == version && (best == nullptr || cvss.score > best->score)) best = &cvss;
    }
    if (best == nullptr) continue;
    finding.severity = severity_of(*best);
    finding.severity_source = "cvss-" + std::string(version);
    if (!best->source.empty())
      finding.severity_source = best->source + " " + finding.severity_source;
    return;
  }
}

void add_facts(Finding& finding, const CveFacts& facts) {
  // The advisories' own scores are first to decide; only then what others say of the CVE.
  set_severity_by_cvss(finding);
  for (const Cvss& cvss : facts.cvss) {
    const bool is_new =
        std::ranges::find(finding.cvss, cvss.vector, &Cvss::vector) == finding.cvss.end();
    if (is_new) finding.cvss.push_back(cvss);
  }
  for (const std::string& cwe : facts.cwes) {
    if (std::ranges::find(finding.cwes, cwe) == finding.cwes.end()) finding.cwes.push_back(cwe);
  }
  finding.epss = facts.epss;
  finding.epss_percentile = facts.epss_percentile;
  finding.is_known_exploited = facts.is_known_exploited;
  finding.is_ransomware_known = facts.is_ransomware_known;
  finding.known_exploited_at = facts.known_exploited_at;
  if (facts.published_at != 0) finding.published_at = facts.published_at;
}

// The package instance: purl with its architecture, and the place of its database. The
// distribution's qualifier is left out: "12" and "12.4" are the same instance.
Sha256 instance_of(const Package& package) {
  std::string instance;
  Result<Purl> purl = Purl::parse(package.purl);
  if (purl) {
    purl->set_qualifier("distro", "");
    instance = purl->text();
  } else {
    instance = std::string(purl_type(package.kind)) + '\n' + package.name + '\n' + package.version +
               '\n' + package.arch;
  }
  Sha256 digest;
  digest.update(as_bytes(instance + '\0' + package.location.path + '\0'));
  return digest;
}

std::string fingerprint_of(Sha256 instance, const Finding& finding) {
  instance.update(as_bytes(finding.id));
  return to_hex(ByteView(instance.finish().bytes).first(16));
}

Status complete(Finding& finding, const Sha256& instance, const Database& database) {
  for (Cvss& cvss : finding.cvss) {
    if (cvss.score != 0) continue;
    if (const Result<Cvss> scored = parse_cvss(cvss.vector)) cvss.score = scored->score;
  }
  if (is_cve(finding.id)) {
    const std::optional<CveFacts> known = TRY(database.facts(finding.id));
    if (known) add_facts(finding, *known);
  }
  set_severity_by_cvss(finding);
  std::ranges::sort(finding.cwes);
  finding.risk = risk_of(finding);
  finding.fingerprint = fingerprint_of(instance, finding);
  return {};
}

// Findings are made in batches, because one package may have more than all others together: a
// kernel's headers have thousands.
struct Batch {
  uint32_t package = 0;
  std::span<const PlacedView> placed;
  std::vector<Finding> findings;
  Status status;
};

std::vector<Batch> batches_of(const std::vector<Judgement>& judgements) {
  constexpr size_t kBatchStatements = 128;
  std::vector<Batch> batches;
  for (size_t index = 0; index < judgements.size(); ++index) {
    for (std::span<const PlacedView> rest = judgements[index].placed; !rest.empty();) {
      const size_t count = end_of_group(rest, std::min(rest.size(), kBatchStatements));
      batches.push_back({.package = static_cast<uint32_t>(index),
                         .placed = rest.first(count),
                         .findings = {},
                         .status = {}});
      rest = rest.subspan(count);
    }
  }
  return batches;
}

// One package, the kernel, may take as long as all others: the longest first, so that no thread
// waits for it at the end.
std::vector<Judgement> judge_all(const Sbom& sbom, const Releases& releases,
                                 const Database& database, const MatchOptions& options) {
  std::vector<Judgement> judgements;
  judgements.reserve(sbom.packages.size());
  for (const Package& package : sbom.packages) {
    judgements.push_back(prepare(package, releases.of(package), database));
  }
  std::vector<size_t> order(judgements.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return judgements[i].work; });
  parallel_for(order.size(), options.threads_count, [&](size_t turn) {
    const Package& package = sbom.packages[order[turn]];
    judge(judgements[order[turn]], package, releases.of(package), database);
    if (options.judged_count != nullptr) add_count(*options.judged_count, 1);
  });
  return judgements;
}

void fill(Batch& batch, const Judgement& judgement, const Package& package,
          const Database& database) {
  batch.findings = merge_findings(*judgement.matcher, judgement.plan, batch.placed);
  if (batch.findings.empty()) return;
  const Sha256 instance = instance_of(package);
  for (Finding& finding : batch.findings) {
    finding.package = batch.package;
    if (Status status = complete(finding, instance, database); !status) batch.status = status;
  }
}

// Findings are large: their places are sorted, mostly by the risk alone, and then each moves once.
struct Place {
  double risk;
  Finding* finding;
};

std::vector<Finding> in_order(std::vector<Place> places) {
  std::ranges::sort(places, [](const Place& one, const Place& other) {
    if (one.risk != other.risk) return one.risk > other.risk;
    const Finding& a = *one.finding;
    const Finding& b = *other.finding;
    return std::tie(b.severity, a.id, a.package, a.notice) <
           std::tie(a.severity, b.id, b.package, b.notice);
  });
  std::vector<Finding> findings;
  findings.reserve(places.size());
  for (const Place& place : places) findings.push_back(std::move(*place.finding));
  return findings;
}

// "debian 10 reached its end of life on 2022-09-10"; "" where it did not, or it is not known.
Result<std::string> end_of_life_text(const Sbom& sbom, const Database& database, UnixSeconds now) {
  if (!sbom.distro.is_known()) return "";
  const std::string release = feed_release(sbom.distro);
  const std::optional<ReleaseLife> life = TRY(life_of(sbom.distro, database));
  if (!life || now < life->end_of_life_at) return "";
  std::string text = sbom.distro.id + " " + release + " reached its end of life on " +
                     format_date(life->end_of_life_at);
  if (life->end_of_extended_life_at > life->end_of_life_at) {
    text += now < life->end_of_extended_life_at ? "; extended support runs until "
                                                : "; extended support ended on ";
    text += format_date(life->end_of_extended_life_at);
  }
  // Where the advisories stop, later vulnerabilities cannot be seen, however clean it looks.
  const Shard* shard = TRY(database.shard(shard_name(sbom.distro)));
  UnixSeconds newest = 0;
  if (shard != nullptr) {
    for (const advisory::ShardSource& source : shard->sources()) {
      newest = std::max(newest, source.as_of);
    }
  }
  if (newest != 0) text += "; the advisories for it are of " + format_date(newest);
  return text;
}

Result<DatabaseUse> database_use(const std::set<std::string>& shards, const Database& database) {
  DatabaseUse use = database.use();
  std::erase_if(use.shards, [&](const ShardUse& one) { return !shards.contains(one.name); });
  use.oldest_source_at = 0;
  use.epss_at = database.epss_at();
  for (const std::string& name : shards) {
    const Shard* shard = TRY(database.shard(name));
    if (shard == nullptr) continue;
    for (const advisory::ShardSource& source : shard->sources()) {
      const bool is_older =
          source.as_of != 0 && (use.oldest_source_at == 0 || source.as_of < use.oldest_source_at);
      if (is_older) use.oldest_source_at = source.as_of;
    }
  }
  return use;
}

}  // namespace

bool is_damage(const PackageVerdict& verdict) {
  return verdict.reason.starts_with(kDamageStart) && verdict.reason.ends_with(kDamageEnd);
}

Result<MatchOutput> match_sbom(const Sbom& sbom, const Database& database,
                               const MatchOptions& options) {
  const Releases releases(sbom, database, options.now);
  // Each package, and then each batch, into its own slot: the order is the packages'.
  std::vector<Judgement> judgements = judge_all(sbom, releases, database, options);
  std::vector<Batch> batches = batches_of(judgements);
  parallel_for(batches.size(), options.threads_count, [&](size_t index) {
    Batch& batch = batches[index];
    fill(batch, judgements[batch.package], sbom.packages[batch.package], database);
  });

  std::vector<Place> findings;
  std::vector<Place> notices;
  for (Batch& batch : batches) {
    TRY(std::move(batch.status));
    for (Finding& finding : batch.findings) {
      const bool is_notice = finding.notice != NoticeKind::kNone;
      (is_notice ? notices : findings).push_back({finding.risk, &finding});
      if (!is_notice) judgements[batch.package].verdict.state = PackageState::kMatched;
    }
  }
  MatchOutput out;
  std::set<std::string> shards;
  for (size_t index = 0; index < judgements.size(); ++index) {
    Judgement& one = judgements[index];
    if (!one.placed.empty() && one.verdict.state != PackageState::kMatched) {
      const Package& package = sbom.packages[index];
      judge_silence(one, package, releases.of(package), database);
    }
    out.verdicts.push_back(std::move(one.verdict));
    if (!one.shard.empty()) shards.insert(one.shard);
    for (Gap& gap : one.gaps) {
      if (std::ranges::find(out.gaps, gap) == out.gaps.end()) out.gaps.push_back(std::move(gap));
    }
  }
  out.findings = in_order(std::move(findings));
  out.notices = in_order(std::move(notices));
  out.end_of_life = TRY(end_of_life_text(sbom, database, options.now));
  out.database = TRY(database_use(shards, database));
  return out;
}

}  // namespace vigil::match
