// Evidence replayed against inventories: small ones made here, and a real one.
#include "exposure/join.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "exposure/facets.h"

namespace vigil::exposure {
namespace {

constexpr UnixNanoseconds kSecond = 1'000'000'000;
constexpr UnixNanoseconds kHour = 3600 * kSecond;
constexpr UnixNanoseconds kNow = 1'790'000'000 * kSecond;
constexpr UnixNanoseconds kStart = kNow - 30 * kHour;
constexpr uint64_t kOverlay = 41;

enum Index : uint32_t { kNginx, kLibc, kRequests, kPerl, kMeta, kCommonsJava, kPackagesCount };

struct World {
  World() {
    for (const char* name :
         {"nginx", "libc6", "python3-requests", "perl", "meta", "libcommons-java"}) {
      Package package;
      package.kind = PackageKind::kDeb;
      package.name = name;
      package.version = "1";
      sbom.packages.push_back(package);
    }
    files = {
        {kNginx, "etc/nginx/nginx.conf", "", {}},
        {kNginx, "usr/sbin/nginx", "md5:aa", {}},
        {kLibc, "lib/libc.so.6", "md5:bb", {"usr/lib/libc.so.6"}},
        {kRequests, "usr/lib/python3/dist-packages/requests/api.py", "md5:cc", {}},
        {kPerl, "usr/bin/perl", "md5:dd", {}},
        {kPerl, "usr/share/perl/5.36/strict.pm", "md5:ee", {}},
        {kCommonsJava, "usr/share/java/commons.jar", "md5:ff", {}},
    };
    record.workload.id = "web";
    record.workload.started_at = kStart;
    record.attach = Attach::kFromStart;
    record.watched_from = kStart;
    record.watched_to = kNow - kSecond;
    record.rechecked_at = kNow - kSecond;
    record.sensor = "bpf: tracepoints";
  }

  // Seen all the time by the web server.
  Evidence& add(std::string path, Tier tier, int32_t layer = 2) {
    Evidence& one = record.files.emplace_back();
    one.tier = tier;
    one.path = std::move(path);
    one.file = {.device = kOverlay, .inode = record.files.size(), .layer = layer};
    one.process.pid = 100;
    one.process.started_at = kStart;
    one.process.uid = 33;
    one.process.name = "nginx";
    one.process.executable = "usr/sbin/nginx";
    one.first_seen = kStart + kSecond;
    one.last_seen = kNow - kHour;
    one.count = 1;
    return one;
  }

  Exposure joined(UnixNanoseconds window = 24 * kHour) {
    ownership.clear();
    decode::append_ownership(ownership, files);
    const auto view = decode::OwnershipView::open(as_bytes(ownership), sbom.packages.size());
    EXPECT_TRUE(view) << view.error().text();
    return join(record, sbom, *view, {.now = kNow, .window = window});
  }

  // "in_use executed listening exposed", "unknown installed: REASON".
  std::string told(Index package, UnixNanoseconds window = 24 * kHour) {
    const Exposure exposure = joined(window);
    EXPECT_EQ(exposure.packages.size(), size_t{kPackagesCount});
    const PackageExposure& one = exposure.packages[package];
    EXPECT_EQ(one.package, package);
    std::string text = std::string(to_string(one.verdict)) + " " + std::string(to_string(one.tier));
    for (const std::string_view facet : facet_names(one.facets)) text += " " + std::string(facet);
    return one.reason.empty() ? text : text + ": " + one.reason;
  }

  void listen(std::string address, uint16_t port = 80) {
    record.sockets.push_back({.kind = EventKind::kListen,
                              .pid = 100,
                              .process_started_at = kStart,
                              .address = std::move(address),
                              .port = port});
  }

  Sbom sbom;
  std::vector<OwnedFile> files;
  WorkloadRecord record;
  std::string ownership;
};

TEST(Join, TheStrongestUseCounts) {
  World world;
  world.add("etc/nginx/nginx.conf", Tier::kOpened);
  EXPECT_EQ(world.told(kNginx), "not_observed opened");
  world.add("usr/sbin/nginx", Tier::kExecuted);
  EXPECT_EQ(world.told(kNginx), "in_use executed");
  const Exposure exposure = world.joined();
  ASSERT_EQ(exposure.packages[kNginx].evidence.size(), 2u);
  EXPECT_EQ(exposure.packages[kNginx].evidence[0].path, "usr/sbin/nginx");
  EXPECT_EQ(world.told(kPerl), "not_observed installed");
  EXPECT_EQ(world.told(kMeta), "unknown installed: it owns no file that could be seen in use");
}

TEST(Join, AnyNameOfAFileIsItsOwners) {
  World world;
  world.add("usr/lib/libc.so.6", Tier::kLoaded);
  EXPECT_EQ(world.told(kLibc), "in_use loaded");
}

TEST(Join, WhatAnInterpreterReadsIsLoadedAndWhatOthersReadIsNot) {
  struct Case {
    std::string path;
    std::string program;
    Index package;
    std::string told;
  };
  const std::string cache = "usr/lib/python3/dist-packages/requests/__pycache__/api.cpython-311";
  const std::vector<Case> cases = {
      {cache + ".pyc", "usr/bin/python3.11", kRequests, "in_use loaded"},
      {cache + ".opt-1.pyc", "usr/bin/python3.11", kRequests, "in_use loaded"},
      {cache + ".pyc", "usr/bin/find", kRequests, "not_observed opened"},
      {"usr/lib/python3/dist-packages/requests/api.py", "usr/bin/dpkg", kRequests,
       "not_observed opened"},
      {"usr/share/perl/5.36/strict.pm", "usr/bin/perl", kPerl, "in_use loaded"},
      {"usr/share/perl/5.36/strict.pm", "usr/bin/python3.11", kPerl, "not_observed opened"},
      {"usr/share/java/commons.jar", "usr/lib/jvm/java-17/bin/java", kCommonsJava,
       "unknown opened: a Java machine opened it; whether it loaded a class of it cannot be seen"},
      {"usr/share/java/commons.jar", "usr/bin/tar", kCommonsJava, "not_observed opened"},
  };
  for (const Case& test : cases) {
    World world;
    world.add(test.path, Tier::kOpened).process.executable = test.program;
    EXPECT_EQ(world.told(test.package), test.told) << test.path << " by " << test.program;
  }
}

TEST(Join, AChangedFileCreditsNobody) {
  struct Case {
    std::string name;
    int32_t layer;
    uint64_t device;
    std::string digest;
    std::string told;
    size_t drift_count;
  };
  const std::string changed =
      "unknown installed: usr/sbin/nginx in use is not the file that the package brought";
  const std::vector<Case> cases = {
      {"of the image", 3, kOverlay, "", "in_use executed", 0},
      {"copied up by chown", 0, kOverlay, "md5:aa sha1:11 sha256:22", "in_use executed", 0},
      {"changed", 0, kOverlay, "md5:ab sha1:11 sha256:22", changed, 1},
      {"no digest", 0, kOverlay, "", changed, 1},
      {"a volume over it", -1, 77, "md5:ab sha1:11 sha256:22", changed, 1},
      {"the same on a volume", -1, 77, "sha256:22 md5:aa", "in_use executed", 0},
      {"layer not known", -1, kOverlay, "", "in_use executed", 0},
  };
  for (const Case& test : cases) {
    World world;
    world.add("lib/libc.so.6", Tier::kLoaded);  // Tells which device is the root's.
    Evidence& evidence = world.add("usr/sbin/nginx", Tier::kExecuted, test.layer);
    evidence.file.device = test.device;
    evidence.digest = test.digest;
    EXPECT_EQ(world.told(kNginx), test.told) << test.name;
    EXPECT_EQ(world.joined().drift.size(), test.drift_count) << test.name;
  }
}

// podman looks up users in the roots of containers that it starts.
TEST(Join, WhatTheHostReadsOfAContainerSaysNothingOfTheHost) {
  World world;
  world.record.workload.runtime = Runtime::kHost;
  world.add("var/lib/containers/storage/overlay/1/merged/etc/passwd", Tier::kOpened);
  world.add("usr/sbin/nginx", Tier::kExecuted, -1).file.device = 77;
  EXPECT_EQ(world.told(kNginx), "in_use executed");
  EXPECT_EQ(world.joined().drift, std::vector<Evidence>{});
}

TEST(Join, AProgramThatNobodyBroughtIsDrift) {
  World world;
  const Evidence dropped = world.add("tmp/miner", Tier::kExecuted, 0);
  world.add("tmp/notes", Tier::kOpened, 0);
  world.add("opt/app/server", Tier::kExecuted);
  const Exposure exposure = world.joined();
  EXPECT_EQ(exposure.drift, std::vector<Evidence>{dropped});
  ASSERT_EQ(exposure.unowned.size(), 1u);
  EXPECT_EQ(exposure.unowned[0].path, "opt/app/server");
  EXPECT_EQ(exposure.coverage.files_unowned, 1u);
}

TEST(Join, ADeletedFileStillMappedIsInUseAndSaysSo) {
  World world;
  world.add("lib/libc.so.6", Tier::kLoaded).is_deleted = true;
  EXPECT_EQ(world.told(kLibc),
            "in_use loaded: lib/libc.so.6 was replaced on disk and is still mapped: what runs is "
            "older than what is installed until the process is started again");
}

TEST(Join, FacetsAreThoseOfTheProcessesThatRunIt) {
  World world;
  world.add("usr/sbin/nginx", Tier::kExecuted);
  world.add("usr/share/perl/5.36/strict.pm", Tier::kOpened);
  EXPECT_EQ(world.told(kNginx), "in_use executed");
  world.listen("127.0.0.1");
  EXPECT_EQ(world.told(kNginx), "in_use executed listening");
  world.listen("::", 443);
  EXPECT_EQ(world.told(kNginx), "in_use executed listening exposed");
  // A worker accepts on the port that its parent listens on.
  world.record.sockets.push_back(
      {.kind = EventKind::kAccept, .pid = 101, .peer = "127.0.0.1", .port = 443});
  EXPECT_EQ(world.told(kNginx), "in_use executed listening exposed");
  world.record.sockets.push_back(
      {.kind = EventKind::kAccept, .pid = 101, .peer = "10.0.0.9", .port = 443});
  EXPECT_EQ(world.told(kNginx), "in_use executed listening exposed accepted");
  world.record.files[0].process.uid = 0;
  EXPECT_EQ(world.told(kNginx), "in_use executed listening exposed accepted privileged");
  EXPECT_EQ(world.told(kPerl), "not_observed opened") << "facets are of code in use";
  // Another process of the same number is not it.
  world.record.files[0].process.started_at += kSecond;
  EXPECT_EQ(world.told(kNginx), "in_use executed privileged");
}

TEST(Join, StartupOnlyIsSaidWhereItsProcessesWereLookedAtAgain) {
  World world;
  world.add("usr/sbin/nginx", Tier::kExecuted).last_seen = kStart + 20 * kSecond;
  EXPECT_EQ(world.told(kNginx), "in_use executed startup-only");
  world.record.rechecked_at = 0;
  EXPECT_EQ(world.told(kNginx), "in_use executed");
  world.record.rechecked_at = kNow;
  world.add("etc/nginx/nginx.conf", Tier::kOpened);
  EXPECT_EQ(world.told(kNginx), "in_use executed startup-only") << "a later read is no use";
  world.record.files[0].last_seen = kStart + 70 * kSecond;
  EXPECT_EQ(world.told(kNginx), "in_use executed");
}

TEST(Join, WhatIsNotShownCountsToo) {
  World world;
  for (size_t i = 0; i < limits::kEvidenceShownMax; ++i) {
    world.add("usr/sbin/nginx", Tier::kExecuted).last_seen = kStart + 20 * kSecond;
  }
  EXPECT_EQ(world.told(kNginx), "in_use executed startup-only");
  Evidence& late = world.add("usr/sbin/nginx", Tier::kLoaded);
  late.first_seen = late.last_seen = kNow;
  EXPECT_EQ(world.told(kNginx), "in_use executed");
}

TEST(Join, NotObservedNeedsAWholeWindow) {
  struct Case {
    std::string name;
    void (*change)(WorkloadRecord& record);
    UnixNanoseconds window;
    std::string told;
  };
  const std::vector<Case> cases = {
      {"from the start", [](WorkloadRecord&) {}, 24 * kHour, "not_observed installed"},
      {"with a snapshot",
       [](WorkloadRecord& record) {
         record.attach = Attach::kSnapshot;
         record.watched_from = kNow - 25 * kHour;
       },
       24 * kHour, "not_observed installed"},
      {"never", [](WorkloadRecord& record) { record.attach = Attach::kNone; }, 24 * kHour,
       "unknown installed: nobody watched it"},
      {"a window longer than the container's life", [](WorkloadRecord&) {}, 48 * kHour,
       "unknown installed: watched for 30 h, less than the window of 48 h"},
      {"late",
       [](WorkloadRecord& record) {
         record.attach = Attach::kSnapshot;
         record.watched_from = kNow - 2 * kHour;
       },
       24 * kHour, "unknown installed: watched for 2 h, less than the window of 24 h"},
      {"the agent ended", [](WorkloadRecord& record) { record.watched_to = kNow - 3 * kHour; },
       24 * kHour, "unknown installed: the sensor has not looked for 3 h"},
      {"the snapshot lost something, long before the window",
       [](WorkloadRecord& record) {
         record.attach = Attach::kSnapshot;
         record.gaps = {{record.watched_from, kLasting, "a path could not be told", 8}};
       },
       kHour, "unknown installed: 8 events were lost (a path could not be told)"},
      {"another snapshot lost something that this one was no part of",
       [](WorkloadRecord& record) {
         record.gaps = {{record.watched_from, kLasting, "a path could not be told", 8}};
       },
       kHour, "not_observed installed"},
      {"the agent ended before a window of a second",
       [](WorkloadRecord& record) { record.watched_to = kNow - kHour / 60; }, kHour / 3600,
       "unknown installed: the sensor has not looked for 1 min"},
      {"a little late", [](WorkloadRecord& record) { record.watched_from = kNow - kHour / 3600; },
       kHour / 720, "unknown installed: watched for 0.0 s, less than the window of 5.0 s"},
      {"lost events",
       [](WorkloadRecord& record) {
         record.gaps = {{kNow - kHour, kNow - kHour, "ring buffer full", 12}};
       },
       24 * kHour, "unknown installed: 12 events were lost (ring buffer full)"},
      {"a gap",
       [](WorkloadRecord& record) {
         record.gaps = {{kNow - 2 * kHour, kNow - kHour, "the sensor was not running", 0}};
       },
       24 * kHour, "unknown installed: the sensor was not running for 60 min"},
      {"lost before the window",
       [](WorkloadRecord& record) {
         record.gaps = {{kNow - 29 * kHour, kNow - 28 * kHour, "ring buffer full", 12}};
       },
       24 * kHour, "not_observed installed"},
      {"samples", [](WorkloadRecord& record) { record.sensor = "proc: each second"; }, 24 * kHour,
       "unknown installed: the sensor takes samples only, and does not see short uses"},
      {"it ended, watched to its end",
       [](WorkloadRecord& record) { record.workload.ended_at = record.watched_to = kNow - kHour; },
       20 * kHour, "not_observed installed"},
  };
  for (const Case& test : cases) {
    World world;
    test.change(world.record);
    EXPECT_EQ(world.told(kPerl, test.window), test.told) << test.name;
  }
}

TEST(Join, CoverageIsCounted) {
  World world;
  world.record.gaps = {{kNow - 10 * kHour, kNow - 7 * kHour, "the sensor was not running", 0},
                       {kNow - 8 * kHour, kNow - 6 * kHour, "the sensor was not running", 0},
                       {kNow - kHour, kNow - kHour, "ring buffer full", 7}};
  world.record.watched_to = kNow;
  world.record.blind_spots = {"no io_uring"};
  const WatchCoverage coverage = world.joined().coverage;
  EXPECT_EQ(coverage.from, kNow - 24 * kHour);
  EXPECT_EQ(coverage.to, kNow);
  EXPECT_NEAR(coverage.share, 20.0 / 24, 1e-9);
  EXPECT_EQ(coverage.events_lost, 7u);
  EXPECT_EQ(coverage.gaps.size(), 3u);
  EXPECT_EQ(coverage.blind_spots, world.record.blind_spots);
}

TEST(Facets, LoopbackIsNotExposed) {
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(address)) << address;
  }
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1", ""}) {
    EXPECT_FALSE(is_loopback(address)) << address;
  }
}

TEST(Facets, PrivilegedIsRootOrMoreThanAContainerIsLeft) {
  ProcessFacts process;
  process.pid = 1;
  process.uid = 1000;
  process.capabilities = 0xa80425fb;
  EXPECT_EQ(facets_of(process), 0) << "Docker's default set";
  process.capabilities |= 1ull << 21;  // CAP_SYS_ADMIN.
  EXPECT_EQ(facets_of(process), Facet::kPrivileged);
  process.capabilities = 0;
  process.uid = 0;
  EXPECT_EQ(facets_of(process), Facet::kPrivileged);
  EXPECT_EQ(facets_of(ProcessFacts{}), 0) << "nothing is known of it";
}

}  // namespace
}  // namespace vigil::exposure
