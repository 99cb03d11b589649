// Without programs in the kernel: /proc is sampled five times a second; between the samples
// fanotify tells what is opened, and perf's records who starts, ends and maps code, where this may
// ask them. Where perf may not be asked, the kernel's process connector tells who starts and ends,
// and what is loaded and let go of between two samples is missed.
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/side_thread.h"
#include "sensor/event_source.h"
#include "sensor/perf_records.h"
#include "sensor/proc_folder.h"
#include "sensor/proc_reader.h"
#include "sensor/process_connector.h"
#include "sensor/self_check.h"
#include "sensor/wire_decode.h"

namespace vigil::sensor {

namespace {

constexpr int64_t kSampleNanoseconds = 200'000'000;
constexpr int64_t kSampleNanosecondsMax = 30'000'000'000;
constexpr size_t kReadBytes = 64 << 10;
constexpr const char* kBlindFiles = "files that are open only between two samples are not seen";
constexpr const char* kBlindMappings =
    "what a process loads and lets go of between two samples is not seen";
constexpr const char* kBlindProcesses = "processes that live only between two samples are not seen";

// What was reported, so that it is not again.
struct Sighting {
  uint64_t cgroup_id, mount_namespace, device, inode;
  uint16_t port;
  EventKind kind;
  bool operator==(const Sighting&) const = default;
};
struct SightingHash {
  size_t operator()(const Sighting& sighting) const {
    size_t hash = static_cast<size_t>(sighting.kind);
    for (const uint64_t part : {sighting.cgroup_id, sighting.mount_namespace, sighting.device,
                                sighting.inode, uint64_t{sighting.port}}) {
      hash = (hash ^ part) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 32;
    }
    return hash;
  }
};

// Each process has these of its own.
bool is_own(const Event& event) {
  return event.kind == EventKind::kListen || event.kind == EventKind::kExec;
}

Sighting sighting_of(const Event& event) {
  return {event.process.cgroup_id,
          event.process.mount_namespace,
          event.file.device,
          event.file.inode,
          event.port,
          event.kind};
}

using Sightings = std::unordered_map<Sighting, UnixNanoseconds, SightingHash>;

class ProcSource : public EventSource {
 public:
  explicit ProcSource(const SourceOptions& options)
      : repeat_after_(static_cast<int64_t>(options.repeat_seconds) * 1'000'000'000),
        ignored_(options.ignored_pids.begin(), options.ignored_pids.end()),
        boot_time_(boot_time()),
        reader_(boot_time_),
        may_use_perf_(options.back_end != "connector") {}

  Status start();
  Status test_itself();
  std::vector<Ability> abilities(const Status& works) const;

  std::string description() const override;
  std::vector<std::string> blind_spots() const override;
  Result<Batch> snapshot() override;
  Result<Batch> snapshot_of(uint32_t pid) override;
  int poll_fd() const override { return epoll_.get(); }
  Result<Batch> next_batch() override;

 private:
  struct Watched {
    ProcessFacts facts;
    UnixNanoseconds due_at = 0;  // Of its next sample.
    int64_t interval = kSampleNanoseconds;
    bool is_starting = false;  // It began a program, and has mapped nothing of it yet.
    Sightings own;
  };

  Status watch(int fd);
  void open_fanotify();
  void on_fanotify_thread(std::function<void()> work);
  void open_perf();
  void open_connector();
  void sample(Batch& out);
  void sample_one(uint32_t pid, std::vector<Event>& out);
  void mark_root_of(uint32_t pid);
  void read_fanotify(Batch& out);
  void take_opened(const fanotify_event_metadata& record, std::vector<Event>& out);
  void read_perf(Batch& out);
  void follow_processors(Batch& out);
  void take_perf(const PerfRecord& record, Batch& out);
  Watched& looked_at(uint32_t pid);
  void take_fork(const PerfRecord& record, std::vector<Event>& out);
  void take_namespaces(const PerfRecord& record);
  void take_start(const PerfRecord& record);
  void take_mapping(const PerfRecord& record, Batch& out);
  void read_connector(Batch& out);
  void end_process(uint32_t pid, std::vector<Event>& out);
  void add_if_new(Event event, std::vector<Event>& out);
  bool is_ignored(const ProcessFacts& process) const {
    return ignored_.contains(process.pid) || ignored_.contains(process.parent_pid);
  }

  int64_t repeat_after_;
  std::unordered_set<uint32_t> ignored_;
  UnixNanoseconds boot_time_;
  ProcReader reader_;
  Fd epoll_, tick_, fanotify_;
  bool may_use_perf_;
  std::optional<PerfRings> perf_;
  std::optional<ProcessConnector> connector_;                        // In perf's place.
  std::string no_fanotify_, no_perf_ = "not wanted", no_connector_;  // Why not.
  std::set<uint64_t> marked_devices_;
  std::unordered_map<uint32_t, Watched> processes_;
  Sightings seen_;
  std::unique_ptr<SideThread> fanotify_thread_;  // Last: it uses the others.
};

Status ProcSource::watch(int fd) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &interest) != 0) {
    return fail_errno("cannot wait for events", errno);
  }
  return {};
}

Status ProcSource::start() {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  tick_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  const itimerspec each{{0, kSampleNanoseconds}, {0, kSampleNanoseconds}};
  if (!epoll_.is_open() || !tick_.is_open() || ::timerfd_settime(tick_.get(), 0, &each, nullptr)) {
    return fail_errno("cannot make a timer", errno);
  }
  TRY(watch(tick_.get()));
  if (may_use_perf_) open_perf();
  open_fanotify();
  if (fanotify_.is_open()) TRY(watch(fanotify_.get()));
  if (perf_) {
    TRY(watch(perf_->poll_fd()));
    return {};
  }
  open_connector();
  if (connector_) TRY(watch(connector_->poll_fd()));
  return {};
}

void ProcSource::open_fanotify() {
  fanotify_ = Fd(::fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC,
                                 O_RDONLY | O_LARGEFILE | O_CLOEXEC));
  if (!fanotify_.is_open()) {
    no_fanotify_ = std::strerror(errno);
    return;
  }
  fanotify_thread_ = std::make_unique<SideThread>();
  int error = 0;
  on_fanotify_thread([&] {
    if (::unshare(CLONE_FILES) != 0) error = errno;
    // What else was open stays so for the others alone.
    const auto own = static_cast<unsigned>(fanotify_.get());
    if (error == 0 && own > 3) ::close_range(3, own - 1, 0);
    if (error == 0) ::close_range(own + 1, ~0U, 0);
  });
  if (error == 0) {
    mark_root_of(static_cast<uint32_t>(::getpid()));
    error = errno;
  }
  if (marked_devices_.empty()) {
    no_fanotify_ = std::strerror(error);
    fanotify_.close();
  }
}

// Each record comes with an open file, and who closes a file gives up all locks that are held on it
// through the same table of descriptors (fcntl(2)): SQLite's, of the store that the agent writes
// and others read. So records are read on a thread that has a table of its own. One after the
// other: the caller waits.
void ProcSource::on_fanotify_thread(std::function<void()> work) {
  fanotify_thread_->wait(fanotify_thread_->post(std::move(work)));
}

// Whole file systems are watched: that of each root.
void ProcSource::mark_root_of(uint32_t pid) {
  if (!fanotify_.is_open()) return;
  const std::string root = "/proc/" + std::to_string(pid) + "/root";
  struct stat status{};
  if (::stat(root.c_str(), &status) != 0 || marked_devices_.contains(status.st_dev)) return;
  const uint64_t wanted = perf_ ? FAN_OPEN : FAN_OPEN | FAN_OPEN_EXEC;
  if (::fanotify_mark(fanotify_.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, wanted, AT_FDCWD,
                      (root + "/").c_str()) == 0) {
    marked_devices_.insert(status.st_dev);
  }
}

void ProcSource::open_perf() {
  auto opened = PerfRings::open();
  no_perf_ = opened ? "" : opened.error().text();
  if (opened) perf_.emplace(*std::move(opened));
}

void ProcSource::open_connector() {
  auto opened = ProcessConnector::open();
  no_connector_ = opened ? "" : opened.error().text();
  if (opened) connector_.emplace(*std::move(opened));
}

std::string ProcSource::description() const {
  std::string text = "proc: samples of /proc";
  if (fanotify_.is_open()) text += ", fanotify";
  if (perf_) text += ", perf";
  if (connector_) text += ", process connector";
  return text;
}

std::vector<Ability> ProcSource::abilities(const Status& works) const {
  const auto row = [](const char* name, std::string reason, const char* otherwise) {
    const bool is_available = reason.empty();
    return Ability{name, is_available, std::move(reason), is_available ? "" : otherwise};
  };
  std::vector<Ability> rows = {
      row("samples of /proc", works ? "" : works.error().text(), "nothing is seen"),
      row("fanotify on whole file systems", no_fanotify_, kBlindFiles),
      row("perf's records of processes and mappings", no_perf_, kBlindMappings)};
  if (!perf_) rows.push_back(row("process connector", no_connector_, kBlindProcesses));
  return rows;
}

std::vector<std::string> ProcSource::blind_spots() const {
  std::vector<std::string> spots = {
      "connections are not seen",
      "layers of images are not told",
  };
  if (fanotify_.is_open()) {
    spots.push_back("a file that several workloads open on one file system is told of one");
    spots.push_back("files opened to be written are told as if they were read");
  } else {
    spots.push_back(std::string(kBlindFiles) + " (fanotify: " + no_fanotify_ + ")");
  }
  if (perf_) return spots;
  spots.push_back(std::string(kBlindMappings) + " (perf: " + no_perf_ + ")");
  if (!connector_) {
    spots.push_back(std::string(kBlindProcesses) + " (process connector: " + no_connector_ + ")");
  }
  return spots;
}

void ProcSource::add_if_new(Event event, std::vector<Event>& out) {
  if (is_ignored(event.process)) return;
  Sightings& seen = is_own(event) ? processes_[event.process.pid].own : seen_;
  if (seen.size() >= limits::kSightingsMax) seen.clear();
  const auto [place, is_new] = seen.try_emplace(sighting_of(event), event.at);
  if (!is_new) {
    // A process that still runs says nothing new of itself.
    if (is_own(event) || event.at - place->second < repeat_after_) return;
    place->second = event.at;
  }
  out.push_back(std::move(event));
}

void ProcSource::sample_one(uint32_t pid, std::vector<Event>& out) {
  std::vector<Event> events = reader_.events_of(pid);
  if (events.empty()) return;
  const auto [watched, is_new] = processes_.try_emplace(pid);
  Watched& process = watched->second;
  // What is new, or begins another program, loads most of what it needs soon.
  if (is_new || process.facts.executable != events.front().process.executable ||
      process.facts.started_at != events.front().process.started_at) {
    process.interval = kSampleNanoseconds;
    mark_root_of(pid);
  } else {
    process.interval = std::min(2 * process.interval, kSampleNanosecondsMax);
  }
  process.facts = events.front().process;
  process.due_at = events.front().at + process.interval;
  for (Event& event : events) add_if_new(std::move(event), out);
}

void ProcSource::sample(Batch& out) {
  reader_.forget_sockets();
  const std::vector<uint32_t> running = running_processes();
  const UnixNanoseconds now = unix_now();
  for (const uint32_t pid : running) {
    const auto known = processes_.find(pid);
    if (known == processes_.end() || known->second.due_at <= now) sample_one(pid, out.events);
  }
  const std::unordered_set<uint32_t> alive(running.begin(), running.end());
  std::vector<uint32_t> ended;
  for (const auto& [pid, watched] : processes_) {
    if (!alive.contains(pid)) ended.push_back(pid);
  }
  // Their last records were written before they were gone.
  if (perf_) {
    read_perf(out);
    follow_processors(out);
  }
  for (const uint32_t pid : ended) end_process(pid, out.events);
}

void ProcSource::end_process(uint32_t pid, std::vector<Event>& out) {
  const auto known = processes_.find(pid);
  if (known == processes_.end()) return;
  Event event;
  event.kind = EventKind::kExit;
  event.at = unix_now();
  event.process = std::move(known->second.facts);
  processes_.erase(known);
  if (!is_ignored(event.process)) out.push_back(std::move(event));
}

void ProcSource::read_fanotify(Batch& out) {
  alignas(fanotify_event_metadata) char buffer[kReadBytes];
  while (out.events.size() < limits::kBatchEventsMax) {
    ssize_t bytes = ::read(fanotify_.get(), buffer, sizeof buffer);
    if (bytes <= 0) return;
    auto* record = reinterpret_cast<fanotify_event_metadata*>(buffer);
    for (; FAN_EVENT_OK(record, bytes); record = FAN_EVENT_NEXT(record, bytes)) {
      if (record->mask & FAN_Q_OVERFLOW) {
        out.losses.push_back({"fanotify queue full", 1, 0});
      } else {
        take_opened(*record, out.events);
      }
    }
  }
}

void ProcSource::take_opened(const fanotify_event_metadata& record, std::vector<Event>& out) {
  const Fd fd(record.fd);
  struct stat status{};
  if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  const auto pid = static_cast<uint32_t>(record.pid);
  auto known = processes_.find(pid);
  if (known == processes_.end()) {
    sample_one(pid, out);
    known = processes_.find(pid);
  }
  Event event;
  if (known != processes_.end()) event.process = known->second.facts;
  event.process.pid = pid;
  if (is_ignored(event.process)) return;
  event.at = unix_now();
  const std::string self = "/proc/thread-self/fd/" + std::to_string(fd.get());
  std::tie(event.path, event.is_deleted) = path_of_link(link_text(self));
  event.file = {status.st_dev, status.st_ino, status.st_dev, status.st_ino, -1};
  // The kernel opens the loader to execute it too.
  const bool is_loader = std::filesystem::path(event.path).filename().string().starts_with("ld-");
  event.kind = !(record.mask & FAN_OPEN_EXEC) ? EventKind::kOpen
               : is_loader                    ? EventKind::kMap
                                              : EventKind::kExec;
  if (event.kind == EventKind::kExec) event.process.executable = event.path;
  // From here the kernel itself leaves the file out, until it is written to.
  if (event.kind == EventKind::kOpen) {
    ::fanotify_mark(fanotify_.get(), FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD,
                    self.c_str());
  }
  add_if_new(std::move(event), out);
}

void ProcSource::read_perf(Batch& out) {
  for (const PerfRecord& record : perf_->read()) take_perf(record, out);
}

void ProcSource::follow_processors(Batch& out) {
  const Result<size_t> came = perf_->follow_processors();
  if (!came) {
    out.losses.push_back({"a processor's perf records cannot be read", 1, 0});
  } else if (*came != 0) {
    out.losses.push_back({"a processor came online", *came, 0});
  }
}

void ProcSource::take_perf(const PerfRecord& record, Batch& out) {
  switch (record.kind) {
    case PerfRecord::Kind::kFork:
      return take_fork(record, out.events);
    case PerfRecord::Kind::kNamespaces:
      return take_namespaces(record);
    case PerfRecord::Kind::kExec:
      return take_start(record);
    case PerfRecord::Kind::kMap:
      return take_mapping(record, out);
    case PerfRecord::Kind::kExit:
      return end_process(record.pid, out.events);
    case PerfRecord::Kind::kLost:
      out.losses.push_back({"perf ring full", record.lost, 0});
      return;
  }
}

// As its parent, until it is looked at.
void ProcSource::take_fork(const PerfRecord& record, std::vector<Event>& out) {
  Watched child;
  if (const auto parent = processes_.find(record.parent_pid); parent != processes_.end()) {
    child.facts = parent->second.facts;
  } else if (auto facts = reader_.facts_of(record.pid)) {
    child.facts = *std::move(facts);
  }
  child.facts.pid = record.pid;
  child.facts.parent_pid = record.parent_pid;
  child.facts.started_at = process_start(
      static_cast<uint64_t>(std::max<int64_t>(record.at - boot_time_, 0)), boot_time_);
  child.due_at = record.at + kSampleNanoseconds;
  Event event;
  event.kind = EventKind::kFork;
  event.at = record.at;
  event.process = child.facts;
  processes_.insert_or_assign(record.pid, std::move(child));
  if (!is_ignored(event.process)) out.push_back(std::move(event));
}

// What is known of the process stays where it has ended meanwhile.
ProcSource::Watched& ProcSource::looked_at(uint32_t pid) {
  Watched& process = processes_[pid];
  if (auto facts = reader_.facts_of(pid)) process.facts = *std::move(facts);
  process.facts.pid = pid;
  return process;
}

void ProcSource::take_namespaces(const PerfRecord& record) {
  const auto known = processes_.find(record.pid);
  const bool is_known =
      known != processes_.end() && known->second.facts.mount_namespace == record.mount_namespace;
  if (!is_known) looked_at(record.pid).facts.mount_namespace = record.mount_namespace;
}

void ProcSource::take_start(const PerfRecord& record) {
  Watched& process = looked_at(record.pid);
  process.facts.name = record.name;
  process.is_starting = true;
  process.interval = kSampleNanoseconds;
  process.due_at = record.at + process.interval;
  mark_root_of(record.pid);
}

void ProcSource::take_mapping(const PerfRecord& record, Batch& out) {
  auto known = processes_.find(record.pid);
  if (known == processes_.end()) {
    auto facts = reader_.facts_of(record.pid);
    if (!facts) {
      out.losses.push_back({"a process had ended", 1, 0});
      return;
    }
    known = processes_.try_emplace(record.pid).first;
    known->second.facts = *std::move(facts);
  }
  Watched& process = known->second;
  Event event;
  event.kind = EventKind::kMap;
  event.at = record.at;
  event.path = record.path;
  event.is_deleted = record.is_deleted;
  event.file = {record.device, record.inode, record.device, record.inode, -1};
  if (process.is_starting) {
    process.is_starting = false;
    event.kind = EventKind::kExec;
    event.command_line = command_line(record.pid);
    process.facts.executable = record.path;
  }
  event.process = process.facts;
  add_if_new(std::move(event), out.events);
}

void ProcSource::read_connector(Batch& out) {
  for (const ProcessNotice& notice : connector_->read()) {
    switch (notice.kind) {
      case ProcessNotice::Kind::kExec: {
        const size_t before = out.events.size();
        sample_one(notice.pid, out.events);
        // This one was seen to happen; what it has loaded by now is a sample.
        for (size_t index = before; index < out.events.size(); index++) {
          if (out.events[index].kind == EventKind::kExec) out.events[index].is_snapshot = false;
        }
        break;
      }
      case ProcessNotice::Kind::kExit:
        end_process(notice.pid, out.events);
        break;
      case ProcessNotice::Kind::kLost:
        out.losses.push_back({"process connector full", 1, 0});
        break;
    }
  }
}

Result<Batch> ProcSource::next_batch() {
  Batch batch;
  if (perf_) read_perf(batch);
  if (connector_) read_connector(batch);
  if (fanotify_.is_open()) on_fanotify_thread([&] { read_fanotify(batch); });
  uint64_t ticks = 0;
  if (::read(tick_.get(), &ticks, sizeof ticks) == sizeof ticks) sample(batch);
  for (Loss& loss : reader_.new_losses()) batch.losses.push_back(std::move(loss));
  return batch;
}

Result<Batch> ProcSource::snapshot() {
  Batch batch;
  sample(batch);
  for (Loss& loss : reader_.new_losses()) batch.losses.push_back(std::move(loss));
  return batch;
}

Result<Batch> ProcSource::snapshot_of(uint32_t pid) {
  reader_.forget_sockets();
  Batch batch{reader_.events_of(pid), {}};
  batch.losses = reader_.new_losses();
  return batch;
}

// Sampling needs a process that lives: this one itself.
Status ProcSource::test_itself() {
  const auto self = static_cast<uint32_t>(::getpid());
  const std::vector<Event> events = reader_.events_of(self);
  const auto has = [&](EventKind kind) {
    return std::ranges::any_of(events, [&](const Event& event) { return event.kind == kind; });
  };
  if (!has(EventKind::kExec) || !has(EventKind::kMap)) {
    return fail(ErrorCode::kUnavailable, "/proc does not tell of this process itself");
  }
  return {};
}

std::vector<Ability> probe() {
  ProcSource source({});
  const Status started = source.start();
  return source.abilities(started ? source.test_itself() : started);
}

Result<std::unique_ptr<EventSource>> open(const SourceOptions& options) {
  auto source = std::make_unique<ProcSource>(options);
  TRY(source->start());
  TRY(source->test_itself());
  return source;
}

}  // namespace

extern const EventSourceKind proc_event_source;
const EventSourceKind proc_event_source = {"proc", "perf, fanotify and samples of /proc", probe,
                                           open};

}  // namespace vigil::sensor
