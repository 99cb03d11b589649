#include "sensor/recording.h"

#include <gtest/gtest.h>

#include <string>

#include "base/file.h"

namespace vigil::sensor {
namespace {

const std::string kRecording =
    std::string(VIGIL_SOURCE_DIR) + "/src/sensor/testdata/recording_fuzz/nginx";

TEST(Recording, ReadsWhatItWrites) {
  const std::string text = read_file(kRecording, 1 << 20).value();
  const Batch batch = parse_recording(text).value();
  ASSERT_EQ(batch.events.size(), 3u);
  ASSERT_EQ(batch.losses.size(), 1u);
  std::string again = recording_header();
  for (const Event& event : batch.events) again += recording_line(event);
  for (const Loss& loss : batch.losses) again += recording_line(loss);
  EXPECT_EQ(parse_recording(again).value().events, batch.events);
  EXPECT_EQ(batch.losses[0].reason, "ring buffer full");
  EXPECT_EQ(batch.losses[0].count, 3u);
  EXPECT_EQ(batch.losses[0].cgroup_id, 77u);
}

TEST(Recording, NamesTheLineThatIsWrong) {
  EXPECT_EQ(parse_recording("{\"vigil_events\":2}\n").error().message,
            "not a recording of events of version 1");
  EXPECT_EQ(parse_recording("{\"vigil_events\":1}\n\n{\"event\":\"sleep\"}\n").error().message,
            "line 3 has no event of a known kind, and no loss");
}

TEST(Recording, ReplayGivesTheSnapshotFirst) {
  const EventSourceKind* kind = find_event_source("replay");
  ASSERT_NE(kind, nullptr);
  SourceOptions options;
  options.recording = kRecording;
  const auto source = kind->open(options);
  ASSERT_TRUE(source) << source.error().text();
  const Batch snapshot = (*source)->snapshot().value();
  ASSERT_EQ(snapshot.events.size(), 1u);
  EXPECT_EQ(snapshot.events[0].path, "usr/sbin/nginx");
  const Batch batch = (*source)->next_batch().value();
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[1].peer, "10.88.0.1");
  EXPECT_EQ(batch.losses.size(), 1u);
  EXPECT_TRUE((*source)->next_batch().value().events.empty());
}

}  // namespace
}  // namespace vigil::sensor
