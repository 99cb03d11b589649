#include "exposure/join.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "base/time.h"
#include "exposure/facets.h"
#include "exposure/file_use.h"

namespace vigil::exposure {

namespace {

constexpr UnixNanoseconds kSecond = 1'000'000'000;
// What was seen in this time of a container's life only has to do with its start.
constexpr UnixNanoseconds kStartup = 60 * kSecond;
// A sensor that has looked this lately is looking: it says so each second, later on a busy machine.
constexpr UnixNanoseconds kLookSlack = 10 * kSecond;
// A window is watched whole where no more than this is missing at its ends.
constexpr UnixNanoseconds kWindowSlack = 2 * kSecond;

// ---- Whose file ----

// "x/__pycache__/y.cpython-311.opt-1.pyc" is made from "x/y.py", which is what packages list. ""
// for other paths.
std::string python_source(std::string_view path) {
  constexpr std::string_view kFolder = "__pycache__/";
  constexpr std::string_view kEnd = ".pyc";
  const size_t slash = path.rfind('/');
  if (!path.ends_with(kEnd) || slash == std::string_view::npos) return "";
  const std::string_view folder = path.substr(0, slash + 1);
  if (folder != kFolder && !folder.ends_with("/__pycache__/")) return "";
  std::string_view name = path.substr(slash + 1);
  name.remove_suffix(kEnd.size());
  const auto without_last = [&](std::string_view start) {
    const size_t dot = name.rfind('.');
    if (dot != std::string_view::npos && name.substr(dot + 1).starts_with(start)) {
      name = name.substr(0, dot);
    }
  };
  without_last("opt-");
  without_last("");
  return std::string(folder.substr(0, folder.size() - kFolder.size())) + std::string(name) + ".py";
}

std::vector<OwnedFile> owners_of(const decode::OwnershipView& owned, std::string_view path) {
  std::vector<size_t> found = owned.find(path);
  if (found.empty()) {
    if (const std::string source = python_source(path); !source.empty()) found = owned.find(source);
  }
  std::vector<OwnedFile> files;
  for (const size_t index : found) {
    Result<OwnedFile> file = owned.file(index);
    if (file) files.push_back(*std::move(file));
  }
  return files;
}

// One of the digests computed of the file, which stand with spaces between, is the package's own.
bool is_unchanged(const Evidence& evidence, const OwnedFile& file) {
  return !file.digest.empty() &&
         (" " + evidence.digest + " ").find(" " + file.digest + " ") != std::string::npos;
}

// ---- The join ----

class Join {
 public:
  Join(const WorkloadRecord& record, const Sbom& sbom, const decode::OwnershipView& owned,
       const JoinOptions& options)
      : record_(record), owned_(owned), options_(options) {
    exposure_.workload = record.workload;
    exposure_.window = options.window;
    exposure_.packages.resize(sbom.packages.size());
    for (size_t i = 0; i < sbom.packages.size(); ++i) {
      exposure_.packages[i].package = static_cast<uint32_t>(i);
    }
    changed_.resize(sbom.packages.size());
    owns_files_.resize(sbom.packages.size());
  }

  Exposure take() {
    find_root_devices();
    find_socket_facets();
    for (const Evidence& evidence : record_.files) add(evidence);
    for (size_t index = 0; index < owned_.size(); ++index) {
      const Result<OwnedFile> file = owned_.file(index);
      if (file && file->package < owns_files_.size()) owns_files_[file->package] = true;
    }
    const std::string why_unknown = add_coverage();
    for (PackageExposure& package : exposure_.packages) judge(package, why_unknown);
    keep_strongest(exposure_.drift);
    keep_strongest(exposure_.unowned);
    return std::move(exposure_);
  }

 private:
  // Devices of the container's own root, told by the files whose layer is known. On the host such
  // files are of containers, into which a runtime's own processes look.
  void find_root_devices() {
    if (record_.workload.runtime == Runtime::kHost) return;
    for (const Evidence& evidence : record_.files) {
      if (evidence.file.layer >= 0) root_devices_.insert(evidence.file.device);
    }
  }

  // By process. A worker accepts what its parent listens for, so what was accepted on a port counts
  // for who listens on it.
  void find_socket_facets() {
    std::map<uint16_t, uint8_t> accepted_on;
    for (const SocketFact& socket : record_.sockets) {
      if (socket.kind == EventKind::kAccept) accepted_on[socket.port] |= facets_of(socket);
    }
    for (const SocketFact& socket : record_.sockets) {
      if (socket.pid == 0) continue;
      uint8_t& facets = socket_facets_[{socket.pid, socket.process_started_at}];
      facets |= facets_of(socket);
      if (socket.kind == EventKind::kListen) facets |= accepted_on[socket.port];
    }
  }

  // Whether the file is not the image's: of the upper layer, or of a volume.
  bool is_foreign(const Evidence& evidence) const {
    if (evidence.file.layer == 0) return true;
    return evidence.file.layer < 0 && !root_devices_.empty() &&
           !root_devices_.contains(evidence.file.device);
  }

  void add(Evidence evidence) {
    evidence.tier = tier_of(evidence);
    evidence.facets = facets_of_file(evidence);
    const std::vector<OwnedFile> owners = owners_of(owned_, evidence.path);
    bool is_credited = false;
    for (const OwnedFile& owner : owners) {
      if (owner.package >= exposure_.packages.size()) continue;
      if (is_foreign(evidence) && !is_unchanged(evidence, owner)) {
        changed_[owner.package] = evidence.path;
        continue;
      }
      is_credited = true;
      PackageExposure& package = exposure_.packages[owner.package];
      package.tier = std::max(package.tier, evidence.tier);
      package.evidence.push_back(evidence);
    }
    const bool is_used = evidence.tier >= Tier::kLoaded;
    if (is_credited || !is_used) return;
    if (is_foreign(evidence)) {
      exposure_.drift.push_back(std::move(evidence));
    } else {
      ++exposure_.coverage.files_unowned;
      exposure_.unowned.push_back(std::move(evidence));
    }
  }

  uint8_t facets_of_file(const Evidence& evidence) const {
    const ProcessFacts& process = evidence.process;
    uint8_t facets =
        (evidence.facets & ~static_cast<uint8_t>(Facet::kStartupOnly)) | facets_of(process);
    const auto of_sockets = socket_facets_.find({process.pid, process.started_at});
    if (of_sockets != socket_facets_.end()) facets |= of_sockets->second;
    const UnixNanoseconds started_at = record_.workload.started_at;
    const bool is_startup_only = started_at != 0 && evidence.last_seen < started_at + kStartup &&
                                 record_.rechecked_at >= started_at + kStartup;
    return is_startup_only ? facets | Facet::kStartupOnly : facets;
  }

  // Fills the coverage; says why what was not seen is unknown, "" where it is not.
  std::string add_coverage() {
    WatchCoverage& coverage = exposure_.coverage;
    // The window ends now, or with the workload.
    const UnixNanoseconds ended_at = record_.workload.ended_at;
    const UnixNanoseconds life_to = ended_at != 0 ? ended_at : options_.now;
    const UnixNanoseconds window_from = life_to - options_.window;
    const UnixNanoseconds life_from = std::max(record_.workload.started_at, window_from);
    coverage.attach = record_.attach;
    coverage.to = record_.watched_to;
    coverage.from = std::min(std::max(record_.watched_from, window_from), coverage.to);
    coverage.sensor = record_.sensor;
    coverage.blind_spots = record_.blind_spots;
    UnixNanoseconds lost = 0;
    UnixNanoseconds counted_to = coverage.from;
    for (const WatchGap& gap : record_.gaps) {
      if (gap.to < window_from) continue;
      // What ran before the sensor is nothing of a workload that it saw from its start.
      if (gap.to == kLasting && record_.attach == Attach::kFromStart) continue;
      coverage.gaps.push_back(gap);
      coverage.gaps.back().to = std::min(gap.to, coverage.to);
      coverage.events_lost += gap.events_count;
      const UnixNanoseconds from = std::max(gap.from, counted_to);
      const UnixNanoseconds to = std::min(gap.to, coverage.to);
      // Where events were lost and counted, others were seen.
      if (gap.events_count == 0 && to > from) {
        lost += to - from;
        counted_to = to;
      }
    }
    const UnixNanoseconds watched = coverage.to - coverage.from - lost;
    if (record_.attach != Attach::kNone && life_to > life_from) {
      coverage.share = std::clamp(
          static_cast<double>(watched) / static_cast<double>(life_to - life_from), 0.0, 1.0);
    }
    return why_unknown(life_to);
  }

  std::string why_unknown(UnixNanoseconds life_to) const {
    const WatchCoverage& coverage = exposure_.coverage;
    if (record_.attach == Attach::kNone) return "nobody watched it";
    if (coverage.to + kLookSlack < life_to) {
      return fmt::format("the sensor has not looked for {}", format_length(life_to - coverage.to));
    }
    // What was lost stays lost; the others pass with time.
    if (!coverage.gaps.empty()) return told_gaps();
    if (coverage.to - coverage.from + kWindowSlack < options_.window) {
      return fmt::format("watched for {}, less than the window of {}",
                         format_length(coverage.to - coverage.from),
                         format_length(options_.window));
    }
    if (record_.sensor.starts_with("proc")) {
      return "the sensor takes samples only, and does not see short uses";
    }
    return "";
  }

  std::string told_gaps() const {
    const WatchCoverage& coverage = exposure_.coverage;
    const WatchGap& last = coverage.gaps.back();
    std::string text =
        coverage.events_lost > 0
            ? fmt::format("{} events were lost ({})", coverage.events_lost, last.reason)
            : fmt::format("{} for {}", last.reason, format_length(last.to - last.from));
    if (coverage.gaps.size() > 1) text += fmt::format(", {} gaps in all", coverage.gaps.size());
    return text;
  }

  void judge(PackageExposure& package, const std::string& why_unknown) {
    bool is_startup_only = true;
    for (const Evidence& evidence : package.evidence) {
      if (evidence.tier < Tier::kLoaded) continue;
      package.facets |= evidence.facets & ~static_cast<uint8_t>(Facet::kStartupOnly);
      is_startup_only = is_startup_only && (evidence.facets & Facet::kStartupOnly) != 0;
      if (evidence.is_deleted) {
        package.reason = evidence.path +
                         " was replaced on disk and is still mapped: what runs is older than what "
                         "is installed until the process is started again";
      }
    }
    if (package.tier >= Tier::kLoaded) {
      package.verdict = UseVerdict::kInUse;
      if (is_startup_only) package.facets |= Facet::kStartupOnly;
    } else {
      package.reason = why_not_told(package, why_unknown);
      package.verdict = package.reason.empty() ? UseVerdict::kNotObserved : UseVerdict::kUnknown;
    }
    // All of it counted; what is shown has a bound.
    keep_strongest(package.evidence);
  }

  std::string why_not_told(const PackageExposure& package, const std::string& why_unknown) const {
    const std::string& changed = changed_[package.package];
    if (!changed.empty()) {
      return changed + " in use is not the file that the package brought";
    }
    if (std::ranges::any_of(package.evidence, is_jar_of_java)) {
      return "a Java machine opened it; whether it loaded a class of it cannot be seen";
    }
    if (!owns_files_[package.package]) return "it owns no file that could be seen in use";
    return why_unknown;
  }

  static void keep_strongest(std::vector<Evidence>& evidence) {
    constexpr auto kReach = Facet::kListening | Facet::kExposed | Facet::kAccepted;
    std::ranges::stable_sort(evidence, [](const Evidence& left, const Evidence& right) {
      const auto rank = [](const Evidence& one) {
        return std::make_tuple(-static_cast<int>(one.tier), -(one.facets & kReach), one.first_seen);
      };
      return rank(left) < rank(right);
    });
    if (evidence.size() > limits::kEvidenceShownMax) evidence.resize(limits::kEvidenceShownMax);
  }

  const WorkloadRecord& record_;
  const decode::OwnershipView& owned_;
  const JoinOptions options_;
  Exposure exposure_;
  std::set<uint64_t> root_devices_;
  std::map<std::pair<uint32_t, UnixNanoseconds>, uint8_t> socket_facets_;
  std::vector<std::string> changed_;  // By package: a file of it in use that is not its own.
  std::vector<bool> owns_files_;
};

}  // namespace

Exposure join(const WorkloadRecord& record, const Sbom& sbom, const decode::OwnershipView& owned,
              const JoinOptions& options) {
  return Join(record, sbom, owned, options).take();
}

}  // namespace vigil::exposure
