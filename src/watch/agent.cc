#include "watch/agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/digest.h"
#include "base/limits.h"
#include "exposure/facets.h"
#include "exposure/join.h"
#include "image/file_access.h"
#include "scan/inventory_file.h"
#include "sensor/proc_folder.h"
#include "sensor/proc_reader.h"
#include "watch/evidence.h"
#include "watch/json_lines.h"

namespace vigil::watch {

namespace {

using Links = image::FileAccess::Links;

constexpr UnixNanoseconds kMillisecond = 1'000'000;
constexpr UnixNanoseconds kSecond = 1000 * kMillisecond;
constexpr UnixNanoseconds kWriteEvery = 250 * kMillisecond;
constexpr UnixNanoseconds kRefreshEvery = kSecond;
constexpr UnixNanoseconds kMappingsEvery = 30 * kSecond;
constexpr UnixNanoseconds kPackagesEvery = 10 * kSecond;
constexpr UnixNanoseconds kDropEvery = 600 * kSecond;
constexpr UnixNanoseconds kMatchAgainAfter = 60 * kSecond;
constexpr uint64_t kLateRounds = 30;  // Of kRefreshEvery: how long an ended workload is kept.
constexpr int kBatchesAtOnce = 64;

// Which manifest it is; "" where there is none.
std::string file_mark(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{}:{}:{}:{}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

uint64_t sighting_of(std::string_view workload, const Evidence& evidence) {
  std::string text(workload);
  append_sized_text(text, evidence.path);
  append_little(text, evidence.file.inode);
  append_little(text, evidence.file.device);
  append_little(text, static_cast<uint8_t>(evidence.tier));
  return xxh3(as_bytes(text));
}

// The package of the inventory that a change speaks of; nothing where it is no longer there.
std::optional<size_t> find_package(const Sbom& sbom, const FindingChange& change) {
  for (size_t i = 0; i < sbom.packages.size(); ++i) {
    const Package& package = sbom.packages[i];
    if (package.name == change.package && package.version == change.version &&
        package.arch == change.arch) {
      return i;
    }
  }
  return std::nullopt;
}

constexpr size_t kUrgencies = 3;
size_t urgency(UseVerdict verdict) {
  if (verdict == UseVerdict::kInUse) return 0;
  return verdict == UseVerdict::kUnknown ? 1 : 2;
}

}  // namespace

Agent::Agent(const WatchOptions& options, sensor::EventSource& source,
             exposure::EvidenceStore& store)
    : options_(options),
      source_(source),
      store_(store),
      index_(sensor::find_host_folders()),
      lines_(options.output),
      attached_at_(sensor::unix_now()),
      batch_at_(attached_at_),
      mappings_at_(attached_at_),
      packages_at_(attached_at_) {
  host_root_ = Fd(::open((index_.host().root + "/").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// ---- Events ----

Status Agent::take_snapshot() {
  check(store_.record_alive(attached_at_, source_.description(), source_.blind_spots()));
  const sensor::Batch batch = TRY(source_.snapshot());
  // The host is a workload whether or not anything of it is seen.
  ProcessFacts none;
  none.mount_namespace = index_.host().mount_namespace;
  workload_of(none);
  for (const Event& event : batch.events) take(event);
  note_losses(batch.losses, LostIn::kSnapshot);
  end_what_is_gone();
  // What was found already matches the database of the moment, as far as it was matched before.
  for (std::string& key : stored_keys()) match_wanted_.insert(std::move(key));
  database_mark_ = file_mark(options_.database_folder + "/manifest.json");
  write_out();
  return {};
}

// What ended while no agent looked. One that is there and of which nothing was seen goes on.
void Agent::end_what_is_gone() {
  const Result<std::vector<Workload>> stored = store_.workloads();
  if (!stored) return check(std::unexpected(stored.error()));
  sensor::ProcReader reader(sensor::boot_time());
  for (const Workload& workload : *stored) {
    if (workload.ended_at != 0 || index_.known(workload.id) != nullptr) continue;
    const std::vector<Event> first = reader.events_of(workload.init_pid);
    const bool is_there =
        !first.empty() && first.front().process.mount_namespace == workload.mount_namespace;
    if (!is_there) check(store_.record_ended(workload.id));
  }
}

Status Agent::take_events() {
  for (int round = 0; round < kBatchesAtOnce; ++round) {
    const sensor::Batch batch = TRY(source_.next_batch());
    for (const Event& event : batch.events) take(event);
    note_losses(batch.losses, LostIn::kEvents);
    batch_at_ = sensor::unix_now();
    if (batch.events.empty()) break;
  }
  return {};
}

void Agent::take(const Event& event) {
  metrics_.add("vigil_events_total", label("kind", to_string(event.kind)), 1);
  if (!event.is_snapshot) facets_.note(event);
  if (is_runtime_start(event)) return;
  switch (event.kind) {
    case EventKind::kExec:
    case EventKind::kMap:
    case EventKind::kOpen:
      return take_file(event);
    case EventKind::kListen:
    case EventKind::kAccept:
    case EventKind::kConnect:
      return take_socket(event);
    case EventKind::kFork:
    case EventKind::kExit:
      return;
  }
}

void Agent::take_file(const Event& event) {
  const Workload& workload = workload_of(event.process);
  std::optional<Evidence> evidence = evidence_of(event);
  if (!evidence || event.is_truncated) {
    lose(workload.id, evidence ? "a path was too long to be copied" : "a path could not be told", 1,
         event.is_snapshot ? LostIn::kSnapshot : LostIn::kEvents);
    return;
  }
  if (workload.runtime == Runtime::kHost && !is_on_host(event)) {
    if (index_.could_be_anybodys(event.process)) lose("", "a process had ended", 1);
    return;
  }
  evidence->facets = facets_.of(event.process) | exposure::facets_of(event.process);
  if (event.file.layer == 0 && evidence->tier >= Tier::kLoaded) {
    evidence->digest = digest_of(workload, event);
  }
  record(workload, *evidence);
}

void Agent::record(const Workload& workload, const Evidence& evidence) {
  const Status recorded = store_.record_file(workload.id, evidence);
  if (!recorded) lose(workload.id, "the evidence store took no more", 1);
  if (told_.size() >= limits::kToldMax) told_.clear();
  if (!told_.insert(sighting_of(workload.id, evidence)).second) return;
  ++files_count_;
  metrics_.add("vigil_sightings_total", label("tier", to_string(evidence.tier)), 1);
  lines_.write(evidence_line(workload, evidence));
}

void Agent::take_socket(const Event& event) {
  const exposure::SocketFact socket = {.kind = event.kind,
                                       .pid = event.process.pid,
                                       .process_started_at = event.process.started_at,
                                       .address = event.address,
                                       .peer = event.peer,
                                       .port = event.port,
                                       .first_seen = event.at};
  const Workload& workload = workload_of(event.process);
  check(store_.record_socket(workload.id, socket));
  const uint8_t added = facets_.add(event.process, exposure::facets_of(socket));
  // What it has mapped can be reached through the socket.
  if (added != 0) take_mappings(event.process.pid);
}

// What a process runs and has mapped right now. Where it has ended, or may not be looked at, what
// was seen of it before stays as it is.
void Agent::take_mappings(uint32_t pid) {
  const Result<sensor::Batch> batch = source_.snapshot_of(pid);
  if (!batch) return;
  for (const Event& event : batch->events) {
    const bool is_code = event.kind == EventKind::kExec || event.kind == EventKind::kMap;
    if (is_code && !event.path.empty()) take(event);
  }
}

// A process in a chroot, or with a root of its own, has other files under the same names.
bool Agent::is_on_host(const Event& event) const {
  if (event.is_deleted) return true;
  const Result<Fd> place = image::open_place(host_root_, event.path, Links::kFollow);
  struct stat status = {};
  return place && ::fstat(place->get(), &status) == 0 &&
         (status.st_ino == event.file.inode || status.st_ino == event.file.real_inode);
}

// Of the very file that was seen, in the upper folder, or as the container's processes see it.
std::string Agent::digest_of(const Workload& workload, const Event& event) {
  Result<Fd> file = fail(ErrorCode::kNotFound, event.path);
  const Fd upper(::open(workload.upper_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (upper.is_open()) {
    file = image::open_place(upper, event.path, Links::kRefuse);
  }
  if (!file) {
    const Result<Fd> root = index_.open_root(workload);
    if (root) file = image::open_place(*root, event.path, Links::kFollow);
  }
  struct stat status = {};
  const bool is_it = file && ::fstat(file->get(), &status) == 0 && S_ISREG(status.st_mode) &&
                     (status.st_ino == event.file.inode || status.st_ino == event.file.real_inode);
  if (!is_it) return "";
  // The same file is executed and mapped again and again.
  const auto number = [](auto value) { return static_cast<uint64_t>(value); };
  const FileState state = {number(status.st_dev),          number(status.st_ino),
                           number(status.st_size),         number(status.st_mtim.tv_sec),
                           number(status.st_mtim.tv_nsec), number(status.st_ctim.tv_sec),
                           number(status.st_ctim.tv_nsec)};
  const auto known = digests_.find(state);
  if (known != digests_.end()) return known->second;
  if (!may_digest(number(status.st_size))) return "";
  const std::string again = "/proc/self/fd/" + std::to_string(file->get());
  const Fd readable(::open(again.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!readable.is_open()) return "";
  if (digests_.size() >= limits::kToldMax) digests_.clear();
  return digests_[state] = file_digests(readable, limits::kDigestFileBytesMax).value_or("");
}

// Events wait while a file is digested: one container must not make the others' be lost. What has
// no digest now is looked at again while it is used.
bool Agent::may_digest(uint64_t bytes) {
  constexpr uint64_t kBytesPerSecond = 16 << 20;
  constexpr uint64_t kBytesAtOnce = limits::kDigestFileBytesMax;
  const UnixNanoseconds now = sensor::unix_now();
  const UnixNanoseconds since = std::clamp<UnixNanoseconds>(
      now - digests_refilled_at_, 0, kBytesAtOnce / kBytesPerSecond * kSecond);
  digests_refilled_at_ = now;
  digest_bytes_left_ += static_cast<uint64_t>(since) * kBytesPerSecond / kSecond;
  digest_bytes_left_ = std::min(digest_bytes_left_, kBytesAtOnce);
  if (bytes > digest_bytes_left_) return false;
  digest_bytes_left_ -= bytes;
  return true;
}

// ---- Losses ----

void Agent::note_losses(const std::vector<sensor::Loss>& losses, LostIn where) {
  // Where runtimes use cgroups of version 1, all that runs is in the root of version 2.
  constexpr uint64_t kRootCgroupId = 1;
  for (const sensor::Loss& loss : losses) {
    std::string workload;
    for (const Workload* one : index_.all()) {
      if (loss.cgroup_id > kRootCgroupId && one->cgroup_id == loss.cgroup_id) workload = one->id;
    }
    lose(workload, loss.reason, loss.count, where);
  }
}

void Agent::lose(std::string_view workload, std::string_view reason, uint64_t count, LostIn where) {
  const bool lasts = where == LostIn::kSnapshot;
  // A reason of its own, so that what is lost later is no part of what lasts.
  const std::string why = std::string(reason) + (lasts ? ", of what ran already" : "");
  WatchGap& gap = gaps_[{std::string(workload), why}];
  if (gap.from == 0) gap = {batch_at_, 0, why, 0};
  gap.to = lasts ? kLasting : sensor::unix_now();
  gap.events_count += count;
  lost_count_ += count;
  metrics_.add("vigil_events_lost_total", label("reason", reason), static_cast<double>(count));
}

// ---- Workloads ----

const Workload& Agent::workload_of(const ProcessFacts& process) {
  const Workload& workload = index_.find(process);
  const auto known = watched_.find(workload.id);
  if (known == watched_.end() || known->second.started_at != workload.started_at) {
    first_sight(workload);
  }
  return workload;
}

void Agent::first_sight(const Workload& workload) {
  Watched& watched = watched_[workload.id];
  watched = Watched();
  watched.started_at = workload.started_at;
  watched.attach = workload.started_at >= attached_at_ ? Attach::kFromStart : Attach::kSnapshot;
  check(store_.record_workload(workload, watched.attach));
  lines_.write(workload_line(workload, watched.attach));
  want_inventory(workload, watched);
}

void Agent::refresh_workloads() {
  for (const Workload* workload : index_.refresh(sensor::unix_now())) {
    const auto watched = watched_.find(workload->id);
    if (watched == watched_.end()) continue;
    check(store_.record_workload(*workload, watched->second.attach));
    lines_.write(workload_line(*workload, watched->second.attach));
    // Its layers may be known only now.
    if (workload->ended_at == 0) want_inventory(*workload, watched->second);
  }
  std::map<std::string, double> running;
  for (const Workload* workload : index_.all()) {
    if (workload->ended_at == 0) ++running[std::string(to_string(workload->runtime))];
  }
  for (const Runtime runtime :
       {Runtime::kUnknown, Runtime::kHost, Runtime::kPodman, Runtime::kDocker, Runtime::kContainerd,
        Runtime::kCrio, Runtime::kRunc}) {
    const std::string name(to_string(runtime));
    metrics_.set("vigil_workloads", label("runtime", name), running[name]);
  }
  // Their last events have come by now.
  std::vector<std::string> gone;
  for (auto& [id, watched] : watched_) {
    const Workload* workload = index_.known(id);
    const bool has_ended = workload == nullptr || workload->ended_at != 0;
    if (has_ended && ++watched.late_rounds > kLateRounds) gone.push_back(id);
  }
  for (const std::string& id : gone) {
    index_.forget(id);
    watched_.erase(id);
  }
  if (gone.empty()) return;
  // What nobody runs any more stays on the disk only.
  std::erase_if(inventories_, [&](const auto& entry) {
    const auto& [key, state] = entry;
    const bool is_idle = state.making == Making::kDone || state.making == Making::kFailed;
    return is_idle && std::ranges::none_of(
                          watched_, [&](const auto& one) { return one.second.inventory == key; });
  });
}

// Moves on what every process still has mapped: what was seen at the start only stays behind.
void Agent::recheck_mappings() {
  const UnixNanoseconds now = sensor::unix_now();
  for (const auto& [pid, workload] : index_.running_processes()) take_mappings(pid);
  for (const auto& [id, watched] : watched_) check(store_.record_recheck(id, now));
}

// ---- Inventories ----

void Agent::want_inventory(const Workload& workload, Watched& watched) {
  Result<InventorySource> source = find_source(workload, index_);
  if (!source) {
    check(store_.record_inventory(workload.id, "", source.error().text()));
    return;
  }
  watched.inventory = source->key;
  const auto known = inventories_.find(source->key);
  if (known != inventories_.end()) {
    record_inventory(workload.id, known->second);
    return;
  }
  InventoryState& state = inventories_[source->key];
  state.source = *std::move(source);
  // Layers do not change: what an agent before this one made is still true.
  const bool is_kept = state.source.is_fixed &&
                       path_exists(options_.state_folder + "/" + inventory_name(watched.inventory));
  if (is_kept) state.making = Making::kDone;
  if (!state.source.is_fixed) state.stamp = packages_stamp(state.source.root);
  record_inventory(workload.id, state);
}

void Agent::record_inventory(std::string_view workload, const InventoryState& state) {
  if (state.making == Making::kDone) {
    check(store_.record_inventory(workload, inventory_name(state.source.key), ""));
  } else if (state.making == Making::kFailed) {
    check(store_.record_inventory(workload, "", state.note));
  } else {
    check(store_.record_inventory(workload, "", "its inventory is being made"));
  }
}

void Agent::work_on_inventories() {
  for (auto at = making_.begin(); at != making_.end();) {
    if (!at->worker.is_done()) {
      ++at;
      continue;
    }
    const Result<std::string> made = at->worker.finish();
    InventoryState& state = inventories_.at(at->key);
    state.making = made ? Making::kDone : Making::kFailed;
    if (!made) state.note = "its packages could not be read: " + made.error().text();
    metrics_.add("vigil_inventories_total", label("result", made ? "made" : "failed"), 1);
    if (!made) options_.tell(state.note);
    for (const auto& [id, watched] : watched_) {
      if (watched.inventory == at->key) record_inventory(id, state);
    }
    if (made) match_wanted_.insert(at->key);
    at = making_.erase(at);
  }
  for (auto& [key, state] : inventories_) {
    if (making_.size() >= limits::kInventoryWorkersMax) break;
    if (state.making != Making::kWanted) continue;
    const InventorySource& source = state.source;
    Result<Worker> worker = Worker::start([&]() -> Result<std::string> {
      TRY(make_inventory(source, options_.state_folder));
      return std::string();
    });
    if (!worker) {
      options_.tell(worker.error().text());
      break;
    }
    state.making = Making::kRunning;
    making_.push_back({key, *std::move(worker)});
  }
}

// Packages installed on the host, or in a root that is no image.
void Agent::recheck_packages() {
  for (auto& [key, state] : inventories_) {
    const bool is_idle = state.making == Making::kDone || state.making == Making::kFailed;
    if (state.source.is_fixed || !is_idle) continue;
    std::string stamp = packages_stamp(state.source.root);
    if (stamp == state.stamp) continue;
    state.stamp = std::move(stamp);
    state.making = Making::kWanted;
  }
}

// Those of workloads that are no longer in the store, which bounds how many are kept.
void Agent::drop_inventories() {
  // What waits to be written names some too, and a match may be about to write beside them.
  if (!store_trouble_.empty() || matching_ != nullptr) return;
  const Result<std::vector<std::string>> named = store_.inventories();
  if (!named) return check(std::unexpected(named.error()));
  for (const std::string& key : stored_keys()) {
    const std::string name = inventory_name(key);
    if (inventories_.contains(key) || std::ranges::find(*named, name) != named->end()) continue;
    match_wanted_.erase(key);
    for (const std::string& file : {name, findings_name(key)}) {
      ::unlink((options_.state_folder + "/" + file).c_str());
    }
  }
}

// ---- Matches ----

std::vector<std::string> Agent::stored_keys() const {
  std::vector<std::string> keys;
  std::error_code error;
  for (const auto& file :
       std::filesystem::directory_iterator(options_.state_folder + "/inventory", error)) {
    if (file.path().extension() == ".inv") keys.push_back(file.path().stem().string());
  }
  std::ranges::sort(keys);
  return keys;
}

void Agent::look_for_database() {
  std::string mark = file_mark(options_.database_folder + "/manifest.json");
  if (mark == database_mark_) return;
  database_mark_ = std::move(mark);
  reload();
}

void Agent::reload() {
  match_not_before_ = 0;
  for (std::string& key : stored_keys()) match_wanted_.insert(std::move(key));
}

void Agent::work_on_matches() {
  if (matching_ != nullptr && matching_->is_done()) {
    const Result<std::string> text = matching_->finish();
    matching_.reset();
    if (!text) {
      options_.tell("the inventories could not be matched: " + text.error().text());
      try_matching_later();
    } else {
      const MatchAnswer answer = parse_match_answer(*text);
      for (const std::string& problem : answer.problems) options_.tell(problem);
      tell_changes(answer.changes);
      for (const std::string& key : answer.keys) check(keep_findings(options_.state_folder, key));
      matched_keys_.clear();
    }
    ::malloc_trim(0);
  }
  if (matching_ != nullptr || match_wanted_.empty()) return;
  if (sensor::unix_now() < match_not_before_) return;
  Result<advisory::OpenDatabaseOptions> database = options_.database();
  if (!database) {
    options_.tell("the advisory database cannot be used: " + database.error().text());
    return try_matching_later();
  }
  const MatchJob job = {.state_folder = options_.state_folder,
                        .keys = {match_wanted_.begin(), match_wanted_.end()},
                        .database = *std::move(database)};
  Result<Worker> worker = Worker::start([&] { return match_inventories(job); });
  if (!worker) return options_.tell(worker.error().text());
  matching_ = std::make_unique<Worker>(*std::move(worker));
  matched_keys_ = std::exchange(match_wanted_, {});
  match_not_before_ = 0;
}

// What could not be matched waits, whatever was the trouble.
void Agent::try_matching_later() {
  match_wanted_.merge(matched_keys_);
  match_not_before_ = sensor::unix_now() + kMatchAgainAfter;
}

// Each running workload, what is in use first.
void Agent::tell_changes(const std::vector<FindingChange>& changes) {
  if (changes.empty()) return;
  write_out();  // What was seen until now counts.
  std::array<std::vector<std::string>, kUrgencies> lines;
  size_t lines_count = 0;
  uint64_t untold = 0;
  const UnixNanoseconds now = sensor::unix_now();
  for (auto first = changes.begin(); first != changes.end();) {
    const std::string& key = first->key;
    const auto last =
        std::find_if(first, changes.end(), [&](const auto& change) { return change.key != key; });
    Result<MappedFile> mapped = MappedFile::open(options_.state_folder + "/" + inventory_name(key));
    if (!mapped) {
      first = last;
      continue;
    }
    const Result<scan::InventoryFile> inventory = scan::InventoryFile::open(*std::move(mapped));
    const Result<decode::OwnershipView> owned =
        inventory ? inventory->ownership()
                  : Result<decode::OwnershipView>(std::unexpected(inventory.error()));
    for (const auto& [id, watched] : watched_) {
      const Workload* workload = index_.known(id);
      if (!owned || watched.inventory != key || workload == nullptr || workload->ended_at != 0) {
        continue;
      }
      const Result<exposure::WorkloadRecord> record = store_.read(id);
      if (!record) continue;
      const Exposure exposure = exposure::join(*record, inventory->sbom(), *owned,
                                               {.now = now, .window = options_.window});
      for (auto change = first; change != last; ++change) {
        const std::optional<size_t> at = find_package(inventory->sbom(), *change);
        PackageExposure gone;
        gone.reason = "it is no longer installed";
        const PackageExposure& package = at ? exposure.packages[*at] : gone;
        const ChangeFacts facts = {
            .is_new = change->is_new,
            .id = change->id,
            .package = change->package,
            .version = change->version,
            .purl = at ? std::string_view(inventory->sbom().packages[*at].purl) : "",
            .at = now};
        lines[urgency(package.verdict)].push_back(change_line(*workload, facts, package));
        // Past the bound the least urgent is not told.
        if (++lines_count > limits::kChangesToldMax) {
          const auto last_of = std::ranges::find_if(
              lines.rbegin(), lines.rend(), [](const auto& of_one) { return !of_one.empty(); });
          last_of->pop_back();
          --lines_count;
          ++untold;
        }
        metrics_.add("vigil_changes_total",
                     label("change", change->is_new ? "affected" : "no_longer_affected") + "," +
                         label("verdict", to_string(package.verdict)),
                     1);
      }
    }
    first = last;
  }
  for (const std::vector<std::string>& of_one : lines) {
    for (const std::string& line : of_one) lines_.write(line);
  }
  if (untold > 0) options_.tell(fmt::format("{} more changes are not told one by one", untold));
}

// ---- Time ----

void Agent::do_what_is_due() {
  const UnixNanoseconds now = sensor::unix_now();
  const auto is_due = [&](UnixNanoseconds& last, UnixNanoseconds every) {
    // A clock that was set back must not stop everything.
    if (now >= last && now - last < every) return false;
    last = now;
    return true;
  };
  if (is_due(refreshed_at_, kRefreshEvery)) refresh_workloads();
  if (is_due(mappings_at_, kMappingsEvery)) recheck_mappings();
  if (is_due(packages_at_, kPackagesEvery)) recheck_packages();
  if (is_due(dropped_at_, kDropEvery)) drop_inventories();
  look_for_database();
  work_on_inventories();
  work_on_matches();
  if (is_due(written_at_, kWriteEvery)) write_out();
  lines_.flush();
}

void Agent::write_out() {
  std::erase_if(gaps_, [&](const auto& entry) {
    const auto& [key, gap] = entry;
    const Status recorded = store_.record_gap(key.first, gap);
    check(recorded);
    if (recorded) lines_.write(gap_line(key.first, gap));
    return recorded.has_value();
  });
  check(store_.record_alive(sensor::unix_now(), source_.description(), source_.blind_spots()));
  const Status written = store_.flush();
  for (const std::string& note : store_.take_notes()) options_.tell(note);
  check(written);
  if (written && !store_trouble_.empty()) {
    options_.tell("the evidence store is written again");
    store_trouble_.clear();
  }
  metrics_.set("vigil_lines_dropped_total", "", static_cast<double>(lines_.dropped_count()));
}

// The store keeps what it could not write, and tries again; people are told once.
void Agent::check(const Status& status) {
  if (status) return;
  metrics_.add("vigil_store_errors_total", "", 1);
  if (store_trouble_ == status.error().text()) return;
  store_trouble_ = status.error().text();
  options_.tell("the evidence store cannot be written: " + store_trouble_);
}

void Agent::stop() {
  const Status taken = take_events();
  if (!taken) options_.tell(taken.error().text());
  write_out();
  lines_.flush();
}

std::vector<int> Agent::poll_fds() const {
  std::vector<int> fds;
  for (const RunningInventory& running : making_) fds.push_back(running.worker.poll_fd());
  if (matching_ != nullptr) fds.push_back(matching_->poll_fd());
  return fds;
}

bool Agent::is_working() const {
  const bool has_matches_due = !match_wanted_.empty() && match_not_before_ == 0;
  return !making_.empty() || matching_ != nullptr || has_matches_due ||
         std::ranges::any_of(inventories_, [](const auto& entry) {
           return entry.second.making == Making::kWanted;
         });
}

std::string Agent::summary() const {
  return fmt::format("{} workloads, {} files seen in use, {} events lost", watched_.size(),
                     files_count_, lost_count_);
}

}  // namespace vigil::watch
