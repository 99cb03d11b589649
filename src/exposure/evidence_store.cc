// The store is one SQLite file in WAL mode (STORE_FORMAT.md): readers see the last commit and wait
// for nobody. What is recorded goes into a list in memory, merged by key, and flush() writes the
// list in one transaction; a transaction that fails is rolled back and the list stays. So a full
// disk loses nothing until the list is full, and the agent can't be blocked by a slow disk but in
// flush().
#include "exposure/evidence_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "exposure/evidence_rows.h"
#include "exposure/sqlite.h"

namespace vigil::exposure {

namespace {

constexpr int kStoreVersion = 1;
constexpr const char* kStoreName = "evidence.db";
constexpr const char* kLockName = "agent.lock";

constexpr const char* kSchema = R"(
CREATE TABLE node(
  one INTEGER PRIMARY KEY CHECK(one = 1), alive_at INTEGER, sensor TEXT, blind_spots BLOB);
CREATE TABLE workload(
  key INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, runtime INTEGER, name TEXT, image TEXT,
  image_digest TEXT, cgroup_path TEXT, cgroup_id INTEGER, mount_namespace INTEGER,
  init_pid INTEGER, started_at INTEGER, ended_at INTEGER, lower_folders BLOB, upper_folder TEXT,
  attach INTEGER, watched_from INTEGER, rechecked_at INTEGER, inventory TEXT, inventory_note TEXT);
CREATE TABLE process(
  workload INTEGER, key INTEGER, pid INTEGER, parent_pid INTEGER, started_at INTEGER, uid INTEGER,
  capabilities INTEGER, name TEXT, executable TEXT, cgroup_id INTEGER, mount_namespace INTEGER,
  command_line TEXT, PRIMARY KEY(workload, key)) WITHOUT ROWID;
CREATE TABLE file(
  workload INTEGER, path TEXT, device INTEGER, inode INTEGER, real_device INTEGER,
  real_inode INTEGER, layer INTEGER, tier INTEGER, facets INTEGER, digest TEXT,
  is_deleted INTEGER, process INTEGER, first_seen INTEGER, last_seen INTEGER, count INTEGER,
  PRIMARY KEY(workload, path, device, inode)) WITHOUT ROWID;
CREATE TABLE socket(
  workload INTEGER, kind INTEGER, pid INTEGER, process_started_at INTEGER, address TEXT, peer TEXT,
  port INTEGER, first_seen INTEGER,
  PRIMARY KEY(workload, kind, pid, process_started_at, address, peer, port)) WITHOUT ROWID;
CREATE TABLE gap(
  key INTEGER PRIMARY KEY, workload INTEGER, begins INTEGER, ends INTEGER, reason TEXT,
  events_count INTEGER);
CREATE INDEX gap_of_workload ON gap(workload);
)";

// ---- What waits to be written ----

struct WorkloadChange {
  Workload workload;
  Attach attach = Attach::kNone;
  UnixNanoseconds watched_from = 0;
};
struct InventoryChange {
  std::string file;
  std::string note;
};
struct RecheckChange {
  UnixNanoseconds at = 0;
};
struct Change {
  std::string workload;
  std::variant<WorkloadChange, InventoryChange, Evidence, SocketFact, RecheckChange, WatchGap> what;
};

class SqliteStore final : public EvidenceStore {
 public:
  explicit SqliteStore(std::string folder) : folder_(std::move(folder)) {}
  ~SqliteStore() override {
    if (lock_.is_open()) static_cast<void>(flush());
  }

  Status open_to_write() {
    TRY(prepare_folder());
    const std::string lock_path = folder_ + "/" + kLockName;
    lock_ = Fd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock_.is_open()) return fail_errno(lock_path, errno);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      return fail(ErrorCode::kDenied, folder_ +
                                          ": another agent writes there; stop it, or name another "
                                          "folder with --state");
    }
    const Status opened = open_database();
    if (opened || opened.error().code != ErrorCode::kMalformed) return opened;
    TRY(set_aside(opened.error().message));
    return open_database();
  }

  Status open_to_read() {
    const std::string path = store_path();
    if (!path_exists(path)) {
      if (::access(folder_.c_str(), X_OK) != 0 && errno == EACCES) {
        return fail_errno(folder_, errno);
      }
      return fail(ErrorCode::kNotFound,
                  folder_ +
                      ": no evidence is kept there; 'vigil watch' collects it, and --state "
                      "names its folder");
    }
    TRY(with_context(database_.open_to_read(path), path));
    return with_context(check_version(), path);
  }

  // ---- Recording ----

  Status record_workload(const Workload& workload, Attach attach) override {
    UnixNanoseconds& started_at = lives_[workload.id].started_at;
    if (workload.started_at != 0 && workload.started_at != started_at) {
      started_at = workload.started_at;
      ++lives_[workload.id].number;
    }
    const UnixNanoseconds from =
        attach == Attach::kFromStart && workload.started_at != 0 ? workload.started_at : alive_at_;
    return add(workload.id, "w", WorkloadChange{workload, attach, from},
               [](WorkloadChange& known, const WorkloadChange& more) {
                 known.workload = merged(std::move(known.workload), more.workload);
                 if (known.attach != Attach::kNone) return;
                 known.attach = more.attach;
                 known.watched_from = more.watched_from;
               });
  }

  Status record_inventory(std::string_view workload, std::string_view file,
                          std::string_view note) override {
    return add(workload, "i", InventoryChange{std::string(file), std::string(note)},
               [](InventoryChange& known, const InventoryChange& more) { known = more; });
  }

  Status record_file(std::string_view workload, const Evidence& evidence) override {
    Evidence kept = evidence;
    kept.command_line.resize(
        std::min<size_t>(kept.command_line.size(), limits::kCommandLineBytesMax));
    const std::string key =
        fmt::format("f{}:{}:{}", evidence.file.device, evidence.file.inode, evidence.path);
    return add(workload, key, std::move(kept), [](Evidence& known, const Evidence& more) {
      known = merged(std::move(known), more);
    });
  }

  Status record_socket(std::string_view workload, const SocketFact& socket) override {
    const std::string key =
        fmt::format("s{}:{}:{}:{}:{}:{}", static_cast<int>(socket.kind), socket.pid,
                    socket.process_started_at, socket.port, socket.address, socket.peer);
    return add(workload, key, socket, [](SocketFact&, const SocketFact&) {});
  }

  Status record_recheck(std::string_view workload, UnixNanoseconds at) override {
    return add(workload, "r", RecheckChange{at},
               [](RecheckChange& known, const RecheckChange& more) { known = more; });
  }

  Status record_gap(std::string_view workload, const WatchGap& gap) override {
    return add(workload, "g" + gap.reason, gap, [](WatchGap& known, const WatchGap& more) {
      known.from = std::min(known.from, more.from);
      known.to = std::max(known.to, more.to);
      known.events_count += more.events_count;
    });
  }

  Status record_alive(UnixNanoseconds now, std::string_view sensor,
                      const std::vector<std::string>& blind_spots) override {
    if (is_first_look_) looked_before_ = alive_at_ != 0 ? alive_at_ : now;
    if (is_first_look_ && alive_at_ != 0 && alive_at_ < now) {
      TRY(record_gap("", {alive_at_, now, "the sensor was not running", 0}));
    }
    is_first_look_ = false;
    is_alive_new_ = true;
    alive_at_ = now;
    sensor_ = sensor;
    blind_spots_ = blind_spots;
    return {};
  }

  Status record_ended(std::string_view workload) override {
    const std::optional<WorkloadRow> row = TRY(find_workload(workload));
    if (!row || row->record.workload.ended_at != 0) return {};
    Workload ended = row->record.workload;
    ended.ended_at = std::max(looked_before_, ended.started_at);
    return record_workload(ended, Attach::kNone);
  }

  Status flush() override {
    if (changes_.empty() && !is_alive_new_) return {};
    Status written = write_changes();
    if (!written && written.error().code == ErrorCode::kMalformed) {
      TRY(set_aside(written.error().message));
      TRY(open_database());
      written = write_changes();
    }
    if (!written) return with_context(written, store_path());
    changes_.clear();
    index_.clear();
    lives_.clear();
    is_alive_new_ = false;
    return {};
  }

  std::vector<std::string> take_notes() override { return std::exchange(notes_, {}); }

  // ---- Reading ----

  Result<std::vector<Workload>> workloads() override {
    Query query = TRY(database_.query(std::string(kSelectWorkload) +
                                      " ORDER BY ended_at != 0, started_at DESC, id"));
    std::vector<Workload> workloads;
    while (TRY(query.step())) {
      workloads.push_back(take_workload(query).record.workload);
    }
    return workloads;
  }

  Result<WorkloadRecord> read(std::string_view workload) override {
    // One view of the store, however much is written meanwhile.
    TRY(database_.execute("BEGIN"));
    Result<WorkloadRecord> record = read_record(workload);
    static_cast<void>(database_.execute("COMMIT"));
    return record;
  }

  Result<std::vector<std::string>> inventories() override {
    Query query =
        TRY(database_.query("SELECT DISTINCT inventory FROM workload WHERE inventory != ''"));
    std::vector<std::string> files;
    while (TRY(query.step())) query.take(files.emplace_back());
    return files;
  }

 private:
  std::string store_path() const { return folder_ + "/" + kStoreName; }

  template <typename T, typename Merge>
  Status add(std::string_view workload, std::string_view kind, T value, Merge merge) {
    const auto life = lives_.find(std::string(workload));
    const std::string key =
        fmt::format("{}\n{}\n{}", workload, life == lives_.end() ? 0 : life->second.number, kind);
    const auto [place, is_new] = index_.emplace(key, changes_.size());
    if (!is_new) {
      merge(std::get<T>(changes_[place->second].what), value);
      return {};
    }
    // That something was lost, and whose it was, must be told however much waits.
    const bool is_use = std::is_same_v<T, Evidence> || std::is_same_v<T, SocketFact>;
    if (changes_.size() >= limits::kPendingEvidenceMax * (is_use ? 1 : 2)) {
      index_.erase(place);
      return fail(ErrorCode::kTooLarge,
                  "more waits to be written than kPendingEvidenceMax: the store cannot be written");
    }
    changes_.push_back({std::string(workload), std::move(value)});
    return {};
  }

  // ---- The file ----

  Status prepare_folder() const {
    if (!path_exists(folder_)) TRY(make_folders(folder_));
    // One that others use must not be closed to them.
    struct stat status{};
    std::error_code error;
    if (::stat(folder_.c_str(), &status) == 0 && (status.st_mode & 0077) != 0 &&
        !path_exists(store_path()) && !std::filesystem::is_empty(folder_, error)) {
      return fail(ErrorCode::kDenied, folder_ +
                                          ": there are other files in it, and others may enter it; "
                                          "name a folder of its own with --state");
    }
    if (::chmod(folder_.c_str(), 0700) != 0) return fail_errno(folder_, errno);
    return {};
  }

  Status check_version() {
    const int64_t version = TRY(database_.number("PRAGMA user_version"));
    if (version == kStoreVersion) return {};
    return fail(
        ErrorCode::kUnsupported,
        fmt::format("evidence of version {}; this program knows {}", version, kStoreVersion));
  }

  Status open_database() {
    const mode_t mask = ::umask(0077);
    const Status connected = database_.open_to_write(store_path());
    const Status opened = connected ? prepare_database() : connected;
    ::umask(mask);
    return opened;
  }

  Status prepare_database() {
    TRY(
        database_.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 8388608"));
    if (TRY(database_.number("SELECT count(*) FROM sqlite_schema")) == 0) {
      const std::string schema =
          fmt::format("BEGIN;{}PRAGMA user_version = {};COMMIT", kSchema, kStoreVersion);
      TRY(database_.execute(schema));
    }
    TRY(check_version());
    Query check = TRY(database_.query("PRAGMA quick_check(1)"));
    std::string verdict;
    if (TRY(check.step())) check.take(verdict);
    if (verdict != "ok") return fail(ErrorCode::kMalformed, verdict);
    if (alive_at_ == 0) alive_at_ = TRY(database_.number("SELECT alive_at FROM node"));
    return {};
  }

  // A damaged store is kept for whoever wants to look at it, and a new one begun.
  Status set_aside(const std::string& why) {
    database_.close();
    std::string aside;
    for (int number = 1; number == 1 || path_exists(aside); ++number) {
      aside = fmt::format("{}.damaged-{}", store_path(), number);
    }
    for (const char* end : {"", "-wal", "-shm"}) {
      const std::string from = store_path() + end;
      if (!path_exists(from)) continue;
      if (std::rename(from.c_str(), (aside + end).c_str()) != 0) return fail_errno(from, errno);
    }
    notes_.push_back(fmt::format("{} was damaged ({}): it is kept as {}, and a new one begun",
                                 store_path(), why, aside));
    return {};
  }

  // ---- Writing ----

  Status write_changes() {
    TRY(database_.execute("BEGIN IMMEDIATE"));
    Status written = apply_changes();
    if (written) written = make_room();
    if (written) written = database_.execute("COMMIT");
    // A commit that failed may have ended the transaction already.
    if (!written && database_.is_in_transaction()) {
      static_cast<void>(database_.execute("ROLLBACK"));
    }
    return written;
  }

  Status apply_changes() {
    keys_.clear();
    files_count_.clear();
    sockets_count_.clear();
    refused_count_.clear();
    if (is_alive_new_) {
      Query query = TRY(
          database_.query("INSERT INTO node(one, alive_at, sensor, blind_spots) VALUES(1, ?, ?, ?) "
                          "ON CONFLICT(one) "
                          "DO UPDATE SET alive_at = excluded.alive_at, sensor = excluded.sensor, "
                          "blind_spots = excluded.blind_spots"));
      TRY(query.bind(alive_at_).bind(sensor_).bind(packed(blind_spots_)).run());
    }
    for (const Change& change : changes_) {
      TRY(std::visit([&](const auto& what) { return apply(change.workload, what); }, change.what));
    }
    for (const auto& [key, count] : refused_count_) {
      TRY(write_gap(key, {alive_at_, alive_at_, "more files than kEvidencePerWorkloadMax", count}));
    }
    return {};
  }

  Result<std::optional<WorkloadRow>> find_workload(std::string_view id) {
    Query query = TRY(database_.query(std::string(kSelectWorkload) + " WHERE id = ?"));
    if (!TRY(query.bind(id).step())) return std::nullopt;
    return take_workload(query);
  }

  // The workload's row; made where it was never recorded, as after a damaged store.
  Result<int64_t> key_of(const std::string& id) {
    if (id.empty()) return 0;
    const auto known = keys_.find(id);
    if (known != keys_.end()) return known->second;
    Query query = TRY(database_.query("SELECT key FROM workload WHERE id = ?"));
    int64_t key = 0;
    if (TRY(query.bind(id).step())) {
      query.take(key);
    } else {
      Query insert = TRY(database_.query(
          "INSERT INTO workload(id, ended_at, attach, watched_from) VALUES(?, 0, 0, ?)"));
      TRY(insert.bind(id).bind(alive_at_).run());
      key = database_.last_key();
    }
    keys_[id] = key;
    return key;
  }

  Status apply(const std::string& id, const WorkloadChange& change) {
    std::optional<WorkloadRow> known = TRY(find_workload(id));
    if (known && is_new_life(known->record.workload, change.workload)) {
      TRY(rename_workload(known->key, known->record.workload));
      keys_.erase(id);
      known.reset();
    }
    Workload workload = change.workload;
    Attach attach = change.attach;
    UnixNanoseconds from = change.watched_from;
    if (known) {
      workload = merged(std::move(known->record.workload), change.workload);
      if (known->record.attach != Attach::kNone) {
        attach = known->record.attach;
        from = known->record.watched_from;
      }
    }
    const int64_t key = TRY(key_of(id));
    Query query = TRY(database_.query(
        "UPDATE workload SET runtime = ?, name = ?, image = ?, image_digest = ?, cgroup_path = ?, "
        "cgroup_id = ?, mount_namespace = ?, init_pid = ?, started_at = ?, ended_at = ?, "
        "lower_folders = ?, upper_folder = ?, attach = ?, watched_from = ? WHERE key = ?"));
    return query.bind(workload.runtime)
        .bind(workload.name)
        .bind(workload.image)
        .bind(workload.image_digest)
        .bind(workload.cgroup_path)
        .bind(workload.cgroup_id)
        .bind(workload.mount_namespace)
        .bind(workload.init_pid)
        .bind(workload.started_at)
        .bind(workload.ended_at)
        .bind(packed(workload.lower_folders))
        .bind(workload.upper_folder)
        .bind(attach)
        .bind(from)
        .bind(key)
        .run();
  }

  // Its id now belongs to another: the old one is found as ID@SECONDS.
  Status rename_workload(int64_t key, const Workload& old) {
    Query query = TRY(database_.query(
        "UPDATE OR REPLACE workload SET id = ?, ended_at = max(ended_at, ?) WHERE key = ?"));
    return query.bind(fmt::format("{}@{}", old.id, old.started_at / 1'000'000'000))
        .bind(old.ended_at != 0 ? old.ended_at : alive_at_)
        .bind(key)
        .run();
  }

  Status apply(const std::string& id, const InventoryChange& change) {
    Query query =
        TRY(database_.query("UPDATE workload SET inventory = ?, inventory_note = ? WHERE key = ?"));
    return query.bind(change.file).bind(change.note).bind(TRY(key_of(id))).run();
  }

  Status apply(const std::string& id, const RecheckChange& change) {
    Query query = TRY(database_.query("UPDATE workload SET rechecked_at = ? WHERE key = ?"));
    return query.bind(change.at).bind(TRY(key_of(id))).run();
  }

  Status apply(const std::string& id, const WatchGap& gap) {
    return write_gap(TRY(key_of(id)), gap);
  }

  // A gap that goes on where one of its reason has just ended is the same gap.
  Status write_gap(int64_t key, const WatchGap& gap) {
    constexpr UnixNanoseconds kSameGap = 60'000'000'000;
    Query same = TRY(database_.query(
        "SELECT key FROM gap WHERE workload = ? AND reason = ? AND ends >= ? AND begins <= ? "
        "ORDER BY key DESC LIMIT 1"));
    same.bind(key).bind(gap.reason).bind(gap.from - kSameGap).bind(gap.to + kSameGap);
    if (TRY(same.step())) {
      int64_t known = 0;
      same.take(known);
      Query longer = TRY(database_.query(
          "UPDATE gap SET begins = min(begins, ?), ends = max(ends, ?), events_count = "
          "events_count + ? WHERE key = ?"));
      return longer.bind(gap.from).bind(gap.to).bind(gap.events_count).bind(known).run();
    }
    Query query = TRY(database_.query(
        "INSERT INTO gap(workload, begins, ends, reason, events_count) VALUES(?, ?, ?, ?, ?)"));
    TRY(query.bind(key).bind(gap.from).bind(gap.to).bind(gap.reason).bind(gap.events_count).run());
    return join_oldest_gaps(key);
  }

  // Past the bound the two oldest become one: what was lost stays counted, when it was gets vague.
  Status join_oldest_gaps(int64_t key) {
    Query oldest =
        TRY(database_.query("SELECT key, begins, ends, events_count FROM gap WHERE workload = ?1 "
                            "AND (SELECT count(*) FROM "
                            "gap WHERE workload = ?1) > ?2 ORDER BY key LIMIT 1"));
    if (!TRY(oldest.bind(key).bind(limits::kWatchGapsMax).step())) return {};
    WatchGap gap;
    int64_t gone = 0;
    oldest.take(gone).take(gap.from).take(gap.to).take(gap.events_count);
    Query join = TRY(database_.query(
        "UPDATE gap SET begins = min(begins, ?), ends = max(ends, ?), events_count = events_count "
        "+ ? WHERE key = (SELECT min(key) FROM gap WHERE workload = ? AND key > ?)"));
    TRY(join.bind(gap.from).bind(gap.to).bind(gap.events_count).bind(key).bind(gone).run());
    Query remove = TRY(database_.query("DELETE FROM gap WHERE key = ?"));
    return remove.bind(gone).run();
  }

  Status apply(const std::string& id, const SocketFact& socket) {
    const int64_t key = TRY(key_of(id));
    const auto [place, is_new] = sockets_count_.emplace(key, 0);
    if (is_new) place->second = TRY(rows_of("socket", key));
    // The first ones say what there is to say: each adds a facet, and none takes one away.
    if (place->second >= limits::kSocketsPerWorkloadMax) return {};
    Query query = TRY(database_.query("INSERT OR IGNORE INTO socket VALUES(?,?,?,?,?,?,?,?)"));
    TRY(query.bind(key)
            .bind(socket.kind)
            .bind(socket.pid)
            .bind(socket.process_started_at)
            .bind(socket.address)
            .bind(socket.peer)
            .bind(socket.port)
            .bind(socket.first_seen)
            .run());
    place->second += database_.changes_count();
    return {};
  }

  Result<int64_t> write_process(int64_t workload, const Evidence& evidence) {
    const ProcessFacts& process = evidence.process;
    const std::string identity =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", process.pid, process.started_at, process.uid,
                    process.capabilities, process.name, process.executable, evidence.command_line);
    const auto key = static_cast<int64_t>(xxh3(as_bytes(identity)));
    Query query =
        TRY(database_.query("INSERT OR IGNORE INTO process VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"));
    TRY(query.bind(workload)
            .bind(key)
            .bind(process.pid)
            .bind(process.parent_pid)
            .bind(process.started_at)
            .bind(process.uid)
            .bind(process.capabilities)
            .bind(process.name)
            .bind(process.executable)
            .bind(process.cgroup_id)
            .bind(process.mount_namespace)
            .bind(evidence.command_line)
            .run());
    return key;
  }

  Status apply(const std::string& id, const Evidence& evidence) {
    const int64_t key = TRY(key_of(id));
    Query known = TRY(database_.query(std::string(kSelectEvidence) +
                                      " AND path = ? AND device = ? AND inode = ?"));
    known.bind(key).bind(evidence.path).bind(evidence.file.device).bind(evidence.file.inode);
    Evidence kept = evidence;
    if (TRY(known.step())) {
      kept = merged(take_evidence(known), evidence);
    } else if (!TRY(has_room(key))) {
      return {};
    }
    const int64_t process = TRY(write_process(key, kept));
    Query query =
        TRY(database_.query("INSERT OR REPLACE INTO file VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    return query.bind(key)
        .bind(kept.path)
        .bind(kept.file.device)
        .bind(kept.file.inode)
        .bind(kept.file.real_device)
        .bind(kept.file.real_inode)
        .bind(kept.file.layer)
        .bind(kept.tier)
        .bind(kept.facets)
        .bind(kept.digest)
        .bind(kept.is_deleted)
        .bind(process)
        .bind(kept.first_seen)
        .bind(kept.last_seen)
        .bind(kept.count)
        .run();
  }

  // ---- Bounds ----

  // Whether one more file of the workload may be kept. What was only opened goes first: it decides
  // nothing, unless it is a Java archive or may have been changed.
  Result<bool> has_room(int64_t key) {
    const auto [place, is_new] = files_count_.emplace(key, 0);
    uint64_t& count = place->second;
    if (is_new) count = TRY(rows_of("file", key));
    if (count >= limits::kEvidencePerWorkloadMax && !refused_count_.contains(key)) {
      Query query = TRY(
          database_.query("DELETE FROM file WHERE workload = ? AND tier <= ? AND layer != 0 AND "
                          "path NOT LIKE '%.jar'"));
      TRY(query.bind(key).bind(Tier::kOpened).run());
      Query unused = TRY(
          database_.query("DELETE FROM process WHERE workload = ?1 AND key NOT IN (SELECT process "
                          "FROM file WHERE workload = ?1)"));
      TRY(unused.bind(key).run());
      count = TRY(rows_of("file", key));
    }
    if (count < limits::kEvidencePerWorkloadMax) {
      ++count;
      return true;
    }
    ++refused_count_[key];
    return false;
  }

  Result<uint64_t> rows_of(const char* table, int64_t key) {
    Query query =
        TRY(database_.query(fmt::format("SELECT count(*) FROM {} WHERE workload = ?", table)));
    uint64_t count = 0;
    if (TRY(query.bind(key).step())) query.take(count);
    return count;
  }

  // Workloads that ended go, the oldest first, until the store is inside its bounds.
  Status make_room() {
    uint64_t removed_count = 0;
    for (;;) {
      const auto workloads_count =
          static_cast<uint64_t>(TRY(database_.number("SELECT count(*) FROM workload")));
      const int64_t pages_count = TRY(database_.number("PRAGMA page_count")) -
                                  TRY(database_.number("PRAGMA freelist_count"));
      const auto bytes =
          static_cast<uint64_t>(pages_count * TRY(database_.number("PRAGMA page_size")));
      if (workloads_count <= limits::kWorkloadsMax && bytes <= limits::kEvidenceStoreBytesMax) {
        break;
      }
      const int64_t oldest = TRY(database_.number(
          "SELECT key FROM workload WHERE ended_at != 0 ORDER BY ended_at LIMIT 1"));
      if (oldest == 0) {
        return fail(ErrorCode::kTooLarge,
                    "more running workloads than kWorkloadsMax, or more evidence of them than "
                    "kEvidenceStoreBytesMax");
      }
      TRY(remove_workload(oldest));
      ++removed_count;
    }
    if (removed_count > 0) {
      notes_.push_back(
          fmt::format("{} ended workloads were dropped from the store: it is at its "
                      "bounds (kWorkloadsMax, kEvidenceStoreBytesMax)",
                      removed_count));
    }
    return {};
  }

  Status remove_workload(int64_t key) {
    for (const char* table : {"file", "process", "socket", "gap"}) {
      Query query = TRY(database_.query(fmt::format("DELETE FROM {} WHERE workload = ?", table)));
      TRY(query.bind(key).run());
    }
    Query query = TRY(database_.query("DELETE FROM workload WHERE key = ?"));
    return query.bind(key).run();
  }

  // ---- Reading ----

  Result<WorkloadRecord> read_record(std::string_view id) {
    std::optional<WorkloadRow> row = TRY(find_workload(id));
    if (!row) {
      return fail(ErrorCode::kNotFound, "no workload has the id " + std::string(id));
    }
    WorkloadRecord& record = row->record;
    TRY(read_node(record));
    Query files =
        TRY(database_.query(std::string(kSelectEvidence) + " ORDER BY path, device, inode"));
    files.bind(row->key);
    while (TRY(files.step())) record.files.push_back(take_evidence(files));
    Query sockets = TRY(database_.query(
        "SELECT kind, pid, process_started_at, address, peer, port, first_seen FROM socket "
        "WHERE workload = ? ORDER BY first_seen, kind, pid, port"));
    sockets.bind(row->key);
    while (TRY(sockets.step())) {
      SocketFact& socket = record.sockets.emplace_back();
      sockets.take(socket.kind).take(socket.pid).take(socket.process_started_at);
      sockets.take(socket.address).take(socket.peer).take(socket.port).take(socket.first_seen);
    }
    Query gaps = TRY(database_.query(
        "SELECT begins, ends, reason, events_count FROM gap WHERE workload IN (0, ?) AND ends >= ? "
        "AND begins <= ? ORDER BY begins, ends, key"));
    gaps.bind(row->key).bind(record.watched_from).bind(record.watched_to);
    while (TRY(gaps.step())) {
      WatchGap& gap = record.gaps.emplace_back();
      gaps.take(gap.from).take(gap.to).take(gap.reason).take(gap.events_count);
    }
    return std::move(record);
  }

  Status read_node(WorkloadRecord& record) {
    Query node = TRY(database_.query("SELECT alive_at, sensor, blind_spots FROM node"));
    std::string blind_spots;
    if (TRY(node.step())) {
      node.take(record.watched_to).take(record.sensor).take(blind_spots);
      record.blind_spots = unpacked(blind_spots);
    }
    const UnixNanoseconds ended_at = record.workload.ended_at;
    if (ended_at != 0) record.watched_to = std::min(record.watched_to, ended_at);
    return {};
  }

  // The last of an id in what is recorded: how often it was given to another container.
  struct Life {
    UnixNanoseconds started_at = 0;
    uint64_t number = 0;
  };

  const std::string folder_;
  Fd lock_;
  Connection database_;

  std::vector<Change> changes_;                    // In the order they were recorded.
  std::unordered_map<std::string, size_t> index_;  // Into changes_, by workload, life and key.
  std::unordered_map<std::string, Life> lives_;
  UnixNanoseconds alive_at_ = 0;
  UnixNanoseconds looked_before_ = 0;  // The last look of the agent before this one.
  std::string sensor_;
  std::vector<std::string> blind_spots_;
  bool is_first_look_ = true;
  bool is_alive_new_ = false;
  std::vector<std::string> notes_;

  // Of one transaction, by the workload's row.
  std::unordered_map<std::string, int64_t> keys_;
  std::map<int64_t, uint64_t> files_count_;
  std::map<int64_t, uint64_t> sockets_count_;
  std::map<int64_t, uint64_t> refused_count_;
};

}  // namespace

Result<std::unique_ptr<EvidenceStore>> EvidenceStore::open_for_writing(const std::string& folder) {
  auto store = std::make_unique<SqliteStore>(folder);
  TRY(store->open_to_write());
  return store;
}

Result<std::unique_ptr<EvidenceStore>> EvidenceStore::open_for_reading(const std::string& folder) {
  auto store = std::make_unique<SqliteStore>(folder);
  TRY(store->open_to_read());
  return store;
}

}  // namespace vigil::exposure
