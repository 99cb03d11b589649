// The kernel's own programs: first sightings as they happen, with a snapshot of what ran before.
#include <algorithm>
#include <map>
#include <utility>

#include "base/limits.h"
#include "sensor/event_source.h"
#include "sensor/kernel_programs.h"
#include "sensor/proc_reader.h"
#include "sensor/process_table.h"
#include "sensor/self_check.h"
#include "sensor/wire_decode.h"

namespace vigil::sensor {

namespace {

constexpr int kSelfTestAttempts = 8;
constexpr int kSelfTestBatches = 16;
constexpr size_t kRepeatsLookedAt = 512;

class BpfSource : public EventSource {
 public:
  explicit BpfSource(KernelPrograms programs)
      : programs_(std::move(programs)), boot_time_(boot_time()), reader_(boot_time_) {}

  std::string description() const override { return programs_.description(); }
  std::vector<std::string> blind_spots() const override { return programs_.blind_spots(); }
  Result<Batch> snapshot() override;
  Result<Batch> snapshot_of(uint32_t pid) override;
  int poll_fd() const override { return programs_.poll_fd(); }
  Result<Batch> next_batch() override;

  Status test_itself();
  Status ignore(const std::vector<uint32_t>& pids);

 private:
  KernelPrograms programs_;
  UnixNanoseconds boot_time_;
  ProcReader reader_;
  ProcessTable processes_;
  Batch waiting_;  // What came during the self-test.
};

// Looks back over what belongs to the same process and kind: the last ones. Not over all that a
// process may hold, which is up to it: telling a thing twice does no harm.
bool is_repeated(const std::vector<Event>& events, const Event& event) {
  const size_t looked_at = std::min(events.size(), kRepeatsLookedAt);
  for (auto other = events.rbegin(); other != events.rbegin() + static_cast<ptrdiff_t>(looked_at);
       ++other) {
    if (other->process.pid != event.process.pid || other->kind != event.kind) return false;
    if (other->file == event.file && other->port == event.port && other->address == event.address &&
        event.kind != EventKind::kExec) {
      return true;
    }
  }
  return false;
}

Result<Batch> BpfSource::next_batch() {
  Batch batch = std::exchange(waiting_, {});
  uint64_t malformed = 0;
  TRY(programs_.consume([&](ByteView record) {
    auto event = decode_wire(record, boot_time_);
    if (!event) {
      malformed++;
      return;
    }
    processes_.complete(*event);
    batch.events.push_back(*std::move(event));
  }));
  for (Loss& loss : programs_.new_losses()) batch.losses.push_back(std::move(loss));
  if (malformed != 0) batch.losses.push_back({"record not understood", malformed, 0});
  return batch;
}

Result<Batch> BpfSource::snapshot() {
  return snapshot_of(0);
}

Result<Batch> BpfSource::snapshot_of(uint32_t pid) {
  Batch batch;
  uint64_t path_bytes = 0;
  std::map<uint64_t, uint64_t> left_out;  // By cgroup.
  reader_.forget_sockets();
  const bool is_iterated = TRY(programs_.iterate(pid, [&](ByteView record) {
    auto event = decode_wire(record, boot_time_);
    if (!event) return;
    // A file that is mapped in pieces, or opened twice, is one thing.
    if (is_repeated(batch.events, *event)) return;
    path_bytes += event->path.size();
    if (path_bytes > limits::kSnapshotBytesMax) {
      ++left_out[event->process.cgroup_id];
      return;
    }
    if (event->kind == EventKind::kExec) event->command_line = command_line(event->process.pid);
    processes_.complete(*event);
    batch.events.push_back(*std::move(event));
  }));
  for (const auto& [cgroup_id, count] : left_out) {
    batch.losses.push_back({"more than kSnapshotBytesMax", count, cgroup_id});
  }
  if (is_iterated) return batch;
  for (const uint32_t each : pid == 0 ? running_processes() : std::vector{pid}) {
    std::ranges::move(reader_.events_of(each), std::back_inserter(batch.events));
  }
  batch.losses = reader_.new_losses();
  return batch;
}

Status BpfSource::test_itself() {
  for (int attempt = 1;; attempt++) {
    const SelfTestActs acts = TRY(act_for_self_test());
    Batch seen = TRY(next_batch());
    // A busy machine's events may fill more than one batch.
    for (int more_batches = 0;
         more_batches < kSelfTestBatches && !missing_kinds(acts, seen.events).empty();
         more_batches++) {
      Batch more = TRY(next_batch());
      if (more.events.empty()) break;
      std::ranges::move(more.events, std::back_inserter(seen.events));
      std::ranges::move(more.losses, std::back_inserter(seen.losses));
    }
    const bool is_lossy = !seen.losses.empty();
    const std::vector<EventKind> missing = missing_kinds(acts, seen.events);
    std::erase_if(seen.events, [&](const Event& event) { return is_of_self_test(acts, event); });
    std::ranges::move(seen.events, std::back_inserter(waiting_.events));
    std::ranges::move(seen.losses, std::back_inserter(waiting_.losses));
    // What a busy machine pushed out says nothing about the programs.
    if (!missing.empty() && is_lossy && attempt < kSelfTestAttempts) continue;
    for (const EventKind kind : missing) {
      const std::string program = programs_.program_for(kind);
      if (program.empty()) continue;  // A blind spot that is known.
      return fail(ErrorCode::kUnavailable, program +
                                               " is attached and saw nothing of the self-test (" +
                                               std::string(to_string(kind)) + ")");
    }
    return {};
  }
}

Status BpfSource::ignore(const std::vector<uint32_t>& pids) {
  for (const uint32_t pid : pids) TRY(programs_.ignore(pid));
  return {};
}

Result<std::unique_ptr<EventSource>> open(const SourceOptions& options) {
  KernelPrograms programs = TRY(KernelPrograms::load(options));
  auto source = std::make_unique<BpfSource>(std::move(programs));
  TRY(source->test_itself());
  TRY(source->ignore(options.ignored_pids));
  return source;
}

}  // namespace

extern const EventSourceKind bpf_event_source;
const EventSourceKind bpf_event_source = {"bpf", "programs in the kernel (eBPF)",
                                          probe_kernel_programs, open};

}  // namespace vigil::sensor
