// Opening a database and looking packages up, on a database of one distribution's size: 3,000
// packages, 60,000 entries, and the facts of 300,000 CVEs.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>

#include "advisory/database.h"
#include "advisory/database_files.h"
#include "base/check.h"

namespace vigil::advisory {

namespace {

constexpr int kPackagesCount = 3000;
constexpr int kEntriesPerPackage = 20;
constexpr int kFactsCount = 300'000;

std::string package_name(int i) {
  return fmt::format("package-{:04}", i % kPackagesCount);
}
std::string cve_name(int i) {
  return fmt::format("CVE-{:04}-{:04}", 2010 + i % 15, 1000 + i / 15);
}

Advisory advisory_of(int i) {
  Advisory advisory;
  advisory.id = cve_name(i);
  advisory.cves = {advisory.id};
  advisory.source = "ubuntu";
  advisory.vendor_severity = i % 3 == 0 ? "medium" : "low";
  advisory.cvss = {{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8, "nvd"}};
  advisory.published_at = 1'600'000'000 + i * 86'400;
  Affected affected;
  affected.package = package_name(i);
  affected.state = FixState::kFixed;
  affected.ranges = {{"", fmt::format("1.{}-{}ubuntu1", i % 50, i % 7), ""}};
  advisory.affected = {affected};
  return advisory;
}

// Made once, removed with the program.
class BenchFolder {
 public:
  BenchFolder() {
    BytePool texts;
    AdvisoryCollector shard("ubuntu-22.04", texts);
    shard.sources().add("ubuntu", {}, 1);
    for (int i = 0; i < kPackagesCount * kEntriesPerPackage; ++i) shard.add(advisory_of(i));
    FactsCollector facts(texts);
    facts.sources().add("epss", {}, 1);
    for (int i = 0; i < kFactsCount; ++i) {
      CveFacts one;
      one.cve = cve_name(i);
      one.epss = i % 1000 / 100'000.0;
      one.epss_percentile = i % 1000 / 1000.0;
      CHECK(facts.add(one));
    }
    const std::vector<WrittenShard> written = {*facts.write(), *shard.write()};
    Manifest manifest;
    manifest.serial = 1;
    manifest.shards = manifest_shards(written);
    CHECK(write_database(path, manifest, written, nullptr).has_value());
  }
  ~BenchFolder() { std::filesystem::remove_all(path); }

  const std::string path =
      fmt::format("{}/vigil-bench-{}", std::filesystem::temp_directory_path().string(), getpid());
};

std::unique_ptr<Database> open_bench() {
  static const BenchFolder folder;
  return *open_database({.folder = folder.path, .trusted_keys = {}, .now = 0});
}

void open_and_first_look_up(benchmark::State& state) {
  for (auto _ : state) {
    const std::unique_ptr<Database> database = open_bench();
    benchmark::DoNotOptimize((*database->shard("ubuntu-22.04"))->find(package_name(1234)));
  }
}
BENCHMARK(open_and_first_look_up)->Unit(benchmark::kMicrosecond);

void find_package(benchmark::State& state) {
  const std::unique_ptr<Database> database = open_bench();
  const Shard& shard = **database->shard("ubuntu-22.04");
  int i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(shard.find(package_name(i += 7)));
  state.SetItemsProcessed(state.iterations() * kEntriesPerPackage);
}
BENCHMARK(find_package);

void find_absent_package(benchmark::State& state) {
  const std::unique_ptr<Database> database = open_bench();
  const Shard& shard = **database->shard("ubuntu-22.04");
  for (auto _ : state) benchmark::DoNotOptimize(shard.find("no-such-package"));
}
BENCHMARK(find_absent_package);

void find_facts(benchmark::State& state) {
  const std::unique_ptr<Database> database = open_bench();
  int i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(database->facts(cve_name((i += 7919) % kFactsCount)));
  }
}
BENCHMARK(find_facts);

}  // namespace

}  // namespace vigil::advisory
