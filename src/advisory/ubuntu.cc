// The tracker's README (https://git.launchpad.net/ubuntu-cve-tracker/tree/README) describes the
// format: a head of "Name: value" fields whose values may go on in indented lines, then
// "RELEASE_SOURCE: STATUS (NOTE)" for each source package and release.
#include "advisory/ubuntu.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "advisory/release_names.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kSpaces = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(kSpaces);
  if (start == std::string_view::npos) return "";
  return text.substr(start, text.find_last_not_of(kSpaces) - start + 1);
}

bool holds(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

// Where the rows of a release go: "esm-infra/xenial" is ubuntu-16.04 by the channel esm-infra,
// "trusty/esm" (the older spelling) ubuntu-14.04 by esm-infra.
struct Target {
  std::string shard;  // "" where the rows are of no release.
  std::string channel;
  bool is_unknown = false;  // Looks like a release and is not known.
};

Target target_of(std::string_view release) {
  const size_t slash = release.find('/');
  if (slash == std::string_view::npos) {
    const std::string shard = shard_of_codename(release);
    // The upstream project, the release in the making and snaps are no release with packages.
    const bool is_other = release == "upstream" || release == "devel" || release == "snap";
    return {shard, "", shard.empty() && !is_other};
  }
  const std::string_view left = release.substr(0, slash);
  const std::string_view right = release.substr(slash + 1);
  if (right == "esm") return {shard_of_codename(left), "esm-infra", false};
  // "vivid/ubuntu-core", "vivid/stable-phone-overlay": products, not the release.
  if (!shard_of_codename(left).empty()) return {};
  const std::string shard = shard_of_codename(right);
  return {shard, std::string(left), shard.empty()};
}

// The version in a note: "1:1.2.11-1", "0.27-1+deb7u1, 0.28-1", "nova - 2011.2-0ubuntu1.2".
std::string_view version_in(std::string_view note) {
  while (!note.empty()) {
    note = trimmed(note);
    const size_t end = std::min(note.find_first_of(" \t,"), note.size());
    const std::string_view word = note.substr(0, end);
    if (!word.empty() && word[0] >= '0' && word[0] <= '9') return word;
    note.remove_prefix(std::min(end + 1, note.size()));
  }
  return "";
}

// Why a package is ignored: after the end of support nobody looked any more, otherwise somebody
// decided. What was found not to be affected before stays so.
FixState ignored_state(std::string_view note) {
  if (holds(note, "was not-affected")) return FixState::kNotAffected;
  for (const std::string_view words : {"end of", "end-of-life", "EOL", "out of standard support"}) {
    if (holds(note, words)) return FixState::kEndOfLife;
  }
  return FixState::kWillNotFix;
}

struct Decision {
  FixState state = FixState::kAffected;
  std::string_view fixed;
};

// What a status means; nothing where the package does not exist in the release.
std::optional<Decision> decision_of(std::string_view status, std::string_view note,
                                    AdvisorySink& sink) {
  if (status == "DNE") return std::nullopt;
  if (status == "not-affected") return Decision{FixState::kNotAffected, ""};
  if (status == "released") {
    const std::string_view version = version_in(note);
    if (!version.empty()) return Decision{FixState::kFixed, version};
    sink.skip("ubuntu: released, without a version");
    return std::nullopt;
  }
  if (status == "ignored") return Decision{ignored_state(note), ""};
  if (status == "needs-triage") return Decision{FixState::kUnderInvestigation, ""};
  if (status == "needed" || status == "active") return Decision{FixState::kAffected, ""};
  if (status == "deferred") return Decision{FixState::kFixDeferred, ""};
  // The fix is made and not published: nobody can install it from the archive, but who has it is
  // no longer affected.
  if (status == "pending") return Decision{FixState::kAffected, version_in(note)};
  sink.skip("ubuntu: a status that is not known");
  return std::nullopt;
}

// Reads one file, line by line.
class CveReader {
 public:
  explicit CveReader(AdvisorySink& sink) : sink_(sink) {}

  void read(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      read_line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  UnixSeconds published_at() const { return advisory_.published_at; }

  void put(std::set<std::string>& shards) {
    if (advisory_.id.empty() || advisory_.id.size() > limits::kNameBytesMax) {
      sink_.skip("ubuntu: a file without a candidate");
      return;
    }
    advisory_.source = "ubuntu";
    if (is_cve(advisory_.id)) advisory_.cves = {advisory_.id};
    for (auto& [shard, rows] : rows_) {
      Advisory advisory = advisory_;
      advisory.affected = in_order(std::move(rows));
      shards.insert(shard);
      sink_.add(shard, std::move(advisory));
    }
  }

 private:
  struct Row {
    Affected affected;
    std::string release;  // As the file says it, for the package's own priority.
    size_t position = 0;  // In the file.
  };

  void read_line(std::string_view line) {
    if (line.empty() || line[0] == '#') return;
    if (line[0] == ' ' || line[0] == '\t') {
      if (is_in_cvss_) read_cvss(trimmed(line));
      return;
    }
    is_in_cvss_ = false;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    const size_t underscore = name.find('_');
    if (underscore == std::string_view::npos) {
      read_field(name, value);
    } else {
      read_row(name.substr(0, underscore), name.substr(underscore + 1), value);
    }
  }

  void read_field(std::string_view name, std::string_view value) {
    if (name == "Candidate") {
      advisory_.id = value;
    } else if (name == "PublicDate" || name == "PublicDateAtUSN") {
      // "2022-08-05 07:15:00 UTC", or a word where it is not known.
      if (value.ends_with(" UTC")) value.remove_suffix(4);
      const UnixSeconds date = parse_time_or_zero(value);
      if (date != 0 && (advisory_.published_at == 0 || name == "PublicDate")) {
        advisory_.published_at = date;
      }
    } else if (name == "Priority") {
      advisory_.vendor_severity = value.substr(0, value.find_first_of(kSpaces));
    } else if (name == "CVSS") {
      is_in_cvss_ = true;
      if (!value.empty()) read_cvss(value);
    }
  }

  // "nvd: CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H [9.8 CRITICAL]": who, vector, base score.
  void read_cvss(std::string_view line) {
    const size_t colon = line.find(": CVSS:");
    if (colon == std::string_view::npos) return;
    std::string_view rest = line.substr(colon + 2);
    const size_t end = std::min(rest.find_first_of(kSpaces), rest.size());
    Cvss cvss;
    cvss.source = line.substr(0, colon);
    cvss.vector = rest.substr(0, end);
    const size_t slash = cvss.vector.find('/');
    rest.remove_prefix(std::min(rest.find('['), rest.size()));
    const char* const score = rest.data() + std::min<size_t>(1, rest.size());
    const auto parsed = std::from_chars(score, rest.data() + rest.size(), cvss.score);
    const bool is_score = parsed.ec == std::errc() && cvss.score >= 0 && cvss.score <= 10;
    if (line.size() > limits::kVersionBytesMax || slash == std::string::npos || !is_score) {
      sink_.skip("ubuntu: a CVSS line that is not understood");
      return;
    }
    cvss.version = cvss.vector.substr(5, slash - 5);
    advisory_.cvss.push_back(std::move(cvss));
  }

  void read_row(std::string_view release, std::string_view package, std::string_view value) {
    if (release == "Priority") {
      // "Priority_linux: low", "Priority_linux_trusty/esm: medium".
      priorities_[std::string(package)] = value.substr(0, value.find_first_of(kSpaces));
      return;
    }
    if (release == "Patches" || release == "PPatches" || release == "Tags" ||
        release == "Assigned-to" || release == "upstream" || release == "devel" ||
        release.find(' ') != std::string_view::npos) {  // "-- Tags_xen", a line put out of use.
      return;
    }
    const size_t end = std::min(value.find_first_of(" \t("), value.size());
    const std::string_view status = value.substr(0, end);
    if (status == "DNE") return;  // The most frequent by far, and it says nothing.
    auto known = targets_.find(release);
    if (known == targets_.end()) {
      known = targets_.emplace(std::string(release), target_of(release)).first;
    }
    const Target& target = known->second;
    if (target.is_unknown) sink_.skip("ubuntu: a release that is not known");
    if (target.shard.empty()) return;
    std::string_view note = trimmed(value.substr(end));
    if (note.starts_with("(")) note.remove_prefix(1);
    if (note.ends_with(")")) note.remove_suffix(1);
    const std::optional<Decision> decision = decision_of(status, note, sink_);
    if (!decision) return;
    if (package.empty() || package.size() > limits::kNameBytesMax ||
        decision->fixed.size() > limits::kVersionBytesMax) {
      sink_.skip("ubuntu: a name or version that is not usable");
      return;
    }
    Affected affected;
    affected.package = package;
    affected.name_kind = NameKind::kSource;
    affected.state = decision->state;
    affected.channel = target.channel;
    if (affected.state != FixState::kNotAffected) {
      affected.ranges.push_back({"", std::string(decision->fixed), ""});
    }
    std::vector<Row>& rows = rows_[target.shard];
    rows.push_back({std::move(affected), std::string(release), rows.size()});
  }

  // Sorted by package and channel, the first row of each, with the priority that is its own.
  std::vector<Affected> in_order(std::vector<Row> rows) {
    std::ranges::sort(rows, {}, [](const Row& row) {
      return std::tuple<std::string_view, std::string_view, size_t>(
          row.affected.package, row.affected.channel, row.position);
    });
    std::vector<Affected> out;
    for (auto& [one, release, position] : rows) {
      if (!out.empty() && out.back().package == one.package && out.back().channel == one.channel) {
        sink_.skip("ubuntu: a package with two rows for one release");
        continue;
      }
      const auto of_release = priorities_.find(one.package + "_" + release);
      const auto of_package = priorities_.find(one.package);
      if (of_package != priorities_.end()) one.vendor_severity = of_package->second;
      if (of_release != priorities_.end()) one.vendor_severity = of_release->second;
      out.push_back(std::move(one));
    }
    return out;
  }

  AdvisorySink& sink_;
  Advisory advisory_;  // Without its packages.
  bool is_in_cvss_ = false;
  // By "package" and by "package_release".
  std::map<std::string, std::string, std::less<>> priorities_;
  std::map<std::string, Target, std::less<>> targets_;
  std::map<std::string, std::vector<Row>> rows_;  // By shard.
};

}  // namespace

UnixSeconds add_ubuntu_cve(std::string_view text, std::set<std::string>& shards,
                           AdvisorySink& sink) {
  CveReader reader(sink);
  reader.read(text);
  reader.put(shards);
  return reader.published_at();
}

}  // namespace vigil::advisory
