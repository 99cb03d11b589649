// A recorded file, for tests: first what it has as a snapshot, then everything else at once.
#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "sensor/event_source.h"
#include "sensor/recording.h"

namespace vigil::sensor {

namespace {

class ReplaySource : public EventSource {
 public:
  explicit ReplaySource(Batch recorded) : rest_(std::move(recorded)) {}

  std::string description() const override { return "replay: a recorded file"; }
  std::vector<std::string> blind_spots() const override { return {}; }
  Result<Batch> snapshot() override {
    return take([](const Event& event) { return event.is_snapshot; });
  }
  Result<Batch> snapshot_of(uint32_t) override { return Batch{}; }
  int poll_fd() const override { return -1; }
  Result<Batch> next_batch() override {
    Batch batch = take([](const Event& event) { return !event.is_snapshot; });
    batch.losses = std::exchange(rest_.losses, {});
    return batch;
  }

 private:
  template <typename Wanted>
  Batch take(Wanted is_wanted) {
    Batch batch;
    const auto others = std::ranges::stable_partition(rest_.events, is_wanted);
    std::move(rest_.events.begin(), others.begin(), std::back_inserter(batch.events));
    rest_.events.erase(rest_.events.begin(), others.begin());
    return batch;
  }

  Batch rest_;
};

std::vector<Ability> probe() {
  return {};
}

Result<std::unique_ptr<EventSource>> open(const SourceOptions& options) {
  if (options.recording.empty()) {
    return fail(ErrorCode::kNotFound, "the source replay needs a recording to read");
  }
  const std::string text = TRY(read_file(options.recording, limits::kRecordingBytesMax));
  Batch recorded = TRY(with_context(parse_recording(text), options.recording));
  return std::make_unique<ReplaySource>(std::move(recorded));
}

}  // namespace

extern const EventSourceKind replay_event_source;
const EventSourceKind replay_event_source = {"replay", "a recorded file of events", probe, open};

}  // namespace vigil::sensor
