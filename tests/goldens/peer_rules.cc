// Each rule is a fact about a peer, stated in the README of goldens/peers or in the peer's own
// documentation, with a predicate that checks on the input and on the feed's records that it
// applies to the row. The first rule that holds counts.
#include <algorithm>
#include <map>
#include <set>

#include "advisory/secdb.h"
#include "base/limits.h"
#include "decode/archive.h"
#include "golden_database.h"
#include "peers.h"
#include "version/semver_text.h"
#include "version/version.h"

namespace vigil::goldens {

namespace {

bool is_trivy(const Difference& d) {
  return d.peer == Peer::kTrivy;
}
bool is_silent(const Difference& d) {
  return d.kind == DifferenceKind::kOursAlone;
}
bool is_alone(const Difference& d) {
  return d.kind == DifferenceKind::kPeerAlone;
}
bool is_fix(const Difference& d) {
  return d.kind == DifferenceKind::kFix;
}
bool is_from(const Difference& d, std::string_view family) {
  return d.input.starts_with(family);
}

bool any_affected(const Difference& d, auto predicate) {
  return std::ranges::any_of(d.records, [&](const Advisory& advisory) {
    return std::ranges::any_of(advisory.affected, predicate);
  });
}

bool has_esm_fix(const Difference& d) {
  return any_affected(d, [](const Affected& one) {
    return one.channel.starts_with("esm-") && one.state == FixState::kFixed;
  });
}

std::strong_ordering order(const Difference& d, const std::string& a, const std::string& b) {
  return version::scheme_of(d.package->kind).compare(a, b);
}

// --- Alpine and Wolfi -------------------------------------------------------------------------

bool is_apk(const Difference& d) {
  return d.package != nullptr && d.package->kind == PackageKind::kApk;
}

bool drops_other_ids(const Difference& d) {
  return is_apk(d) && is_silent(d) && !is_cve(d.id) && !d.records.empty();
}

// The ids that the branch of the input ("syn-alpine-3.12") lists together with another CVE.
const std::set<std::string>& ids_in_company(const std::string& input) {
  static std::map<std::string, std::set<std::string>> known;
  const auto [at, is_new] = known.try_emplace(input);
  const size_t dash = input.rfind('-');
  if (!is_new || dash == std::string::npos) return at->second;
  const std::string release = input.substr(dash + 1);
  const std::string branch = release == "edge" ? release : "v" + release;
  for (const char* name : {"main.json", "community.json", "main.yaml", "community.yaml"}) {
    const std::string path = feeds_path("alpine/" + branch + "/" + name);
    if (path.empty()) continue;
    const Result<std::string> text = decode::read_maybe_compressed(path, limits::kDocumentBytesMax);
    const Result<advisory::SecdbDocument> document =
        text ? advisory::parse_secdb(*text) : std::unexpected(text.error());
    if (!document) continue;
    for (const advisory::SecdbPackage& package : document->packages) {
      for (const auto& [version, strings] : package.fixes) {
        for (const std::string& string : strings) {
          const advisory::SecdbIds ids = advisory::parse_secdb_ids(string);
          if (ids.cves.size() > 1) at->second.insert(ids.cves.begin(), ids.cves.end());
        }
      }
    }
  }
  return at->second;
}

bool keeps_one_id_of_a_string(const Difference& d) {
  return is_trivy(d) && is_from(d, "syn-alpine-") && is_silent(d) &&
         ids_in_company(d.input).contains(d.id);
}

bool has_several_fixes(const Difference& d) {
  return any_affected(d, [](const Affected& one) {
    return one.state == FixState::kFixed && one.ranges.size() > 1;
  });
}

bool takes_one_of_several_versions(const Difference& d) {
  if (!is_trivy(d) || !is_apk(d) || !has_several_fixes(d)) return false;
  if (is_fix(d)) {
    return any_affected(d, [&](const Affected& one) {
      return std::ranges::find(one.ranges, d.row->trivy_fixed, &AffectedRange::fixed) !=
             one.ranges.end();
    });
  }
  return is_silent(d) && any_affected(d, [&](const Affected& one) {
           return std::ranges::any_of(one.ranges, [&](const AffectedRange& range) {
             return order(d, d.compared, range.fixed) != std::strong_ordering::less;
           });
         });
}

// "CVE-2017-17434-1" is CVE-2017-17434 to us.
std::string understood(const std::string& id) {
  const advisory::SecdbIds ids = advisory::parse_secdb_ids(id);
  return ids.cves.size() == 1 && ids.cves[0] != id ? ids.cves[0] : "";
}

bool reads_a_misspelt_id(const Difference& d) {
  if (!is_apk(d)) return false;
  if (is_alone(d)) {
    const std::string id = understood(d.id);
    return !id.empty() && std::ranges::any_of(d.package_findings, [&](const Finding* finding) {
      return finding->id == id;
    });
  }
  return is_silent(d) && std::ranges::any_of(d.package_rows, [&](const PeerRow* row) {
           return understood(row->id) == d.id;
         });
}

// Versions outside apk's grammar ("1.11-20-r0") have no order in apk's own words.
bool compares_an_invalid_version(const Difference& d) {
  if (!is_apk(d) || is_fix(d)) return false;
  const version::Scheme& scheme = version::scheme_of(PackageKind::kApk);
  return !scheme.is_valid(d.compared) || any_affected(d, [&](const Affected& one) {
    return std::ranges::any_of(
        one.ranges, [&](const AffectedRange& range) { return !scheme.is_valid(range.fixed); });
  });
}

// --- Debian -----------------------------------------------------------------------------------

bool comes_from_lists(const Advisory& record) {
  return record.source == "debian-lists";
}

bool takes_a_version_the_release_lacks(const Difference& d) {
  if (!is_fix(d) || !is_from(d, "debian") || d.ours->fixed_versions.size() != 1) return false;
  const std::string& ours = d.ours->fixed_versions[0];
  const std::string& theirs = is_trivy(d) ? d.row->trivy_fixed : d.row->grype_fixed;
  return order(d, ours, theirs) < 0 &&
         any_affected(
             d,
             [&](const Affected& one) {
               return one.ranges == std::vector<AffectedRange>{{"", ours, ""}};
             });
}

bool had_no_lists(const Difference& d) {
  if (is_trivy(d) || !is_from(d, "debian-") || d.ours == nullptr || d.records.empty()) return false;
  if (is_silent(d)) return std::ranges::all_of(d.records, comes_from_lists);
  // The lists name a greater fixed version than the tracker does.
  return is_fix(d) && std::ranges::any_of(d.records, [&](const Advisory& record) {
           return comes_from_lists(record) && !d.ours->fixed_versions.empty() &&
                  std::ranges::any_of(record.affected, [&](const Affected& one) {
                    return std::ranges::find(one.ranges, d.ours->fixed_versions[0],
                                             &AffectedRange::fixed) != one.ranges.end();
                  });
         });
}

// --- Ubuntu -----------------------------------------------------------------------------------

bool is_ubuntu(const Difference& d) {
  return is_from(d, "ubuntu-") && d.package != nullptr;
}

bool has_state(const Difference& d, FixState state) {
  return any_affected(d, [&](const Affected& one) { return one.state == state; });
}

bool is_silent_on_ignored(const Difference& d) {
  return is_trivy(d) && is_ubuntu(d) && is_silent(d) &&
         (d.ours->state == FixState::kWillNotFix || d.ours->state == FixState::kEndOfLife) &&
         (has_state(d, FixState::kWillNotFix) || has_state(d, FixState::kEndOfLife));
}

bool is_silent_on_triage(const Difference& d) {
  return is_trivy(d) && is_ubuntu(d) && is_silent(d) &&
         d.ours->state == FixState::kUnderInvestigation &&
         has_state(d, FixState::kUnderInvestigation);
}

bool reports_installed_pending_fix(const Difference& d) {
  return is_ubuntu(d) && is_alone(d) && any_affected(d, [&](const Affected& one) {
           return one.state == FixState::kAffected && !one.ranges.empty() &&
                  !one.ranges[0].fixed.empty() &&
                  order(d, d.compared, one.ranges[0].fixed) != std::strong_ordering::less;
         });
}

bool ignores_esm(const Difference& d) {
  if (!is_ubuntu(d) || !has_esm_fix(d)) return false;
  if (d.ours != nullptr) return d.ours->fix_channel.starts_with("esm-");
  return is_alone(d) && any_affected(d, [&](const Affected& one) {
           return one.channel.starts_with("esm-") && one.state == FixState::kFixed &&
                  order(d, d.compared, one.ranges[0].fixed) != std::strong_ordering::less;
         });
}

bool reads_not_affected_as_open(const Difference& d) {
  return is_ubuntu(d) && is_alone(d) && has_state(d, FixState::kNotAffected);
}

bool ignores_kernel_headers(const Difference& d) {
  return !is_trivy(d) && is_silent(d) && d.package->kind == PackageKind::kDeb &&
         (d.package->name == "linux-libc-dev" || d.package->name.starts_with("linux-headers-")) &&
         !d.records.empty();
}

// --- AlmaLinux --------------------------------------------------------------------------------

bool keeps_the_last_erratum(const Difference& d) {
  if (!is_trivy(d) || !is_from(d, "alma-") || d.records.size() < 2) return false;
  // The erratum that Trivy kept: the one whose fix it names, or one that is installed.
  return any_affected(d, [&](const Affected& one) {
    return std::ranges::any_of(one.ranges, [&](const AffectedRange& range) {
      if (is_fix(d)) return range.fixed == d.row->trivy_fixed;
      return is_silent(d) && order(d, d.compared, range.fixed) != std::strong_ordering::less;
    });
  });
}

// --- Languages --------------------------------------------------------------------------------

bool keeps_the_first_cve(const Difference& d) {
  return is_trivy(d) && is_silent(d) && std::ranges::any_of(d.records, [&](const Advisory& one) {
           return one.cves.size() > 1 && one.cves[0] != d.id;
         });
}

bool is_notice_here(const Difference& d) {
  return is_alone(d) &&
         any_affected(d, [](const Affected& one) { return one.notice != NoticeKind::kNone; });
}

bool is_go(const Difference& d) {
  return d.package != nullptr && d.package->kind == PackageKind::kGo;
}

bool forgets_versions_before_zero(const Difference& d) {
  return is_trivy(d) && is_go(d) && is_silent(d) &&
         d.compared.find("0.0.0-") != std::string::npos && any_affected(d, [](const Affected& one) {
           return std::ranges::any_of(one.ranges, [](const AffectedRange& range) {
             return range.introduced.empty() || range.introduced == "0";
           });
         });
}

// The Go records whose real range stands in ecosystem_specific.custom_ranges.
const std::set<std::string>& go_records_with_custom_ranges() {
  static const std::set<std::string> known = [] {
    std::set<std::string> out;
    const std::string path = feeds_path("osv/Go/all.zip");
    const auto read = [&](std::string_view name, std::string_view content) -> Status {
      name.remove_prefix(name.rfind('/') == std::string_view::npos ? 0 : name.rfind('/') + 1);
      const bool has_ranges = content.find("\"custom_ranges\"") != std::string_view::npos;
      if (has_ranges && name.ends_with(".json")) out.emplace(name.substr(0, name.size() - 5));
      return {};
    };
    if (!path.empty() && !decode::each_member(path, read)) out.clear();
    return out;
  }();
  return known;
}

bool ignores_custom_ranges(const Difference& d) {
  return is_trivy(d) && is_go(d) && !is_silent(d) &&
         std::ranges::any_of(d.records, [](const Advisory& record) {
           return go_records_with_custom_ranges().contains(record.id);
         });
}

bool drops_records_with_odd_versions(const Difference& d) {
  if (!is_trivy(d) || !is_silent(d) || d.package->kind != PackageKind::kPypi) return false;
  const version::Scheme& scheme = version::scheme_of(PackageKind::kPypi);
  return any_affected(d, [&](const Affected& one) {
    return std::ranges::any_of(one.versions,
                               [&](const std::string& listed) { return !scheme.is_valid(listed); });
  });
}

// The versions that the peer names as fixes, one by one.
std::vector<std::string> peer_fixes(const Difference& d) {
  std::vector<std::string> fixes;
  std::string_view rest = is_trivy(d) ? d.row->trivy_fixed : d.row->grype_fixed;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(", "), rest.size());
    fixes.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return fixes;
}

bool names_the_fix_of_one_range(const Difference& d) {
  return !is_trivy(d) && is_fix(d) && d.ours->fixed_versions.size() > 1 &&
         peer_fixes(d) == std::vector<std::string>{d.ours->fixed_versions[0]};
}

bool names_a_fix_below_the_installed(const Difference& d) {
  if (!is_fix(d) || !d.ours->fixed_versions.empty()) return false;
  const std::vector<std::string> fixes = peer_fixes(d);
  return !fixes.empty() && std::ranges::all_of(fixes, [&](const std::string& fix) {
    return order(d, fix, d.compared) != std::strong_ordering::greater;
  });
}

bool names_a_fix_that_is_affected(const Difference& d) {
  if (!is_fix(d)) return false;
  const version::Scheme& scheme = version::scheme_of(d.package->kind);
  const std::vector<std::string> fixes = peer_fixes(d);
  return !fixes.empty() && std::ranges::all_of(fixes, [&](const std::string& fix) {
    return any_affected(d, [&](const Affected& one) {
      return std::ranges::any_of(one.versions,
                                 [&](const std::string& listed) {
                                   return order(d, listed, fix) == std::strong_ordering::equal;
                                 }) ||
             std::ranges::any_of(one.ranges, [&](const AffectedRange& range) {
               return version::in_range(scheme, fix, range).value_or(false);
             });
    });
  });
}

// Such records list their releases; of their ranges they keep the fix, and what is later than the
// last release listed.
bool reads_ranges_beside_commits(const Difference& d) {
  if (!is_alone(d) || d.package == nullptr || d.package->kind != PackageKind::kPypi) return false;
  return any_affected(d, [&](const Affected& one) {
    return !one.versions.empty() &&
           std::ranges::none_of(one.versions, [&](const std::string& listed) {
             return order(d, listed, d.compared) == std::strong_ordering::equal;
           });
  });
}

bool is_bitnami(const Difference& d) {
  return d.package != nullptr && d.package->kind == PackageKind::kBitnami;
}

// Whether a bound of the records' ranges satisfies the predicate.
bool any_bound(const Difference& d, auto predicate) {
  return any_affected(d, [&](const Affected& one) {
    return std::ranges::any_of(one.ranges, [&](const AffectedRange& range) {
      return (!range.introduced.empty() && predicate(range.introduced)) ||
             (!range.fixed.empty() && predicate(range.fixed)) ||
             (!range.last_affected.empty() && predicate(range.last_affected));
    });
  });
}

bool ignores_bitnami_revisions(const Difference& d) {
  const auto release_of = [](std::string_view text) {
    text.remove_suffix(version::packaging_revision(text).size());
    return text;
  };
  return !is_trivy(d) && is_bitnami(d) && is_silent(d) &&
         any_bound(d, [&](const std::string& bound) {
           return bound != d.compared && release_of(bound) == release_of(d.compared) &&
                  !version::packaging_revision(bound).empty();
         });
}

// "3.6.5-8-g210218": eight commits behind 3.6.5 to git, before 3.6.5 to semver and to the records.
bool reads_commits_behind_a_release(const Difference& d) {
  const size_t dash = d.compared.find('-');
  if (!is_bitnami(d) || dash == std::string::npos) return false;
  const std::string release = d.compared.substr(0, dash);
  return d.compared.find("-g") != std::string::npos &&
         any_bound(d, [&](const std::string& bound) { return bound.starts_with(release); });
}

bool drops_odd_bounds(const Difference& d) {
  const version::Scheme& scheme = version::scheme_of(PackageKind::kBitnami);
  return is_bitnami(d) && is_silent(d) &&
         any_bound(d, [&](const std::string& bound) { return !scheme.is_valid(bound); });
}

constexpr PeerRule kRules[] = {
    {"apk-other-ids",
     "Both drop what is no CVE (XSA, GHSA, ALPINE-…; Grype keeps Wolfi's GHSA). We report it under "
     "its own id.",
     drops_other_ids},
    {"apk-two-ids-in-a-string",
     "Trivy keeps one id of a string that holds two CVEs. We report both.",
     keeps_one_id_of_a_string},
    {"apk-two-versions-of-a-cve",
     "One CVE is listed under two versions. Trivy's builder takes one at random; we call the "
     "package fixed by the greatest.",
     takes_one_of_several_versions},
    {"apk-misspelt-id",
     "The feed's id is misspelt (\"CVE-2017-17434-1\"). Both report it as written, we the CVE it "
     "means.",
     reads_a_misspelt_id},
    {"debian-resolved-below",
     "The tracker calls resolved what the release has, which is below the version it names "
     "(2.1~deb12u1 of 2.1). Both take the version named; we take the release's.",
     takes_a_version_the_release_lacks},
    {"debian-lists",
     "The DSA and DLA lists name the CVE, or a greater fixed version. Only Trivy had them.",
     had_no_lists},
    {"ubuntu-ignored",
     "The tracker says \"ignored\", or that support ended. Trivy is silent; we report with "
     "will_not_fix or end_of_life.",
     is_silent_on_ignored},
    {"ubuntu-triage",
     "The tracker says \"needs-triage\". Trivy is silent; we report with under_investigation.",
     is_silent_on_triage},
    {"ubuntu-pending-installed",
     "The tracker says \"pending (V)\" and V or a later version is installed. Both report it for "
     "every version; we do not: who has V has the fix.",
     reports_installed_pending_fix},
    {"ubuntu-esm",
     "The fix is in an ESM channel. Both leave ESM out; we name the fix and its channel, and do "
     "not "
     "report it where the ESM version is installed.",
     ignores_esm},
    {"ubuntu-was-not-affected",
     "The tracker says \"not-affected\", or \"ignored (end of …, was not-affected)\". Grype calls "
     "it wont-fix; nothing is to be fixed.",
     reads_not_affected_as_open},
    {"kernel-headers",
     "Grype moves findings of linux-libc-dev and linux-headers-* to its ignored matches. The feed "
     "names their source, so we report them.",
     ignores_kernel_headers},
    {"alma-two-errata",
     "One CVE stands in two errata of a package. Trivy keeps the last file; we keep both, and the "
     "fix is the version that satisfies both.",
     keeps_the_last_erratum},
    {"apk-invalid-version",
     "A version does not follow apk's grammar, so that each has an order of its own.",
     compares_an_invalid_version},
    {"rustsec-notice",
     "The record is a notice (unmaintained, unsound). We show it apart from vulnerabilities.",
     is_notice_here},
    {"go-before-zero", "Trivy reads \"introduced 0\" as \">= 0\", which v0.0.0-… is below.",
     forgets_versions_before_zero},
    {"go-custom-ranges",
     "The real range stands in custom_ranges, which Trivy does not read: it reports every version, "
     "without a fix.",
     ignores_custom_ranges},
    {"pypi-odd-version",
     "The record lists a version that is not PEP 440. Trivy drops the whole record.",
     drops_records_with_odd_versions},
    {"bitnami-revision",
     "A bound counts the revision of the packaging (\"4.6.0-1\"). Grype leaves revisions out; we "
     "compare with them where the record has them.",
     ignores_bitnami_revisions},
    {"bitnami-commits-behind",
     "The version is one of git describe (\"3.6.5-8-g210218\"). Both put it above the release; "
     "semver, and the records that begin with it, below.",
     reads_commits_behind_a_release},
    {"bitnami-odd-bound",
     "A range begins with a name that is no version (\"nightly.2026-03-10.0\"). Both drop it; we "
     "report what the order's fallback finds.",
     drops_odd_bounds},
    {"grype-one-fix",
     "Grype names the fix of the one range that holds; we name those of the later ranges too, the "
     "nearest first.",
     names_the_fix_of_one_range},
    {"fix-below-installed",
     "Both name a fix of another branch, below the installed version. We name none: it is not "
     "higher.",
     names_a_fix_below_the_installed},
    {"fix-itself-affected",
     "The record lists its own fixed version among the affected ones, or another range begins with "
     "it. We do not name it: installing it would not end the finding.",
     names_a_fix_that_is_affected},
    {"pypi-list-of-commits",
     "The record gives commits and the list of releases that have them, and the version is none of "
     "these. Both read the versions in the ranges too; we, as OSV-Scanner, the list.",
     reads_ranges_beside_commits},
    {"first-cve-of-a-record", "A record names several CVEs. Trivy keeps the first; we report each.",
     keeps_the_first_cve},
};

}  // namespace

std::span<const PeerRule> peer_rules() {
  return kRules;
}

}  // namespace vigil::goldens
