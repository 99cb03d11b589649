#include "peers.h"

#include <dirent.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/limits.h"
#include "decode/archive.h"
#include "golden_database.h"
#include "match/matcher.h"
#include "report/sbom_reader.h"

namespace vigil::goldens {

namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

// "1.10.15, 2.0.2" as words.
std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (std::string& word : split(text, ',')) {
    const size_t start = word.find_first_not_of(' ');
    if (start != std::string::npos) out.push_back(word.substr(start));
  }
  return out;
}

Result<std::vector<PeerRow>> read_rows(const std::string& path) {
  const std::string text = TRY(read_file(path, limits::kDocumentBytesMax));
  std::vector<PeerRow> rows;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty() || line.starts_with("package\t")) continue;
    std::vector<std::string> cells = split(line, '\t');
    if (cells.size() < 7) return fail(ErrorCode::kMalformed, "a row with too few cells: " + line);
    cells.resize(8);
    rows.push_back(
        {cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], words(cells[7])});
  }
  return rows;
}

// The apk database of the rootfs inputs: "P:" name, "V:" version, "A:" architecture, "o:" origin.
Sbom sbom_of_apk(std::string_view installed, Distro distro) {
  Sbom sbom;
  sbom.distro = std::move(distro);
  Package package;
  for (const std::string& line : split(installed, '\n')) {
    if (line.starts_with("P:")) package.name = line.substr(2);
    if (line.starts_with("V:")) package.version = line.substr(2);
    if (line.starts_with("A:")) package.arch = line.substr(2);
    if (line.starts_with("o:")) package.source = {line.substr(2), package.version};
    if (line.empty() && !package.name.empty()) {
      package.kind = PackageKind::kApk;
      sbom.packages.push_back(std::move(package));
      package = {};
    }
  }
  return sbom;
}

Result<Sbom> read_rootfs(const std::string& path) {
  std::string installed;
  std::string os_release;
  const auto keep = [&](std::string_view name, std::string_view content) -> Status {
    if (name.starts_with("./")) name.remove_prefix(2);
    if (name == "lib/apk/db/installed") installed = content;
    if (name == "etc/os-release") os_release = content;
    return {};
  };
  TRY(decode::each_member(path, keep));
  Distro distro = TRY(parse_os_release(os_release));
  return sbom_of_apk(installed, std::move(distro));
}

bool is_reported(const PeerRow& row, Peer peer) {
  const std::string& state = peer == Peer::kTrivy ? row.trivy_state : row.grype_state;
  return state != "-" && state != "?";
}

// Whether a row and a finding of ours are about the same vulnerability.
bool is_same(const PeerRow& row, const Finding& ours) {
  if (row.id == ours.id) return true;
  // A peer that reports a record under its own id says which CVEs it has.
  if (std::ranges::find(row.grype_aliases, ours.id) != row.grype_aliases.end()) return true;
  const bool is_bulletin = is_cve(row.id);
  return !is_bulletin &&
         std::ranges::find(ours.advisories, row.id, &MatchedAdvisory::id) != ours.advisories.end();
}

// "fixed", "will_not_fix", "affected": the words of both peers in our own.
std::string_view state_word(std::string_view peer_state) {
  if (peer_state == "fixed") return "fixed";
  if (peer_state == "wont-fix" || peer_state == "will_not_fix") return "will_not_fix";
  return "affected";
}

// End of life and "will not fix" are one word to the peers, and so is all that is merely open.
std::string_view state_word(const Finding& ours) {
  switch (ours.state) {
    case FixState::kFixed:
      return "fixed";
    case FixState::kWillNotFix:
    case FixState::kEndOfLife:
      return "will_not_fix";
    default:
      return "affected";
  }
}

// Equal in what it tells a user to do: the same kind of state, and our fixes are among the peer's
// (who also lists fixes of other branches and below the installed version).
bool is_fix_equal(const PeerRow& row, Peer peer, const Finding& ours) {
  const std::string& state = peer == Peer::kTrivy ? row.trivy_state : row.grype_state;
  if (state_word(state) != state_word(ours)) return false;
  const std::vector<std::string> fixes =
      words(peer == Peer::kTrivy ? row.trivy_fixed : row.grype_fixed);
  return std::ranges::all_of(ours.fixed_versions, [&](const std::string& fix) {
    return std::ranges::find(fixes, fix) != fixes.end();
  });
}

match::Plan plan_of(const Sbom& sbom, const Package& package) {
  const Distro distro = package.distro.empty() ? sbom.distro : parse_distro(package.distro);
  const match::Matcher* matcher = match::find_matcher(package, distro);
  return matcher == nullptr ? match::Plan() : matcher->plan(package, distro);
}

// The feed's records, each name read once.
class Records {
 public:
  explicit Records(const advisory::Database& database) : database_(database) {}

  std::vector<Advisory> of(const match::Plan& plan, const std::string& id) {
    std::vector<Advisory> records;
    std::set<std::string> names;
    for (const match::Lookup& lookup : plan.lookups) names.insert(lookup.name);
    for (const std::string& name : names) {
      for (const Advisory& advisory : all(plan.shard, name)) {
        const bool is_named = advisory.id == id ||
                              std::ranges::find(advisory.cves, id) != advisory.cves.end() ||
                              std::ranges::find(advisory.aliases, id) != advisory.aliases.end();
        if (is_named) records.push_back(advisory);
      }
    }
    return records;
  }

 private:
  const std::vector<Advisory>& all(const std::string& shard_name, const std::string& name) {
    const auto [at, is_new] = known_.try_emplace({shard_name, name});
    if (!is_new) return at->second;
    const Result<const advisory::Shard*> shard = database_.shard(shard_name);
    if (shard && *shard != nullptr)
      at->second = (*shard)->find(name).value_or(std::vector<Advisory>{});
    return at->second;
  }

  const advisory::Database& database_;
  std::map<std::pair<std::string, std::string>, std::vector<Advisory>> known_;
};

using PackageKey = std::pair<std::string, std::string>;

// Builds the differences of one input.
class Comparison {
 public:
  Comparison(const PeerInput& input, const match::MatchOutput& ours,
             const advisory::Database& database)
      : input_(input), records_(database) {
    for (size_t i = 0; i < input.sbom.packages.size(); ++i) {
      const Package& package = input.sbom.packages[i];
      packages_[{package.name, package.version}] = &package;
      findings_[&package];
    }
    for (const Finding& finding : ours.findings) {
      findings_[&input.sbom.packages[finding.package]].push_back(&finding);
    }
    for (const PeerRow& row : input.rows) rows_[{row.package, row.version}].push_back(&row);
  }

  std::vector<Difference> differences(Peer peer) {
    out_.clear();
    for (const auto& [key, rows] : rows_) add_rows(peer, key, rows);
    for (const auto& [package, findings] : findings_) {
      const std::vector<const PeerRow*>& rows = rows_[{package->name, package->version}];
      for (const Finding* finding : findings) {
        const auto is_covered = [&](Peer by) {
          return std::ranges::any_of(rows, [&](const PeerRow* row) {
            return is_reported(*row, by) && is_same(*row, *finding);
          });
        };
        if (is_covered(peer)) continue;
        Difference one = difference(peer, DifferenceKind::kOursAlone, package, finding->id);
        one.ours = finding;
        one.other_peer_agrees = is_covered(other(peer));
        out_.push_back(std::move(one));
      }
    }
    return std::move(out_);
  }

 private:
  static Peer other(Peer peer) { return peer == Peer::kTrivy ? Peer::kGrype : Peer::kTrivy; }

  Difference difference(Peer peer, DifferenceKind kind, const Package* package,
                        const std::string& id) {
    Difference one;
    one.peer = peer;
    one.kind = kind;
    one.input = input_.name;
    one.package = package;
    one.id = id;
    if (package != nullptr) {
      const match::Plan plan = plan_of(input_.sbom, *package);
      one.records = records_.of(plan, id);
      if (!plan.lookups.empty()) one.compared = plan.lookups[0].version;
      one.package_findings = findings_[package];
      one.package_rows = rows_[{package->name, package->version}];
    }
    return one;
  }

  void add_rows(Peer peer, const PackageKey& key, const std::vector<const PeerRow*>& rows) {
    const auto known = packages_.find(key);
    const Package* package = known == packages_.end() ? nullptr : known->second;
    for (const PeerRow* row : rows) {
      if (!is_reported(*row, peer)) continue;
      bool is_found = false;
      if (package != nullptr) {
        for (const Finding* finding : findings_[package]) {
          if (!is_same(*row, *finding)) continue;
          is_found = true;
          if (is_fix_equal(*row, peer, *finding)) continue;
          Difference one = difference(peer, DifferenceKind::kFix, package, finding->id);
          one.ours = finding;
          one.row = row;
          one.other_peer_agrees =
              is_reported(*row, other(peer)) && is_fix_equal(*row, other(peer), *finding);
          out_.push_back(std::move(one));
        }
      }
      if (is_found) continue;
      Difference one = difference(peer, DifferenceKind::kPeerAlone, package, row->id);
      one.row = row;
      one.other_peer_agrees = !is_reported(*row, other(peer));
      out_.push_back(std::move(one));
    }
  }

  const PeerInput& input_;
  Records records_;
  std::map<PackageKey, const Package*> packages_;
  std::map<const Package*, std::vector<const Finding*>> findings_;
  std::map<PackageKey, std::vector<const PeerRow*>> rows_;
  std::vector<Difference> out_;
};

}  // namespace

std::vector<std::string> peer_input_names() {
  std::vector<std::string> names;
  const std::string folder = feeds_path("goldens/peers");
  if (folder.empty()) return names;
  DIR* directory = opendir(folder.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.ends_with(".tsv")) names.push_back(name.substr(0, name.size() - 4));
  }
  closedir(directory);
  std::ranges::sort(names);
  return names;
}

Result<PeerInput> read_peer_input(const std::string& name) {
  PeerInput input;
  input.name = name;
  const std::string stem = "goldens/peers/" + name;
  input.rows = TRY(read_rows(feeds_path(stem + ".tsv")));
  const std::string document = feeds_path(stem + ".cdx.json");
  if (document.empty()) {
    input.sbom = TRY(read_rootfs(feeds_path(stem + ".rootfs.tar.gz")));
    return input;
  }
  const std::string text = TRY(read_file(document, limits::kDocumentBytesMax));
  input.sbom = TRY(report::read_sbom(text));
  return input;
}

std::string Difference::text() const {
  std::string out = peer == Peer::kTrivy ? "trivy " : "grype ";
  switch (kind) {
    case DifferenceKind::kOursAlone:
      out += "silent";
      break;
    case DifferenceKind::kPeerAlone:
      out += "alone";
      break;
    case DifferenceKind::kFix:
      out += "other fix";
      break;
  }
  out += ": " + input + " " + (package == nullptr ? row->package : package->name) + " " +
         (package == nullptr ? row->version : package->version) + " " + id;
  if (ours != nullptr) {
    out += ", ours " + std::string(to_string(ours->state));
    for (const std::string& fix : ours->fixed_versions) out += " " + fix;
  }
  if (row != nullptr) {
    const bool is_trivy = peer == Peer::kTrivy;
    out += ", theirs " + (is_trivy ? row->trivy_state : row->grype_state) + " " +
           (is_trivy ? row->trivy_fixed : row->grype_fixed);
  }
  return out;
}

std::vector<Difference> compare_with_peers(const PeerInput& input, const match::MatchOutput& ours,
                                           const advisory::Database& database) {
  Comparison comparison(input, ours, database);
  std::vector<Difference> all = comparison.differences(Peer::kTrivy);
  const bool has_grype =
      std::ranges::any_of(input.rows, [](const PeerRow& row) { return row.grype_state != "?"; });
  if (!has_grype) return all;
  for (Difference& one : comparison.differences(Peer::kGrype)) all.push_back(std::move(one));
  return all;
}

}  // namespace vigil::goldens
