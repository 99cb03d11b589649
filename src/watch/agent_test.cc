#include "watch/agent.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "watch/evidence.h"

namespace vigil::watch {
namespace {

// Gives the batches that the test puts in.
class FakeSource final : public sensor::EventSource {
 public:
  std::string description() const override { return "fake"; }
  std::vector<std::string> blind_spots() const override { return {"all else"}; }
  Result<sensor::Batch> snapshot() override { return first; }
  Result<sensor::Batch> snapshot_of(uint32_t pid) override {
    asked.push_back(pid);
    return mapped;
  }
  int poll_fd() const override { return -1; }
  Result<sensor::Batch> next_batch() override {
    if (batches.empty()) return sensor::Batch{};
    sensor::Batch batch = std::move(batches.front());
    batches.pop_front();
    return batch;
  }

  sensor::Batch first;
  sensor::Batch mapped;
  std::deque<sensor::Batch> batches;
  std::vector<uint32_t> asked;
};

// Remembers what was recorded.
class FakeStore final : public exposure::EvidenceStore {
 public:
  Status record_workload(const Workload& workload, Attach attach) override {
    workloads_seen[workload.id] = attach;
    return {};
  }
  Status record_inventory(std::string_view, std::string_view, std::string_view) override {
    return {};
  }
  Status record_file(std::string_view workload, const Evidence& evidence) override {
    files.emplace_back(workload, evidence);
    return {};
  }
  Status record_socket(std::string_view, const exposure::SocketFact& socket) override {
    sockets.push_back(socket);
    return {};
  }
  Status record_recheck(std::string_view, UnixNanoseconds) override { return {}; }
  Status record_ended(std::string_view workload) override {
    ended.emplace_back(workload);
    return {};
  }
  Status record_gap(std::string_view workload, const WatchGap& gap) override {
    gaps.emplace_back(workload, gap);
    return {};
  }
  Status record_alive(UnixNanoseconds, std::string_view, const std::vector<std::string>&) override {
    return {};
  }
  Status flush() override { return flushed; }
  std::vector<std::string> take_notes() override { return {}; }
  Result<std::vector<Workload>> workloads() override { return stored; }
  Result<exposure::WorkloadRecord> read(std::string_view) override {
    return fail(ErrorCode::kNotFound, "");
  }

  Result<std::vector<std::string>> inventories() override { return named; }

  std::map<std::string, Attach> workloads_seen;
  std::vector<Workload> stored;
  std::vector<std::string> ended;
  std::vector<std::string> named;
  std::vector<std::pair<std::string, Evidence>> files;
  std::vector<exposure::SocketFact> sockets;
  std::vector<std::pair<std::string, WatchGap>> gaps;
  Status flushed;
};

class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    char place[] = "/tmp/vigil_agent_XXXXXX";
    folder_ = ::mkdtemp(place);
    options_.state_folder = folder_;
    options_.tell = [this](std::string_view text) { told_.emplace_back(text); };
    options_.database = []() -> Result<advisory::OpenDatabaseOptions> {
      return advisory::OpenDatabaseOptions{};
    };
  }
  ~AgentTest() override { std::filesystem::remove_all(folder_); }

  // Of a process of this host.
  static Event host_event(EventKind kind) {
    Event event;
    event.kind = kind;
    event.at = 5'000'000'000;
    event.process.pid = 4321;
    event.process.started_at = 3;
    event.process.uid = 1000;
    event.process.mount_namespace = sensor::find_host_folders().mount_namespace;
    return event;
  }
  static Event file_event(EventKind kind, const std::string& path) {
    Event event = host_event(kind);
    struct stat status = {};
    // The tests may run in a root of their own.
    const std::string host_root = sensor::find_host_folders().root;
    EXPECT_EQ(::stat((host_root + "/" + path).c_str(), &status), 0);
    event.path = path;
    event.file = {.device = status.st_dev, .inode = status.st_ino};
    return event;
  }
  // Lets an agent take the events, and gives them to the store.
  void watch(std::vector<Event> events, std::vector<sensor::Loss> losses = {}) {
    Agent agent(options_, source_, store_);
    ASSERT_TRUE(agent.take_snapshot());
    source_.batches.push_back({std::move(events), std::move(losses)});
    agent.stop();
    text_ = agent.metrics().text();
  }

  std::string folder_;
  WatchOptions options_;
  FakeSource source_;
  FakeStore store_;
  std::vector<std::string> told_;
  std::string text_;
};

TEST_F(AgentTest, AStoreThatCannotBeWrittenIsToldOnce) {
  store_.flushed = fail(ErrorCode::kUnavailable, "the disk is full");
  watch({file_event(EventKind::kExec, "usr/bin/env")});
  EXPECT_EQ(told_,
            std::vector<std::string>{"the evidence store cannot be written: the disk is full"});
}

TEST_F(AgentTest, LossesAreGapsOfTheNode) {
  watch({}, {{"ring buffer full", 3, 0}, {"ring buffer full", 4, 0}});
  ASSERT_EQ(store_.gaps.size(), 1u);
  EXPECT_EQ(store_.gaps[0].first, "");
  EXPECT_EQ(store_.gaps[0].second.reason, "ring buffer full");
  EXPECT_EQ(store_.gaps[0].second.events_count, 7u);
  EXPECT_GE(store_.gaps[0].second.to, store_.gaps[0].second.from);
  EXPECT_NE(text_.find("vigil_events_lost_total{reason=\"ring buffer full\"} 7\n"),
            std::string::npos);
}

TEST_F(AgentTest, ALossInTheRootOfAllCgroupsIsTheNodes) {
  // As the host and all containers have it where runtimes use cgroups of version 1.
  Event event = file_event(EventKind::kExec, "usr/bin/env");
  event.process.cgroup_id = 1;
  watch({event}, {{"ring buffer full", 3, 1}});
  ASSERT_EQ(store_.gaps.size(), 1u);
  EXPECT_EQ(store_.gaps[0].first, "");
}

TEST_F(AgentTest, WhatEndedWhileNobodyLookedIsEnded) {
  Workload gone;
  gone.id = "gone";
  gone.init_pid = 1 << 30;
  Workload there = gone;
  there.id = "there";
  there.init_pid = static_cast<uint32_t>(::getpid());
  struct stat status = {};
  ASSERT_EQ(::stat("/proc/self/ns/mnt", &status), 0);
  there.mount_namespace = status.st_ino;
  Workload other = there;
  other.id = "another's number";
  other.mount_namespace = 1;
  Workload ended = gone;
  ended.id = "ended";
  ended.ended_at = 5;
  Workload host;
  host.id = sensor::kHostId;
  store_.stored = {gone, there, other, ended, host};
  watch({});
  EXPECT_EQ(store_.ended, (std::vector<std::string>{"gone", "another's number"}));
}

TEST_F(AgentTest, WhatTheSnapshotLostLasts) {
  source_.first.losses = {{"a process ended meanwhile", 1, 0}};
  watch({}, {{"ring buffer full", 3, 0}});
  std::map<std::string, UnixNanoseconds> ends;
  for (const auto& [workload, gap] : store_.gaps) ends[gap.reason] = gap.to;
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends.at("a process ended meanwhile, of what ran already"), kLasting);
  EXPECT_LT(ends.at("ring buffer full"), kLasting);
}

TEST_F(AgentTest, InventoriesThatNobodyNamesGo) {
  std::filesystem::create_directory(folder_ + "/inventory");
  for (const char* file : {"kept.inv", "kept.findings", "gone.inv", "gone.findings"}) {
    ASSERT_TRUE(write_atomically(folder_ + "/inventory/" + file, "", 0600));
  }
  store_.named = {"inventory/kept.inv"};
  Agent agent(options_, source_, store_);
  agent.do_what_is_due();
  EXPECT_TRUE(path_exists(folder_ + "/inventory/kept.inv"));
  EXPECT_TRUE(path_exists(folder_ + "/inventory/kept.findings"));
  EXPECT_FALSE(path_exists(folder_ + "/inventory/gone.inv"));
  EXPECT_FALSE(path_exists(folder_ + "/inventory/gone.findings"));
}

TEST_F(AgentTest, TheHostIsThereWithoutAnyEvent) {
  watch({});
  EXPECT_EQ(store_.workloads_seen, (std::map<std::string, Attach>{{"host", Attach::kSnapshot}}));
}

TEST_F(AgentTest, WhatAnInterpreterOpensIsLoaded) {
  Event event = host_event(EventKind::kOpen);
  event.path = "usr/lib/python3/dist-packages/requests/api.py";
  event.process.executable = "usr/bin/python3.11";
  EXPECT_EQ(evidence_of(event)->tier, Tier::kLoaded);
  event.process.executable = "usr/bin/cat";
  EXPECT_EQ(evidence_of(event)->tier, Tier::kOpened);
}

TEST_F(AgentTest, FilesBecomeEvidenceByWhatWasDoneWithThem) {
  watch({file_event(EventKind::kExec, "usr/bin/env"), file_event(EventKind::kMap, "usr/bin/env"),
         file_event(EventKind::kOpen, "etc/passwd")});
  ASSERT_EQ(store_.files.size(), 3u);
  EXPECT_EQ(store_.files[0].first, "host");
  EXPECT_EQ(store_.files[0].second.tier, Tier::kExecuted);
  EXPECT_EQ(store_.files[1].second.tier, Tier::kLoaded);
  EXPECT_EQ(store_.files[2].second.tier, Tier::kOpened);
  EXPECT_EQ(store_.files[2].second.path, "etc/passwd");
  EXPECT_EQ(store_.files[2].second.first_seen, 5'000'000'000);
  EXPECT_EQ(store_.files[2].second.count, 1u);
}

// The same path under another root is another file.
TEST_F(AgentTest, AProcessInAChrootDoesNotUseTheHostsFiles) {
  Event event = file_event(EventKind::kExec, "usr/bin/env");
  event.file.inode += 1;
  watch({event});
  EXPECT_TRUE(store_.files.empty());
  EXPECT_TRUE(store_.gaps.empty());
}

TEST_F(AgentTest, AFileOfSomebodyWhoIsGoneIsALoss) {
  Event event = file_event(EventKind::kExec, "usr/bin/env");
  event.file.inode += 1;
  event.process.pid = INT32_MAX;
  event.process.cgroup_id = 1;
  event.process.mount_namespace = 1;
  watch({event});
  EXPECT_TRUE(store_.files.empty());
  ASSERT_EQ(store_.gaps.size(), 1u);
  EXPECT_EQ(store_.gaps[0].first, "");
  EXPECT_EQ(store_.gaps[0].second.reason, "a process had ended");
}

TEST_F(AgentTest, WhatARuntimeDoesBeforeTheContainerRunsIsNoUse) {
  Event by_name = file_event(EventKind::kOpen, "etc/passwd");
  by_name.process.name = "runc:[2:INIT]";
  by_name.process.executable = "usr/sbin/runc";
  Event by_file = file_event(EventKind::kMap, "etc/passwd");
  by_file.process.executable = "memfd:runc_cloned:/proc/self/exe";
  watch({by_name, by_file});
  EXPECT_TRUE(store_.files.empty());
  EXPECT_TRUE(store_.gaps.empty());
  // A name alone hides nothing.
  by_name.process.executable = "usr/bin/env";
  watch({by_name});
  EXPECT_EQ(store_.files.size(), 1u);
}

TEST_F(AgentTest, APathThatCouldNotBeToldIsALoss) {
  Event event = host_event(EventKind::kMap);
  Event cut = file_event(EventKind::kMap, "usr/bin/env");
  cut.is_truncated = true;
  watch({event, cut});
  EXPECT_TRUE(store_.files.empty());
  ASSERT_EQ(store_.gaps.size(), 2u);
  EXPECT_EQ(store_.gaps[0].first, "host");
}

TEST_F(AgentTest, WhatAProcessHasMappedIsReachedThroughItsSocket) {
  Event running = file_event(EventKind::kExec, "usr/bin/env");
  running.is_snapshot = true;
  source_.mapped.events = {running, host_event(EventKind::kMap)};  // One has no path.
  Event listen = host_event(EventKind::kListen);
  listen.address = "0.0.0.0";
  listen.port = 80;
  Event child = host_event(EventKind::kFork);
  child.process.pid = 4322;
  child.process.parent_pid = 4321;
  Event of_child = file_event(EventKind::kMap, "etc/passwd");
  of_child.process.pid = 4322;
  watch({listen, listen, child, of_child});
  EXPECT_EQ(source_.asked, std::vector<uint32_t>{4321});
  ASSERT_EQ(store_.sockets.size(), 2u);
  EXPECT_EQ(store_.sockets[0].port, 80);
  ASSERT_EQ(store_.files.size(), 2u);
  EXPECT_EQ(store_.files[0].second.facets, kListening | kExposed);
  EXPECT_EQ(store_.files[1].second.facets, kListening | kExposed);
}

TEST_F(AgentTest, FirstSightingsAreLinesAndLaterOnesAreNot) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  options_.output = ends[1];
  const Event event = file_event(EventKind::kExec, "usr/bin/env");
  watch({event, event});
  ::close(ends[1]);
  const std::string lines = read_all(Fd(ends[0]), 1 << 20).value();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);  // The host, and the file.
  JsonDocument document;
  const JsonView line = document.parse(lines.substr(lines.find('\n') + 1)).value();
  EXPECT_EQ(line["kind"].text(), "evidence");
  EXPECT_EQ(line["workload"]["id"].text(), "host");
  EXPECT_EQ(line["tier"].text(), "executed");
  EXPECT_EQ(line["path"].text(), "usr/bin/env");
  EXPECT_EQ(line["process"]["pid"].integer(), 4321);
}

}  // namespace
}  // namespace vigil::watch
