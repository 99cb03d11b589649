#include "advisory/osv.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "model/distro.h"
#include "model/purl.h"
#include "version/version.h"

namespace vigil::advisory {

namespace {

// Where an `affected` entry belongs.
struct Place {
  std::string shard;  // "": the ecosystem's release is not one that a matcher asks for.
  std::string channel;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string shard_of(std::string_view distro, std::string_view version) {
  Distro one;
  one.id = distro;
  one.version = version;
  return shard_name(one);
}

}  // namespace

// One row per ecosystem (https://ossf.github.io/osv-schema/#defined-ecosystems).
struct OsvEcosystem {
  std::string_view name;    // As in the records, without the release.
  std::string_view family;  // The shard, or the distribution whose releases are the shards.
  std::string_view source;
  std::string_view scheme;
  NameKind name_kind = NameKind::kEither;
  // From what follows "NAME:" and the entry's package. Null: the shard is the family.
  Place (*place)(std::string_view family, std::string_view release, JsonView package) = nullptr;
  // Bulletins of fixes: their CVEs stand in `related`, and they tell the day of the fix.
  bool is_errata = false;
  bool is_fixed_only = false;
  // Summaries begin with the severity and name the module streams: "Moderate: php:8.0 security …".
  bool has_redhat_summary = false;
};

namespace {

// "Debian:12", "Alpine:v3.17", "AlmaLinux:9".
Place place_by_number(std::string_view family, std::string_view release, JsonView) {
  if (release.starts_with('v')) release.remove_prefix(1);
  return {shard_of(family, release), ""};
}

// "Ubuntu:22.04:LTS", "Ubuntu:Pro:18.04:LTS", "Ubuntu:Pro:FIPS-updates:20.04:LTS",
// "Ubuntu:Pro:22.04:LTS:Realtime:Kernel", "Ubuntu:25.10". Which archive of Pro it is stands in the
// purl: "pkg:deb/ubuntu/netty@…?distro=esm-apps/xenial".
Place place_of_ubuntu(std::string_view family, std::string_view release, JsonView package) {
  Place place;
  bool is_pro = false;
  for (const std::string_view part : split(release, ':')) {
    if (part == "LTS") continue;
    if (part == "Pro") {
      is_pro = true;
    } else if (!part.empty() && is_digit(part[0])) {
      place.shard = shard_of(family, part);
    } else {
      place.channel += (place.channel.empty() ? "" : "-") + lower_case(part);
    }
  }
  if (is_pro && place.channel.empty()) {
    const Result<Purl> purl = Purl::parse(package["purl"].text());
    const std::string distro = purl ? std::string(purl->qualifier("distro")) : "";
    const size_t slash = distro.find('/');
    place.channel = slash == std::string::npos ? "esm-infra or esm-apps" : distro.substr(0, slash);
  }
  return place;
}

// "openSUSE:Leap 15.5", "openSUSE:Leap Micro 5.2", "openSUSE:Tumbleweed".
Place place_of_opensuse(std::string_view family, std::string_view release, JsonView) {
  const size_t space = release.rfind(' ');
  std::string id = lower_case(release.substr(0, space));
  std::ranges::replace(id, ' ', '-');
  const std::string_view version =
      space == std::string_view::npos ? std::string_view() : release.substr(space + 1);
  return {shard_of(std::string(family) + "-" + id, version), ""};
}

// "SUSE:Linux Enterprise Server 15 SP5-LTSS", "SUSE:Linux Enterprise Module for Basesystem 15 SP4",
// "SUSE:Linux Enterprise Micro 5.3": the products of one service pack share their packages.
Place place_of_suse(std::string_view family, std::string_view release, JsonView) {
  if (!release.starts_with("Linux Enterprise ")) return {};
  const bool is_micro = release.starts_with("Linux Enterprise Micro ");
  std::string version;
  for (const std::string_view word : split(release, ' ')) {
    if (word.empty()) continue;
    if (is_digit(word[0])) version = word.substr(0, word.find_first_not_of("0123456789."));
    if (word.starts_with("SP") && word.size() > 2 && is_digit(word[2]) && !version.empty()) {
      version += "." + std::string(word.substr(2, word.find_first_not_of("0123456789", 2) - 2));
    }
  }
  return {shard_of(is_micro ? "sle-micro" : family, version), ""};
}

// "Red Hat:enterprise_linux:9::baseos", but not "Red Hat:rhel_eus:9.2::appstream": the extended
// streams and the products have packages of their own.
Place place_of_redhat(std::string_view family, std::string_view release, JsonView) {
  const std::vector<std::string_view> parts = split(release, ':');
  if (parts.size() < 2 || parts[0] != "enterprise_linux") return {};
  return {shard_of(family, parts[1]), ""};
}

// "Azure Linux:3"; release 2 was called CBL-Mariner.
Place place_of_azure(std::string_view family, std::string_view release, JsonView) {
  const std::string version = std::string(release) + (release.size() == 1 ? ".0" : "");
  return {shard_of(release.starts_with('2') ? "mariner" : family, version), ""};
}

constexpr OsvEcosystem kEcosystems[] = {
    {"PyPI", "pypi", "osv-pypi", "pypi"},
    {"npm", "npm", "osv-npm", "semver"},
    {"Go", "go", "osv-go", "go"},
    {"Maven", "maven", "osv-maven", "maven"},
    {"crates.io", "crates.io", "osv-crates.io", "semver"},
    {"RubyGems", "rubygems", "osv-rubygems", "rubygems"},
    {"Packagist", "packagist", "osv-packagist", "packagist"},
    {"NuGet", "nuget", "osv-nuget", "nuget"},
    {"Pub", "pub", "osv-pub", "pub"},
    {"Hex", "hex", "osv-hex", "semver"},
    {"Hackage", "hackage", "osv-hackage", "hackage"},
    {"CRAN", "cran", "osv-cran", "cran"},
    {"SwiftURL", "swifturl", "osv-swifturl", "semver"},
    {"ConanCenter", "conancenter", "osv-conancenter", "semver"},
    {"Bitnami", "bitnami", "osv-bitnami", "bitnami"},
    {"GitHub Actions", "github-actions", "osv-github-actions", "semver"},
    {.name = "AlmaLinux",
     .family = "almalinux",
     .source = "almalinux",
     .scheme = "redhat",
     .name_kind = NameKind::kBinary,
     .place = place_by_number,
     .is_errata = true,
     .is_fixed_only = true,
     .has_redhat_summary = true},
    {.name = "Rocky Linux",
     .family = "rocky",
     .source = "rocky",
     .scheme = "redhat",
     .name_kind = NameKind::kSource,
     .place = place_by_number,
     .is_errata = true,
     .is_fixed_only = true,
     .has_redhat_summary = true},
    {.name = "Red Hat",
     .family = "redhat",
     .source = "osv-redhat",
     .scheme = "redhat",
     .place = place_of_redhat,
     .is_errata = true,
     .is_fixed_only = true},
    {.name = "SUSE",
     .family = "sles",
     .source = "osv-suse",
     .scheme = "redhat",
     .name_kind = NameKind::kSource,
     .place = place_of_suse,
     .is_errata = true,
     .is_fixed_only = true},
    {.name = "openSUSE",
     .family = "opensuse",
     .source = "osv-opensuse",
     .scheme = "redhat",
     .name_kind = NameKind::kSource,
     .place = place_of_opensuse,
     .is_errata = true,
     .is_fixed_only = true},
    {.name = "Azure Linux",
     .family = "azurelinux",
     .source = "osv-azurelinux",
     .scheme = "redhat",
     .name_kind = NameKind::kSource,
     .place = place_of_azure},
    {.name = "Debian",
     .family = "debian",
     .source = "osv-debian",
     .scheme = "debian",
     .name_kind = NameKind::kSource,
     .place = place_by_number},
    {.name = "Ubuntu",
     .family = "ubuntu",
     .source = "osv-ubuntu",
     .scheme = "debian",
     .name_kind = NameKind::kSource,
     .place = place_of_ubuntu},
    {.name = "Alpine",
     .family = "alpine",
     .source = "osv-alpine",
     .scheme = "alpine",
     .name_kind = NameKind::kSource,
     .place = place_by_number,
     .is_fixed_only = true},
    {.name = "Wolfi",
     .family = "wolfi",
     .source = "osv-wolfi",
     .scheme = "alpine",
     .is_fixed_only = true},
    {.name = "Chainguard",
     .family = "chainguard",
     .source = "osv-chainguard",
     .scheme = "alpine",
     .is_fixed_only = true},
};

// Bug fixes and enhancements of the rebuilds of RHEL; security has "SA".
constexpr std::string_view kOtherErrata[] = {"ALBA-", "ALEA-", "RLBA-", "RLEA-"};

constexpr std::string_view kRedhatSeverities[] = {"Low", "Moderate", "Important", "Critical"};

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (std::ranges::find(list, text) == list.end()) list.emplace_back(text);
}

// --- Ranges -----------------------------------------------------------------------------------

struct Event {
  enum class Kind : uint8_t { kIntroduced, kFixed, kLastAffected, kLimit };
  Kind kind;
  std::string_view version;
};

bool is_below_all(std::string_view version) {
  // "0.0.0-0" is the least of semver; RustSec writes it for zero.
  return version.empty() || version == "0" || version == "0.0.0-0";
}

// Orders two versions of events. Requires: both within kVersionBytesMax.
std::strong_ordering order(const version::Scheme& scheme, std::string_view a, std::string_view b) {
  if (is_below_all(a) || is_below_all(b)) return is_below_all(b) <=> is_below_all(a);
  return scheme.compare(a, b);
}

// Reads a range as the schema's evaluation does: its events by version, each turning "affected" on
// or off. What a limit cuts off is bounded by it as if by a fix.
class RangeReader {
 public:
  RangeReader(const version::Scheme& scheme, std::string_view prefix)
      : scheme_(scheme), prefix_(prefix) {}

  // False where a version is past its bound.
  bool read(JsonView range, std::vector<AffectedRange>& out) {
    events_.clear();
    bool is_sound = true;
    range["events"].each([&](JsonView event) {
      for (const auto& [key, kind] : kKeys) {
        const JsonView value = event[key];
        if (!value.is_string()) continue;
        std::string_view version = value.text();
        if (kind == Event::Kind::kLimit && version == "*") continue;
        if (version.starts_with(prefix_)) version.remove_prefix(prefix_.size());
        is_sound &= version.size() <= limits::kVersionBytesMax;
        events_.push_back({kind, version});
      }
    });
    if (!is_sound) return false;
    const auto is_less = [&](const Event& a, const Event& b) {
      return order(scheme_, a.version, b.version) < 0;
    };
    // Stable, also because Maven's order is not transitive: a plain sort may then leave the list.
    if (!std::ranges::is_sorted(events_, is_less)) std::ranges::stable_sort(events_, is_less);
    walk(out);
    return true;
  }

  // Whether a fix ended one of the ranges read so far.
  bool has_fix() const { return has_fix_; }

 private:
  static constexpr std::pair<std::string_view, Event::Kind> kKeys[] = {
      {"introduced", Event::Kind::kIntroduced},
      {"fixed", Event::Kind::kFixed},
      {"last_affected", Event::Kind::kLastAffected},
      {"limit", Event::Kind::kLimit},
  };

  // Goes through the events version by version. Where a range ends and another begins at one
  // version, it goes on; where one begins and ends there, it holds nothing.
  void walk(std::vector<AffectedRange>& out) {
    const auto is_limit = [](const Event& event) { return event.kind == Event::Kind::kLimit; };
    // The greatest limit counts: a version below any of them is looked at.
    const auto limit = std::ranges::find_if(events_.rbegin(), events_.rend(), is_limit);
    bool is_open = false;
    for (auto first = events_.begin(); first != events_.end();) {
      const auto end = std::find_if(first, events_.end(), [&](const Event& event) {
        return order(scheme_, first->version, event.version) != 0;
      });
      const auto has = [&](Event::Kind kind) {
        return std::find_if(first, end, [&](const Event& e) { return e.kind == kind; }) != end;
      };
      const bool begins = has(Event::Kind::kIntroduced);
      const bool was_open = is_open;
      if (begins && !is_open) {
        out.push_back({is_below_all(first->version) ? "" : std::string(first->version), "", ""});
        is_open = true;
      }
      const bool goes_on = begins && was_open;
      if (is_open && !goes_on && has(Event::Kind::kFixed)) {
        out.back().fixed = first->version;
        is_open = false;
        has_fix_ |= !is_below_all(first->version);
      } else if (is_open && !goes_on && has(Event::Kind::kLastAffected)) {
        out.back().last_affected = first->version;
        is_open = false;
      }
      if (limit != events_.rend() && limit->version == first->version && has(Event::Kind::kLimit)) {
        if (is_open) out.back().fixed = first->version;
        return;
      }
      first = end;
    }
  }

  const version::Scheme& scheme_;
  std::string_view prefix_;
  std::vector<Event> events_;
  bool has_fix_ = false;
};

// What lies in both; nothing where they do not meet.
void intersect(const version::Scheme& scheme, const AffectedRange& a, const AffectedRange& b,
               std::vector<AffectedRange>& out) {
  AffectedRange both;
  both.introduced = order(scheme, a.introduced, b.introduced) < 0 ? b.introduced : a.introduced;
  // Where the ends are one version, the exclusive end comes first.
  const std::string& end_a = a.fixed.empty() ? a.last_affected : a.fixed;
  const std::string& end_b = b.fixed.empty() ? b.last_affected : b.fixed;
  bool is_a = end_b.empty();
  if (!end_a.empty() && !end_b.empty()) {
    const std::strong_ordering ends = order(scheme, end_a, end_b);
    is_a = ends < 0 || (ends == 0 && !a.fixed.empty());
  }
  both.fixed = is_a ? a.fixed : b.fixed;
  both.last_affected = is_a ? a.last_affected : b.last_affected;
  const std::string& end = both.fixed.empty() ? both.last_affected : both.fixed;
  const bool is_empty =
      !end.empty() && (both.fixed.empty() ? order(scheme, end, both.introduced) < 0
                                          : order(scheme, end, both.introduced) <= 0);
  if (!is_empty) out.push_back(std::move(both));
}

// --- A record ---------------------------------------------------------------------------------

// Builds the advisories of one record.
class Record {
 public:
  Record(const OsvEcosystem& ecosystem, JsonView json, AdvisorySink& sink)
      : ecosystem_(ecosystem),
        scheme_(*version::find_scheme(ecosystem.scheme)),
        json_(json),
        sink_(sink) {}

  // By shard.
  std::map<std::string, Advisory> read() {
    read_common();
    json_["affected"].each([&](JsonView affected) { read_affected(affected); });
    for (auto& [shard, advisory] : advisories_) apply_custom_ranges(advisory);
    return std::move(advisories_);
  }

  UnixSeconds newest() const { return std::max(common_.modified_at, common_.published_at); }

 private:
  void read_common() {
    common_.id = json_["id"].text();
    common_.source = ecosystem_.source;
    common_.published_at = parse_time_or_zero(json_["published"].text());
    common_.modified_at = parse_time_or_zero(json_["modified"].text());
    common_.is_withdrawn = json_["withdrawn"].is_string();
    const JsonView specific = json_["database_specific"];
    common_.vendor_severity = specific["severity"].text();
    specific["cwe_ids"].each([&](JsonView cwe) { add_once(common_.cwes, cwe.text()); });
    read_severities(json_["severity"], common_);
    if (ecosystem_.has_redhat_summary) read_redhat_summary(json_["summary"].text());
    if (is_cve(common_.id)) common_.cves.push_back(common_.id);
    read_ids(json_["aliases"], true);
    read_ids(json_["upstream"], true);
    if (ecosystem_.is_errata) read_ids(json_["related"], false);
  }

  void read_ids(JsonView list, bool are_aliases) {
    list.each([&](JsonView one) {
      const std::string_view id = one.text();
      if (is_cve(id)) {
        add_once(common_.cves, id);
      } else if (are_aliases && !id.empty() && id != common_.id) {
        add_once(common_.aliases, id);
      }
    });
  }

  void read_severities(JsonView list, Advisory& out) {
    list.each([&](JsonView one) {
      const std::string_view type = one["type"].text();
      const std::string_view score = one["score"].text();
      if (type == "Ubuntu") out.vendor_severity = score;
      if (!type.starts_with("CVSS_")) return;
      Result<Cvss> cvss = parse_cvss(score);
      if (!cvss) return sink_.skip("osv: a CVSS vector that cannot be read");
      if (std::ranges::find(out.cvss, *cvss) == out.cvss.end())
        out.cvss.push_back(*std::move(cvss));
    });
  }

  // "Moderate: virt:rhel and virt-devel:rhel security update", "php:8.0 security update
  // (Important)".
  void read_redhat_summary(std::string_view summary) {
    for (const std::string_view word : kRedhatSeverities) {
      const std::string in_brackets = "(" + std::string(word) + ")";
      if (summary.starts_with(std::string(word) + ":") || summary.ends_with(in_brackets)) {
        common_.vendor_severity = word;
      }
    }
    for (std::string_view word : split(summary, ' ')) {
      while (word.ends_with(',')) word.remove_suffix(1);
      const size_t colon = word.find(':');
      const bool is_stream = colon != std::string_view::npos && colon > 0 &&
                             colon + 1 < word.size() && colon == word.rfind(':');
      if (is_stream) streams_.emplace_back(word);
    }
  }

  void read_affected(JsonView affected) {
    const JsonView package = affected["package"];
    std::string_view release = package["ecosystem"].text();
    const size_t colon = release.find(':');
    // The other ecosystems' files have the record too.
    if (release.substr(0, colon) != ecosystem_.name) {
      return sink_.skip("osv: a package of another ecosystem than the file's");
    }
    release.remove_prefix(colon == std::string_view::npos ? release.size() : colon + 1);
    Place place{std::string(ecosystem_.family), ""};
    if (ecosystem_.place != nullptr) place = ecosystem_.place(ecosystem_.family, release, package);
    if (place.shard.empty()) return sink_.skip("osv: a product or release that is not matched");
    const std::string_view name = package["name"].text();
    if (name.empty() || name.size() > limits::kNameBytesMax) {
      return sink_.skip("osv: a package without a usable name");
    }
    Affected one;
    one.package = normal_package_name(ecosystem_.family, name);
    one.name_kind = ecosystem_.name_kind;
    one.channel = std::move(place.channel);
    one.notice = notice_of(affected["database_specific"]["informational"]);
    one.vendor_severity = affected["ecosystem_specific"]["urgency"].text();
    if (!read_versions(affected, one)) return;
    Advisory& advisory = advisories_.try_emplace(place.shard, common_).first->second;
    read_severities(affected["severity"], advisory);
    add_streams(place.shard, advisory, std::move(one));
  }

  // RustSec: these are no vulnerabilities (https://rustsec.org, "informational").
  static NoticeKind notice_of(JsonView informational) {
    if (!informational.is_string()) return NoticeKind::kNone;
    const std::string_view word = informational.text();
    if (word == "unmaintained") return NoticeKind::kUnmaintained;
    return word == "unsound" ? NoticeKind::kUnsound : NoticeKind::kNotice;
  }

  // False where the entry tells of no version that could be compared.
  bool read_versions(JsonView affected, Affected& out) {
    const bool is_go = ecosystem_.name == "Go";
    RangeReader reader(scheme_, is_go ? "v" : "");
    bool is_sound = true;
    affected["ranges"].each([&](JsonView range) {
      if (range["type"].text() != "GIT") is_sound &= reader.read(range, out.ranges);
    });
    if (is_go) {
      std::vector<AffectedRange> custom;
      affected["ecosystem_specific"]["custom_ranges"].each(
          [&](JsonView range) { is_sound &= reader.read(range, custom); });
      std::ranges::move(custom, std::back_inserter(custom_ranges_[out.package]));
    }
    const bool is_list_whole = affected["versions"].size() != 0 && do_releases_decide(affected);
    affected["versions"].each([&](JsonView listed) {
      const std::string_view version = listed.text();
      is_sound &= version.size() <= limits::kVersionBytesMax;
      const bool is_new = is_sound && (is_list_whole || !is_held(version, out.ranges));
      if (is_new) out.versions.emplace_back(version);
    });
    if (is_list_whole && is_sound) leave_to_the_list(out);
    if (!is_sound) {
      sink_.skip("osv: a version past its bound");
      return false;
    }
    if (out.ranges.empty() && out.versions.empty()) {
      sink_.skip("osv: a package without versions");
      return false;
    }
    set_state(reader.has_fix(), out);
    return true;
  }

  // Whoever gives commits first (PyPA) has looked at each release, and lists those that have them.
  // Between the listed ones there is then no further release to be found; that is how OSV-Scanner
  // reads them. Where the commits have no end, releases to come have them too: the ranges hold.
  bool do_releases_decide(JsonView affected) const {
    if (ecosystem_.name != "PyPI") return false;
    const std::vector<JsonView> ranges = affected["ranges"].items();
    const auto is_of_commits = [](JsonView range) { return range["type"].text() == "GIT"; };
    const auto has_end = [](JsonView range) {
      bool ends = false;
      range["events"].each([&](JsonView event) { ends |= !event["introduced"].is_string(); });
      return ends;
    };
    return !ranges.empty() && is_of_commits(ranges.front()) &&
           std::ranges::all_of(
               ranges, [&](JsonView range) { return !is_of_commits(range) || has_end(range); });
  }

  // What the list leaves of the ranges: the fix, which holds nothing, and what lies between the
  // last release that was there to be listed and the first pre-release of the fix. A range without
  // an end tells no more than the list does, whose commits have one.
  void leave_to_the_list(Affected& out) const {
    std::vector<AffectedRange> left;
    for (const AffectedRange& range : out.ranges) {
      if (range.fixed.empty()) continue;
      left.push_back({range.fixed, range.fixed, ""});
      AffectedRange late = {range.introduced, "", range.fixed + ".dev0"};
      for (const std::string& listed : out.versions) {
        const bool is_later =
            is_held(listed, {range}) && order(scheme_, listed, late.introduced) > 0;
        if (is_later) late.introduced = listed;
      }
      const bool is_usable = scheme_.is_valid(late.last_affected) &&
                             late.last_affected.size() <= limits::kVersionBytesMax;
      if (is_usable) left.push_back(std::move(late));
    }
    out.ranges = std::move(left);
  }

  // A listed version that a range already has says nothing new. One that is not in the scheme's
  // form is kept: where it lies is a guess.
  bool is_held(std::string_view version, const std::vector<AffectedRange>& ranges) const {
    return scheme_.is_valid(version) &&
           std::ranges::any_of(ranges, [&](const AffectedRange& range) {
             return version::in_range(scheme_, version, range).value_or(false);
           });
  }

  void set_state(bool has_fix, Affected& out) const {
    out.state = has_fix ? FixState::kFixed : FixState::kAffected;
    // "Fixed in 0": the secdb's way to say that a package never was affected.
    const bool is_never =
        out.versions.empty() && std::ranges::all_of(out.ranges, [](const AffectedRange& range) {
          return !range.fixed.empty() && is_below_all(range.fixed);
        });
    if (is_never) {
      out.state = FixState::kNotAffected;
      out.ranges.clear();
    }
    if (out.vendor_severity == "end-of-life" && !has_fix) out.state = FixState::kEndOfLife;
    if (has_fix && ecosystem_.is_errata) out.fixed_at = common_.published_at;
  }

  // A module's package once per stream that the summary names; without one it is of any stream.
  void add_streams(const std::string& shard, Advisory& advisory, Affected one) {
    if (!streams_.empty() && is_of_module(one)) {
      for (const std::string& stream : streams_) {
        one.module = stream;
        merge(shard, advisory, one);
      }
      return;
    }
    merge(shard, advisory, std::move(one));
  }

  static bool is_of_module(const Affected& one) {
    return std::ranges::any_of(one.ranges, [](const AffectedRange& range) {
      return range.fixed.find("module_el") != std::string::npos ||
             range.fixed.find("module+el") != std::string::npos;
    });
  }

  // One Affected per package: records that list it several times mean all of it.
  void merge(const std::string& shard, Advisory& advisory, Affected one) {
    std::string key = shard;
    for (const std::string_view part : {std::string_view(one.package), std::string_view(one.module),
                                        std::string_view(one.channel)}) {
      key += '\n';
      key += part;
    }
    key += static_cast<char>(one.notice);
    const auto [at, is_new] = entries_.try_emplace(std::move(key), advisory.affected.size());
    if (is_new) {
      advisory.affected.push_back(std::move(one));
      return;
    }
    Affected& known = advisory.affected[at->second];
    if (ecosystem_.has_redhat_summary && keep_least_fix(known, one)) return;
    for (AffectedRange& range : one.ranges) {
      if (std::ranges::find(known.ranges, range) == known.ranges.end()) {
        known.ranges.push_back(std::move(range));
      }
    }
    for (const std::string& version : one.versions) add_once(known.versions, version);
    if (one.state == FixState::kFixed) known.state = FixState::kFixed;
  }

  // The builds of one erratum differ in the minor release they were made for, and all of them have
  // the fix: "1.2-3.module_el8.5.0+119" and "1.2-3.module_el8.6.0+240". The least of them decides.
  bool keep_least_fix(Affected& known, const Affected& one) const {
    const auto is_plain = [](const Affected& affected) {
      return affected.ranges.size() == 1 && affected.versions.empty() &&
             affected.ranges[0].introduced.empty() && !affected.ranges[0].fixed.empty();
    };
    if (!is_plain(known) || !is_plain(one)) return false;
    if (order(scheme_, one.ranges[0].fixed, known.ranges[0].fixed) < 0) known.ranges = one.ranges;
    return true;
  }

  // The Go database has in custom_ranges what is no version of a Go module. Where they meet
  // `ranges`, those are wider than the truth, often "all": a version is affected where both say so.
  // Where they do not meet, each speaks of versions of its own (pseudo-versions, product releases).
  void apply_custom_ranges(Advisory& advisory) {
    for (Affected& one : advisory.affected) {
      const auto custom = custom_ranges_.find(one.package);
      if (custom == custom_ranges_.end() || custom->second.empty()) continue;
      std::vector<AffectedRange> both;
      for (const AffectedRange& range : one.ranges) {
        for (const AffectedRange& bound : custom->second) intersect(scheme_, range, bound, both);
      }
      if (both.empty()) {
        std::ranges::copy(custom->second, std::back_inserter(one.ranges));
      } else {
        one.ranges = std::move(both);
      }
      const bool has_fix = std::ranges::any_of(
          one.ranges, [](const AffectedRange& range) { return !range.fixed.empty(); });
      one.state = has_fix ? FixState::kFixed : FixState::kAffected;
    }
  }

  const OsvEcosystem& ecosystem_;
  const version::Scheme& scheme_;
  const JsonView json_;
  AdvisorySink& sink_;
  Advisory common_;
  std::vector<std::string> streams_;  // Module streams that the summary names.
  std::map<std::string, Advisory> advisories_;
  std::map<std::string, size_t> entries_;  // Where each Affected stands in its advisory.
  std::map<std::string, std::vector<AffectedRange>> custom_ranges_;  // By package.
};

}  // namespace

const OsvEcosystem* find_osv_ecosystem(std::string_view name) {
  const OsvEcosystem* found = std::ranges::find(kEcosystems, name, &OsvEcosystem::name);
  return found == std::end(kEcosystems) ? nullptr : found;
}

OsvReader::OsvReader(const OsvEcosystem& ecosystem, const FeedFile& file, AdvisorySink& sink)
    : ecosystem_(ecosystem), file_(file), sink_(sink) {
  CHECK(version::find_scheme(ecosystem.scheme) != nullptr);
  if (ecosystem.place == nullptr) shards_.emplace(ecosystem.family);
}

Status OsvReader::add(std::string_view json) {
  const JsonView root = TRY(document_.parse(json));
  const std::string_view id = root["id"].text();
  if (id.empty() || id.size() > limits::kNameBytesMax) {
    sink_.skip("osv: a record without a usable id");
    return {};
  }
  const bool is_other = std::ranges::any_of(
      kOtherErrata, [&](std::string_view prefix) { return id.starts_with(prefix); });
  if (is_other) {
    sink_.skip("osv: an erratum that is not about security");
    return {};
  }
  Record record(ecosystem_, root, sink_);
  for (auto& [shard, advisory] : record.read()) {
    shards_.insert(shard);
    if (advisory.affected.empty()) continue;
    sink_.add(shard, std::move(advisory));
  }
  newest_ = std::max(newest_, record.newest());
  return {};
}

void OsvReader::finish() {
  Coverage coverage = file_.coverage;
  // Whoever states the coverage of the file cannot make more of it than its publisher does.
  coverage.is_fixed_only |= ecosystem_.is_fixed_only;
  for (const std::string& shard : shards_) {
    sink_.add_source(shard, ecosystem_.source, coverage, file_.as_of != 0 ? file_.as_of : newest_);
  }
}

}  // namespace vigil::advisory
