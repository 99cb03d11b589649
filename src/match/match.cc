// match_sbom: judge each package · gather facts of the CVEs found · severity, risk, fingerprint ·
// order · say which data was used. Packages are judged in parallel, each into its own slot, so the
// output does not depend on the number of threads.
#include "match/match.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/digest.h"
#include "base/limits.h"
#include "base/thread_pool.h"
#include "match/merge.h"
#include "match/risk.h"
#include "model/purl.h"

namespace vigil::match {

namespace {

using advisory::Database;
using advisory::Knowledge;
using advisory::Shard;

constexpr std::string_view kDamageStart = "the shard ";
constexpr std::string_view kDamageEnd = " is damaged";

std::string damage_of(std::string_view shard) {
  return std::string(kDamageStart) + std::string(shard) + std::string(kDamageEnd);
}

// What came of one package.
struct Judgement {
  PackageVerdict verdict;
  std::vector<Finding> findings;
  std::vector<Gap> gaps;
  std::string shard;  // Looked into; "" where none was.
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

// A plan, or the reason why there is none.
Plan plan_for(const Package& package, const Distro& distro, const Matcher* matcher) {
  Plan plan;
  if (package.kind == PackageKind::kUnknown) {
    plan.refusal = "its kind is not known";
  } else if (is_os_package(package.kind) && !distro.is_known()) {
    plan.refusal = "the distribution is not known";
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

// One look-up of a name for all lookups that share it. Advisories stay where they are: statements
// point into them.
struct Found {
  std::string name;
  std::vector<Advisory> advisories;
};

Result<std::vector<Found>> find_all(const Shard& shard, const Plan& plan) {
  std::vector<Found> all;
  for (const Lookup& lookup : plan.lookups) {
    if (std::ranges::find(all, lookup.name, &Found::name) != all.end()) continue;
    all.push_back({lookup.name, TRY(shard.find(lookup.name))});
  }
  return all;
}

std::vector<StatementView> statements_of(const Package& package, const Matcher& matcher,
                                         const Plan& plan, const std::vector<Found>& all) {
  std::vector<StatementView> statements;
  for (const Lookup& lookup : plan.lookups) {
    const auto found = std::ranges::find(all, lookup.name, &Found::name);
    for (const Advisory& advisory : found->advisories) {
      if (advisory.is_withdrawn) continue;
      for (const Affected& affected : advisory.affected) {
        if (affected.package != lookup.name) continue;
        std::optional<StatementView> statement =
            matcher.decide(package, plan, lookup, advisory, affected);
        if (statement) statements.push_back(*std::move(statement));
      }
    }
  }
  return statements;
}

// What the shard's silence means.
PackageVerdict verdict_of_silence(const Shard& shard, const Plan& plan, std::string_view subject,
                                  std::vector<Gap>& gaps) {
  if (!plan.caveat.empty()) return not_checkable(plan.caveat);
  Knowledge known = Knowledge::kNone;
  for (const Lookup& lookup : plan.lookups) {
    const Result<Knowledge> one = shard.knowledge(lookup.name);
    if (!one) {
      gaps.push_back({.kind = GapKind::kMalformed,
                      .path = std::string(shard.name()),
                      .reason = one.error().text(),
                      .limit = ""});
      return not_checkable(damage_of(shard.name()));
    }
    known = std::max(known, *one);
  }
  switch (known) {
    case Knowledge::kFull:
      return {.state = PackageState::kClean, .reason = ""};
    case Knowledge::kFixedOnly:
      return {.state = PackageState::kNoKnownFixMissing, .reason = ""};
    case Knowledge::kNone:
      break;
  }
  return not_checkable("the database knows a part of " + std::string(subject) +
                       " only, and not this package");
}

// Since when nobody looks after the release any more, not even under extended support; "" where
// somebody does, or it is not known.
std::string end_of_support(const Distro& distro, const Database& database, UnixSeconds now) {
  const std::string release = feed_release(distro);
  const Result<std::optional<ReleaseLife>> life = database.release_life(distro.id, release);
  if (!life || !*life || (*life)->end_of_life_at == 0) return "";
  const UnixSeconds end = std::max((*life)->end_of_life_at, (*life)->end_of_extended_life_at);
  return now < end ? ""
                   : distro.id + " " + release + " is past all support since " + format_date(end);
}

Judgement judge(const Package& package, const Sbom& sbom, const Database& database,
                UnixSeconds now) {
  Judgement out;
  const Distro distro = package.distro.empty() ? sbom.distro : parse_distro(package.distro);
  const Matcher* matcher = find_matcher(package, distro);
  Plan plan = plan_for(package, distro, matcher);
  if (!plan.refusal.empty()) {
    out.verdict = not_checkable(plan.refusal);
    return out;
  }
  if (const Lookup* lookup = overlong(plan)) {
    out.gaps.push_back({.kind = GapKind::kLimit,
                        .path = package.location.path,
                        .reason = "the version of " + lookup->name + " is too long to be compared",
                        .limit = "kVersionBytesMax"});
    out.verdict = not_checkable("its version is too long to be compared");
    return out;
  }
  const bool is_ordered = std::ranges::all_of(
      plan.lookups, [&](const Lookup& lookup) { return plan.scheme->is_valid(lookup.version); });
  if (!is_ordered && plan.caveat.empty()) {
    plan.caveat = "its version does not follow the order of " + std::string(plan.scheme->name);
  }
  const Result<const Shard*> shard = database.shard(plan.shard);
  const std::string subject = subject_of(package, distro, plan);
  if (shard && *shard == nullptr) {
    out.verdict = not_checkable("no advisories for " + subject + " in the database");
    return out;
  }
  const Result<std::vector<Found>> found =
      shard ? find_all(**shard, plan) : std::unexpected(shard.error());
  if (!found) {
    out.gaps.push_back({.kind = GapKind::kMalformed,
                        .path = plan.shard,
                        .reason = found.error().text(),
                        .limit = ""});
    out.verdict = not_checkable(damage_of(plan.shard));
    return out;
  }
  out.shard = plan.shard;
  out.findings = merge_findings(*matcher, plan, statements_of(package, *matcher, plan, *found));
  const bool is_matched = std::ranges::any_of(
      out.findings, [](const Finding& one) { return one.notice == NoticeKind::kNone; });
  if (is_matched) {
    out.verdict = {.state = PackageState::kMatched, .reason = ""};
    return out;
  }
  if (is_os_package(package.kind) && plan.caveat.empty()) {
    plan.caveat = end_of_support(distro, database, now);
  }
  out.verdict = verdict_of_silence(**shard, plan, subject, out.gaps);
  return out;
}

// The facts of every CVE found, in the order of `cves`.
std::vector<Result<std::optional<CveFacts>>> gather_facts(const std::vector<std::string>& cves,
                                                          const Database& database,
                                                          size_t threads_count) {
  std::vector<Result<std::optional<CveFacts>>> facts(cves.size());
  parallel_for(cves.size(), threads_count,
               [&](size_t index) { facts[index] = database.facts(cves[index]); });
  return facts;
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
std::string instance_of(const Package& package) {
  std::string instance;
  Result<Purl> purl = Purl::parse(package.purl);
  if (purl) {
    purl->set_qualifier("distro", "");
    instance = purl->text();
  } else {
    instance = std::string(purl_type(package.kind)) + '\n' + package.name + '\n' + package.version +
               '\n' + package.arch;
  }
  return instance + '\0' + package.location.path;
}

std::string fingerprint_of(const std::string& instance, const Finding& finding) {
  const std::string text = instance + '\0' + finding.id;
  return sha256(as_bytes(text)).hex().substr(0, 32);
}

void order_findings(std::vector<Finding>& findings) {
  std::ranges::sort(findings, [](const Finding& a, const Finding& b) {
    return std::tie(b.risk, b.severity, a.id, a.package, a.notice) <
           std::tie(a.risk, a.severity, b.id, b.package, b.notice);
  });
}

Status finish(std::vector<Finding>& findings, const Sbom& sbom, const Database& database,
              const MatchOptions& options) {
  std::set<std::string> wanted;
  for (const Finding& finding : findings) {
    if (is_cve(finding.id)) wanted.insert(finding.id);
  }
  const std::vector<std::string> cves(wanted.begin(), wanted.end());
  const std::vector<Result<std::optional<CveFacts>>> facts =
      gather_facts(cves, database, options.threads_count);
  for (const Result<std::optional<CveFacts>>& one : facts) {
    if (!one) return std::unexpected(one.error());
  }
  std::vector<std::string> instances(sbom.packages.size());  // Of packages with findings.
  for (const Finding& finding : findings) {
    std::string& instance = instances[finding.package];
    if (instance.empty()) instance = instance_of(sbom.packages[finding.package]);
  }
  parallel_for(findings.size(), options.threads_count, [&](size_t index) {
    Finding& finding = findings[index];
    for (Cvss& cvss : finding.cvss) {
      if (cvss.score != 0) continue;
      if (const Result<Cvss> scored = parse_cvss(cvss.vector)) cvss.score = scored->score;
    }
    const auto at = std::ranges::lower_bound(cves, finding.id);
    if (at != cves.end() && *at == finding.id) {
      const std::optional<CveFacts>& known = *facts[static_cast<size_t>(at - cves.begin())];
      if (known) add_facts(finding, *known);
    }
    set_severity_by_cvss(finding);
    std::ranges::sort(finding.cwes);
    finding.risk = risk_of(finding);
    finding.fingerprint = fingerprint_of(instances[finding.package], finding);
  });
  order_findings(findings);
  return {};
}

// "debian 10 is past its end of life since 2022-09-10"; "" where it is not, or it is not known.
Result<std::string> end_of_life_text(const Sbom& sbom, const Database& database, UnixSeconds now) {
  if (!sbom.distro.is_known()) return "";
  const std::string release = feed_release(sbom.distro);
  const std::optional<ReleaseLife> life = TRY(database.release_life(sbom.distro.id, release));
  if (!life || life->end_of_life_at == 0 || now < life->end_of_life_at) return "";
  std::string text = sbom.distro.id + " " + release + " is past its end of life since " +
                     format_date(life->end_of_life_at);
  if (life->end_of_extended_life_at > life->end_of_life_at) {
    text += now < life->end_of_extended_life_at ? ", its extended support runs until "
                                                : ", its extended support ended on ";
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
  MatchOutput out;
  // Each package into its own slot: from here the order is the packages'.
  std::vector<Judgement> judgements(sbom.packages.size());
  parallel_for(sbom.packages.size(), options.threads_count, [&](size_t index) {
    judgements[index] = judge(sbom.packages[index], sbom, database, options.now);
  });
  std::set<std::string> shards;
  for (size_t index = 0; index < judgements.size(); ++index) {
    Judgement& one = judgements[index];
    out.verdicts.push_back(std::move(one.verdict));
    if (!one.shard.empty()) shards.insert(one.shard);
    for (Gap& gap : one.gaps) {
      if (std::ranges::find(out.gaps, gap) == out.gaps.end()) out.gaps.push_back(std::move(gap));
    }
    for (Finding& finding : one.findings) {
      finding.package = static_cast<uint32_t>(index);
      (finding.notice == NoticeKind::kNone ? out.findings : out.notices)
          .push_back(std::move(finding));
    }
  }
  TRY(finish(out.findings, sbom, database, options));
  TRY(finish(out.notices, sbom, database, options));
  out.end_of_life = TRY(end_of_life_text(sbom, database, options.now));
  out.database = TRY(database_use(shards, database));
  return out;
}

}  // namespace vigil::match
