#include "exposure/evidence_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/limits.h"

namespace vigil::exposure {
namespace {

constexpr UnixNanoseconds kSecond = 1'000'000'000;
constexpr UnixNanoseconds kStart = 1'790'000'000 * kSecond;

class Folder {
 public:
  Folder() {
    std::string path = std::filesystem::temp_directory_path() / "evidence-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<EvidenceStore> writer(const std::string& folder) {
  auto store = EvidenceStore::open_for_writing(folder);
  EXPECT_TRUE(store) << store.error().text();
  return store ? std::move(*store) : nullptr;
}

std::unique_ptr<EvidenceStore> reader(const std::string& folder) {
  auto store = EvidenceStore::open_for_reading(folder);
  EXPECT_TRUE(store) << store.error().text();
  return store ? std::move(*store) : nullptr;
}

Workload workload(std::string id, UnixNanoseconds started_at = kStart) {
  Workload one;
  one.id = std::move(id);
  one.runtime = Runtime::kPodman;
  one.name = "web";
  one.image = "registry.example.org/shop:1.4";
  one.cgroup_id = 4711;
  one.mount_namespace = 4026532001;
  one.init_pid = 100;
  one.started_at = started_at;
  one.lower_folders = {"/layers/2", "/layers/1"};
  one.upper_folder = "/upper";
  return one;
}

Evidence file(std::string path, Tier tier = Tier::kLoaded, uint32_t pid = 100) {
  Evidence one;
  one.tier = tier;
  one.path = std::move(path);
  one.file = {.device = 41, .inode = 7, .real_device = 65024, .real_inode = 1ull << 63, .layer = 1};
  one.process = {.pid = pid,
                 .parent_pid = 1,
                 .started_at = kStart,
                 .uid = 33,
                 .capabilities = 0x1ff'ffff'ffff,
                 .name = "nginx",
                 .executable = "usr/sbin/nginx",
                 .cgroup_id = 4711,
                 .mount_namespace = 4026532001};
  one.command_line = "nginx -g daemon off;";
  one.first_seen = kStart + kSecond;
  one.last_seen = kStart + 2 * kSecond;
  one.count = 1;
  return one;
}

TEST(EvidenceStore, GivesBackWhatWasRecorded) {
  const Folder folder;
  const SocketFact socket = {.kind = EventKind::kListen,
                             .pid = 100,
                             .process_started_at = kStart,
                             .address = "0.0.0.0",
                             .peer = "",
                             .port = 80,
                             .first_seen = kStart + kSecond};
  {
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_alive(kStart, "bpf: all", {"no io_uring"}));
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kSnapshot));
    ASSERT_TRUE(store->record_inventory("a", "inventory/x", ""));
    ASSERT_TRUE(store->record_file("a", file("usr/sbin/nginx", Tier::kExecuted)));
    ASSERT_TRUE(store->record_socket("a", socket));
    ASSERT_TRUE(store->record_recheck("a", kStart + 70 * kSecond));
    ASSERT_TRUE(store->record_gap("a", {kStart + 3 * kSecond, kStart + 4 * kSecond, "full", 5}));
    ASSERT_TRUE(store->record_alive(kStart + 80 * kSecond, "bpf: all", {"no io_uring"}));
    ASSERT_TRUE(store->flush());
  }
  struct stat status = {};
  ASSERT_EQ(::stat(folder.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat((folder.path() + "/evidence.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0077, 0u);

  const auto store = reader(folder.path());
  EXPECT_EQ(*store->workloads(), std::vector<Workload>{workload("a")});
  const auto record = store->read("a");
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_EQ(record->workload, workload("a"));
  EXPECT_EQ(record->attach, Attach::kSnapshot);
  EXPECT_EQ(record->inventory, "inventory/x");
  EXPECT_EQ(record->files, std::vector<Evidence>{file("usr/sbin/nginx", Tier::kExecuted)});
  EXPECT_EQ(record->sockets, std::vector<SocketFact>{socket});
  EXPECT_EQ(record->gaps,
            (std::vector<WatchGap>{{kStart + 3 * kSecond, kStart + 4 * kSecond, "full", 5}}));
  EXPECT_EQ(record->watched_from, kStart);
  EXPECT_EQ(record->watched_to, kStart + 80 * kSecond);
  EXPECT_EQ(record->rechecked_at, kStart + 70 * kSecond);
  EXPECT_EQ(record->sensor, "bpf: all");
  EXPECT_EQ(record->blind_spots, std::vector<std::string>{"no io_uring"});
  const auto missing = store->read("b");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

// In memory and on disk alike.
TEST(EvidenceStore, MergesKeepingTheStrongerUse) {
  for (const bool is_flushed_between : {false, true}) {
    const Folder folder;
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
    Evidence opened = file("usr/sbin/nginx", Tier::kOpened, 7);
    opened.process.name = "cat";
    opened.first_seen = kStart;
    ASSERT_TRUE(store->record_file("a", opened));
    if (is_flushed_between) {
      ASSERT_TRUE(store->flush());
    }
    Evidence executed = file("usr/sbin/nginx", Tier::kExecuted, 100);
    executed.facets = Facet::kListening;
    executed.digest = "md5:00";
    executed.last_seen = kStart + 9 * kSecond;
    ASSERT_TRUE(store->record_file("a", executed));
    if (is_flushed_between) {
      ASSERT_TRUE(store->flush());
    }
    Evidence later = file("usr/sbin/nginx", Tier::kLoaded, 200);
    later.facets = Facet::kPrivileged;
    later.is_deleted = true;
    ASSERT_TRUE(store->record_file("a", later));
    ASSERT_TRUE(store->flush());
    Evidence wanted = executed;
    wanted.facets = Facet::kListening | Facet::kPrivileged;
    wanted.is_deleted = true;
    wanted.first_seen = kStart;
    wanted.count = 3;
    EXPECT_EQ(store->read("a")->files, std::vector<Evidence>{wanted}) << is_flushed_between;
  }
}

TEST(EvidenceStore, KnowsWhatAWorkloadWasBeforeItEnded) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_alive(kStart + kSecond, "bpf", {}));
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  ASSERT_TRUE(store->flush());
  Workload ended;
  ended.id = "a";
  ended.ended_at = kStart + 9 * kSecond;
  ASSERT_TRUE(store->record_workload(ended, Attach::kNone));
  ASSERT_TRUE(store->record_alive(kStart + 99 * kSecond, "bpf", {}));
  ASSERT_TRUE(store->flush());
  Workload wanted = workload("a");
  wanted.ended_at = kStart + 9 * kSecond;
  wanted.init_pid = 0;
  const auto record = store->read("a");
  EXPECT_EQ(record->workload, wanted);
  EXPECT_EQ(record->attach, Attach::kFromStart);
  EXPECT_EQ(record->watched_from, kStart);
  EXPECT_EQ(record->watched_to, wanted.ended_at);
}

// runc's ids are names, and are used again.
TEST(EvidenceStore, AnIdUsedAgainIsAnotherWorkload) {
  for (const bool is_flushed_between : {false, true}) {
    const Folder folder;
    const auto store = writer(folder.path());
    Workload first = workload("job");
    first.ended_at = kStart + 5 * kSecond;
    ASSERT_TRUE(store->record_workload(first, Attach::kFromStart));
    ASSERT_TRUE(store->record_file("job", file("bin/first")));
    if (is_flushed_between) {
      ASSERT_TRUE(store->flush());
    }
    const Workload second = workload("job", kStart + 60 * kSecond);
    ASSERT_TRUE(store->record_workload(second, Attach::kFromStart));
    ASSERT_TRUE(store->record_file("job", file("bin/second")));
    ASSERT_TRUE(store->flush());
    first.id = "job@1790000000";
    EXPECT_EQ(*store->workloads(), (std::vector<Workload>{second, first})) << is_flushed_between;
    EXPECT_EQ(store->read("job")->files, std::vector<Evidence>{file("bin/second")});
    EXPECT_EQ(store->read(first.id)->files, std::vector<Evidence>{file("bin/first")});
  }
}

TEST(EvidenceStore, OneAgentWrites) {
  const Folder folder;
  const auto store = writer(folder.path());
  const auto second = EvidenceStore::open_for_writing(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kDenied);
}

TEST(EvidenceStore, SaysWhereNothingIsKept) {
  const Folder folder;
  const auto store = EvidenceStore::open_for_reading(folder.path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().text(),
            folder.path() +
                ": no evidence is kept there; 'vigil watch' collects it, and --state "
                "names its folder");
}

// A child writes and is killed without a chance to say goodbye.
TEST(EvidenceStore, KillLosesOnlyWhatWasNotFlushed) {
  const Folder folder;
  int ready[2] = {};
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = EvidenceStore::open_for_writing(folder.path());
    bool is_good = store.has_value();
    is_good = is_good && (*store)->record_alive(kStart, "bpf", {}) &&
              (*store)->record_workload(workload("a"), Attach::kFromStart);
    for (int i = 0; i < 500; ++i) {
      is_good = is_good && (*store)->record_file("a", file("lib/" + std::to_string(i)));
      if (i % 50 == 49) is_good = is_good && (*store)->flush();
    }
    is_good = is_good && (*store)->record_file("a", file("lib/never flushed"));
    const char answer = is_good ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ::close(ready[0]);
  ASSERT_EQ(answer, 'y');
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);

  // A reader first: it finds the log that the dead writer left.
  EXPECT_EQ(reader(folder.path())->read("a")->files.size(), 500u);
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_alive(kStart + 100 * kSecond, "bpf", {}));
  ASSERT_TRUE(store->flush());
  EXPECT_TRUE(store->take_notes().empty());
  const auto record = store->read("a");
  EXPECT_EQ(record->files.size(), 500u);
  EXPECT_EQ(
      record->gaps,
      (std::vector<WatchGap>{{kStart, kStart + 100 * kSecond, "the sensor was not running", 0}}));
}

TEST(EvidenceStore, AReaderSeesTheLastFlushWhileTheWriterWrites) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  ASSERT_TRUE(store->flush());
  const auto other = reader(folder.path());
  for (size_t round = 1; round <= 20; ++round) {
    for (size_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(store->record_file("a", file(std::to_string(round) + "/" + std::to_string(i))));
    }
    EXPECT_EQ(other->read("a")->files.size(), (round - 1) * 10);
    ASSERT_TRUE(store->flush());
    EXPECT_EQ(other->read("a")->files.size(), round * 10);
  }
}

TEST(EvidenceStore, ADamagedStoreIsSetAside) {
  const Folder folder;
  {
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(store->record_file("a", file("lib/" + std::to_string(i))));
    }
    ASSERT_TRUE(store->flush());
  }
  const std::string path = folder.path() + "/evidence.db";
  struct Case {
    std::streamoff from;
    size_t bytes;
  };
  for (const Case& damage : {Case{0, 100}, Case{4096, 4000}}) {
    {
      std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(damage.from);
      out << std::string(damage.bytes, '\x5a');
    }
    const auto store = writer(folder.path());
    ASSERT_NE(store, nullptr);
    const std::vector<std::string> notes = store->take_notes();
    ASSERT_EQ(notes.size(), 1u) << damage.from;
    EXPECT_NE(notes[0].find("it is kept as " + path + ".damaged-"), std::string::npos) << notes[0];
    EXPECT_TRUE(store->workloads()->empty());
    ASSERT_TRUE(store->record_workload(workload("b"), Attach::kSnapshot));
    ASSERT_TRUE(store->flush());
    EXPECT_EQ(store->workloads()->size(), 1u);
  }
  EXPECT_TRUE(path_exists(path + ".damaged-1"));
  EXPECT_TRUE(path_exists(path + ".damaged-2"));
}

// What could not be written stays, and is written once there is room.
TEST(EvidenceStore, AFullDiskLosesNothing) {
  const Folder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted: it takes root";
  }
  {
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
    ASSERT_TRUE(store->flush());
    const std::string ballast = folder.path() + "/ballast";
    {
      std::ofstream out(ballast, std::ios::binary);
      for (int i = 0; i < 2048 && out.flush(); ++i) out << std::string(1024, 'x');
    }
    size_t failed_count = 0;
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 200; ++i) {
        ASSERT_TRUE(store->record_file("a", file(std::to_string(round) + "/" + std::to_string(i))));
      }
      const Status flushed = store->flush();
      if (flushed) continue;
      ++failed_count;
      EXPECT_EQ(flushed.error().code, ErrorCode::kUnavailable) << flushed.error().text();
    }
    EXPECT_GT(failed_count, 0u);
    const auto before = reader(folder.path())->read("a");
    ASSERT_TRUE(before) << "a full disk must not keep readers out: " << before.error().text();
    EXPECT_LT(before->files.size(), 1000u);
    std::filesystem::remove(ballast);
    const Status flushed = store->flush();
    EXPECT_TRUE(flushed) << flushed.error().text();
    EXPECT_EQ(store->read("a")->files.size(), 1000u);
    EXPECT_TRUE(store->take_notes().empty());
  }
  ::umount(folder.path().c_str());
}

TEST(EvidenceStore, GapsThatGoOnAreOne) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  for (int i = 1; i <= 10; ++i) {
    const UnixNanoseconds at = kStart + i * kSecond;
    ASSERT_TRUE(store->record_gap("a", {at, at + kSecond, "full", 2}));
    ASSERT_TRUE(store->record_alive(at + kSecond, "bpf", {}));
    ASSERT_TRUE(store->flush());
  }
  ASSERT_TRUE(store->record_alive(kStart + 5000 * kSecond, "bpf", {}));
  ASSERT_TRUE(store->record_gap("a", {kStart + 900 * kSecond, kStart + 901 * kSecond, "full", 1}));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->read("a")->gaps,
            (std::vector<WatchGap>{{kStart + kSecond, kStart + 11 * kSecond, "full", 20},
                                   {kStart + 900 * kSecond, kStart + 901 * kSecond, "full", 1}}));
}

TEST(EvidenceStore, OldGapsBecomeOneAndStayCounted) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  constexpr UnixNanoseconds kApart = 100 * kSecond;
  const auto count = static_cast<int64_t>(limits::kWatchGapsMax) + 50;
  for (int64_t i = 0; i < count; ++i) {
    // Of reasons that differ, so that they are kept apart until they are written.
    ASSERT_TRUE(store->record_gap(
        "a", {kStart + i * kApart, kStart + i * kApart, "loss " + std::to_string(i), 1}));
  }
  ASSERT_TRUE(store->record_alive(kStart + count * kApart, "bpf", {}));
  ASSERT_TRUE(store->flush());
  const std::vector<WatchGap> gaps = store->read("a")->gaps;
  EXPECT_EQ(gaps.size(), limits::kWatchGapsMax);
  EXPECT_EQ(gaps[0].from, kStart);
  EXPECT_EQ(gaps[0].events_count, 51u);
  EXPECT_EQ(gaps[0].to, kStart + 50 * kApart);
}

TEST(EvidenceStore, PastItsBoundOpenedFilesGoFirstAndTheRestIsCounted) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  ASSERT_TRUE(store->record_alive(kStart + kSecond, "bpf", {}));
  const size_t opened_count = limits::kEvidencePerWorkloadMax / 2;
  for (size_t i = 0; i < opened_count; ++i) {
    ASSERT_TRUE(store->record_file("a", file("opened/" + std::to_string(i), Tier::kOpened)));
  }
  for (size_t i = 0; i < limits::kEvidencePerWorkloadMax + 10; ++i) {
    ASSERT_TRUE(store->record_file("a", file("loaded/" + std::to_string(i))));
  }
  ASSERT_TRUE(store->flush());
  const auto record = store->read("a");
  EXPECT_EQ(record->files.size(), limits::kEvidencePerWorkloadMax);
  EXPECT_EQ(record->files[0].tier, Tier::kLoaded);
  EXPECT_EQ(record->gaps, (std::vector<WatchGap>{{kStart + kSecond, kStart + kSecond,
                                                  "more files than kEvidencePerWorkloadMax", 10}}));
}

TEST(EvidenceStore, WhatDecidesSomethingDoesNotGoWithTheOpenedFiles) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  ASSERT_TRUE(store->record_file("a", file("lib/some.jar", Tier::kOpened)));
  Evidence changed = file("lib/changed", Tier::kOpened);
  changed.file.layer = 0;
  ASSERT_TRUE(store->record_file("a", changed));
  for (size_t i = 0; i < limits::kEvidencePerWorkloadMax; ++i) {
    ASSERT_TRUE(store->record_file("a", file("opened/" + std::to_string(i), Tier::kOpened)));
  }
  ASSERT_TRUE(store->flush());
  const std::vector<Evidence> files = store->read("a")->files;
  EXPECT_LT(files.size(), 10u);
  for (const char* path : {"lib/some.jar", "lib/changed"}) {
    EXPECT_EQ(std::ranges::count(files, path, &Evidence::path), 1) << path;
  }
}

TEST(EvidenceStore, WhoElseReadAFileTakesNothingFromAnInterpreter) {
  Evidence by_cat = file("usr/lib/python3/requests/api.py", Tier::kOpened, 7);
  by_cat.process.executable = "usr/bin/cat";
  Evidence by_python = by_cat;
  by_python.process.pid = 8;
  by_python.process.executable = "usr/bin/python3.11";
  Evidence jar = by_cat;
  jar.path = "lib/some.jar";
  Evidence by_java = jar;
  by_java.process.executable = "usr/bin/java";
  for (const auto& [one, other] : {std::pair(by_cat, by_python), std::pair(jar, by_java)}) {
    const Folder folder;
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
    ASSERT_TRUE(store->record_file("a", one));
    ASSERT_TRUE(store->flush());
    ASSERT_TRUE(store->record_file("a", other));
    ASSERT_TRUE(store->record_file("a", one));
    ASSERT_TRUE(store->flush());
    const std::vector<Evidence> files = store->read("a")->files;
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files[0].process.executable, other.process.executable);
    EXPECT_EQ(files[0].count, 3u);
  }
}

TEST(EvidenceStore, AFileThatIsOverwrittenInPlaceIsAnother) {
  const Folder folder;
  const auto store = writer(folder.path());
  const Evidence images = file("usr/bin/tool", Tier::kExecuted);
  Evidence other = images;
  other.file.layer = 0;
  other.file.real_inode = 12;
  other.digest = "abc";
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  ASSERT_TRUE(store->record_file("a", images));
  // Who only reads it did not look at what is in it.
  Evidence read = other;
  read.tier = Tier::kOpened;
  read.digest = "";
  ASSERT_TRUE(store->record_file("a", read));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->read("a")->files.at(0).file, images.file);
  ASSERT_TRUE(store->record_file("a", other));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->read("a")->files.at(0).file, other.file);
  EXPECT_EQ(store->read("a")->files.at(0).digest, "abc");
}

TEST(EvidenceStore, WhatEndedWhileNobodyLookedEndsWithTheLastLook) {
  const Folder folder;
  {
    const auto store = writer(folder.path());
    ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
    ASSERT_TRUE(store->record_alive(kStart + 9 * kSecond, "bpf", {}));
    ASSERT_TRUE(store->flush());
  }
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_alive(kStart + 99 * kSecond, "bpf", {}));
  ASSERT_TRUE(store->record_ended("a"));
  ASSERT_TRUE(store->record_ended("nobody"));
  ASSERT_TRUE(store->flush());
  const auto record = store->read("a");
  EXPECT_EQ(record->workload.ended_at, kStart + 9 * kSecond);
  EXPECT_EQ(record->attach, Attach::kFromStart);
  EXPECT_EQ(store->workloads()->size(), 1u);
}

TEST(EvidenceStore, AFolderThatOthersUseIsLeftAlone) {
  const Folder folder;
  const std::string place = folder.path() + "/shared";
  ASSERT_TRUE(std::filesystem::create_directory(place));
  std::filesystem::permissions(place, std::filesystem::perms(0755));
  std::ofstream(place + "/other") << "of somebody else";
  const auto refused = EvidenceStore::open_for_writing(place);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_EQ(std::filesystem::status(place).permissions(), std::filesystem::perms(0755));
  std::filesystem::remove(place + "/other");
  EXPECT_TRUE(EvidenceStore::open_for_writing(place));
  EXPECT_EQ(std::filesystem::status(place).permissions(), std::filesystem::perms(0700));
}

TEST(EvidenceStore, WorkloadsThatEndedGoFirst) {
  const Folder folder;
  const auto store = writer(folder.path());
  for (size_t i = 0; i < limits::kWorkloadsMax; ++i) {
    Workload one = workload(std::to_string(i), kStart + static_cast<int64_t>(i) * kSecond);
    if (i % 2 == 0) one.ended_at = one.started_at + kSecond;
    ASSERT_TRUE(store->record_workload(one, Attach::kFromStart));
  }
  ASSERT_TRUE(store->record_file("0", file("lib/x")));
  ASSERT_TRUE(store->flush());
  EXPECT_TRUE(store->take_notes().empty());
  ASSERT_TRUE(store->record_workload(workload("more"), Attach::kFromStart));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(store->take_notes().size(), 1u);
  EXPECT_EQ(store->workloads()->size(), limits::kWorkloadsMax);
  EXPECT_FALSE(store->read("0"));
  EXPECT_TRUE(store->read("1"));
  EXPECT_TRUE(store->read("2"));
}

TEST(EvidenceStore, RecordingEndsWhereNothingCanBeWritten) {
  const Folder folder;
  const auto store = writer(folder.path());
  ASSERT_TRUE(store->record_workload(workload("a"), Attach::kFromStart));
  Status recorded;
  for (size_t i = 0; recorded && i <= limits::kPendingEvidenceMax; ++i) {
    recorded = store->record_file("a", file(std::to_string(i), Tier::kOpened));
  }
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().code, ErrorCode::kTooLarge);
  // What was lost is told all the same.
  const WatchGap lost = {kStart, kStart + kSecond, "the evidence store took no more", 1};
  EXPECT_TRUE(store->record_gap("a", lost));
  ASSERT_TRUE(store->record_alive(kStart + kSecond, "bpf", {}));
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(std::ranges::count(store->read("a")->gaps, lost), 1);
}

}  // namespace
}  // namespace vigil::exposure
