// run_sbom over every kind of target, and the cache beside it. Each run forks its parsing child.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/confine.h"
#include "decode/fake_tar.h"
#include "decode/inventory.h"
#include "image/fake_image.h"
#include "scan/cache.h"
#include "scan/inventory_file.h"
#include "scan/scan.h"

namespace vigil::scan {
namespace {

namespace fs = std::filesystem;
using decode::FakeTar;
using image::FakeImage;
using image::TemporaryFolder;
using Lines = std::vector<std::string>;

constexpr std::string_view kOsRelease = "ID=alpine\nVERSION_ID=3.17.2\n";
constexpr std::string_view kInstalled =
    "P:zlib\nV:1.2.11-r3\nA:x86_64\no:zlib\nF:lib\nR:libz.so.1\nZ:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa="
    "\n\n"
    "P:musl\nV:1.2.3-r4\nA:x86_64\no:musl\n\n";

FakeImage fake_image() {
  FakeTar base;
  base.file("etc/os-release", kOsRelease).file("lib/libz.so.1", "z");
  FakeTar top;
  top.file("lib/apk/db/installed", kInstalled);
  FakeImage image;
  image.layers = {base.finished(), top.finished()};
  return image;
}

ScanOptions options_for(const std::string& target, const std::string& cache = "") {
  ScanOptions options;
  options.target = target;
  options.cache_folder = cache;
  options.threads_count = 2;
  return options;
}

ScanOutcome scanned(const ScanOptions& options) {
  Result<ScanOutcome> outcome = run_sbom(options);
  EXPECT_TRUE(outcome) << outcome.error().text();
  return outcome ? *std::move(outcome) : ScanOutcome();
}

std::string error_of(const std::string& target) {
  const Result<ScanOutcome> outcome = run_sbom(options_for(target));
  return outcome ? "none" : outcome.error().text();
}

Lines purls(const ScanOutcome& outcome) {
  Lines lines;
  for (const Package& package : outcome.report.sbom.packages) lines.push_back(package.purl);
  return lines;
}

const Lines kPurls = {"pkg:apk/alpine/musl@1.2.3-r4?arch=x86_64&distro=alpine-3.17.2",
                      "pkg:apk/alpine/zlib@1.2.11-r3?arch=x86_64&distro=alpine-3.17.2"};

// Files written until now are older than what this returns to. The times of files may run ahead of
// the kernel's coarse clock by more than a tick (multigrain timestamps, Linux 6.13).
void pass_file_clock_tick() {
  const auto now_ns = [](clockid_t clock) {
    timespec now = {};
    ::clock_gettime(clock, &now);
    return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
  };
  const int64_t written_ns = now_ns(CLOCK_REALTIME);
  while (now_ns(CLOCK_REALTIME_COARSE) <= written_ns) {
  }
}

// Standard input for its life.
class InputFrom {
 public:
  explicit InputFrom(const std::string& path) : old_(::dup(STDIN_FILENO)) {
    const Fd fd(::open(path.c_str(), O_RDONLY));
    ::dup2(fd.get(), STDIN_FILENO);
  }
  ~InputFrom() {
    ::dup2(old_, STDIN_FILENO);
    ::close(old_);
  }

 private:
  int old_;
};

TEST(RunSbom, EveryKindOfImageGivesTheSameInventory) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  const std::string docker = folder.write("docker.tar", image.docker_archive());
  const std::string oci = folder.write("oci.tar", image.oci_archive());
  const TemporaryFolder layout_folder;
  const std::string layout = image.write_layout(layout_folder);

  const ScanOutcome first = scanned(options_for(oci));
  EXPECT_EQ(purls(first), kPurls);
  EXPECT_EQ(first.report.sbom.target.kind, TargetKind::kOciArchive);
  EXPECT_EQ(first.report.sbom.target.name, oci);
  EXPECT_EQ(first.report.sbom.layers.size(), 2u);
  EXPECT_EQ(first.report.sbom.packages[0].location,
            (Location{.path = "lib/apk/db/installed", .layer = 1}));
  for (const std::string& target : {docker, layout, layout + ":latest", "docker-archive:" + docker,
                                    "oci-archive:" + oci, "oci-dir:" + layout}) {
    const ScanOutcome other = scanned(options_for(target));
    EXPECT_EQ(other.report.sbom.packages, first.report.sbom.packages) << target;
    EXPECT_EQ(other.report.sbom.distro, first.report.sbom.distro) << target;
  }
}

TEST(RunSbom, ARootFilesystemAndItsFiles) {
  const TemporaryFolder folder;
  folder.write("etc/os-release", kOsRelease);
  folder.write("lib/apk/db/installed", kInstalled);
  folder.write("lib/libz.so.1", "z");
  ScanOptions options = options_for(folder.path());
  options.with_files = true;
  const ScanOutcome outcome = scanned(options);
  EXPECT_EQ(outcome.report.sbom.target.kind, TargetKind::kDirectory);
  EXPECT_EQ(purls(outcome), kPurls);
  ASSERT_EQ(outcome.report.files.size(), 1u);
  EXPECT_EQ(outcome.report.files[0].path, "lib/libz.so.1");
  EXPECT_EQ(outcome.report.files[0].package, 1u);
}

TEST(RunSbom, DocumentsFromFilesTypedAndFromStandardInput) {
  const TemporaryFolder folder;
  const std::string list = folder.write("list", kPurls[0] + "\n# a remark\n" + kPurls[1] + "\n");
  const std::string document = folder.write("app.json", R"({"bomFormat":"CycloneDX",
      "specVersion":"1.6","components":[{"type":"library","name":"zlib","version":"1.2.11-r3",
      "purl":")" + kPurls[1] + "\"}]}");
  EXPECT_EQ(purls(scanned(options_for(list))), kPurls);
  EXPECT_EQ(purls(scanned(options_for("purl:" + list))), kPurls);
  EXPECT_EQ(purls(scanned(options_for(kPurls[1]))), Lines{kPurls[1]});
  EXPECT_EQ(purls(scanned(options_for(document))), Lines{kPurls[1]});
  EXPECT_EQ(purls(scanned(options_for("sbom:" + document))), Lines{kPurls[1]});
  {
    const InputFrom input(list);
    EXPECT_EQ(purls(scanned(options_for("purl:-"))), kPurls);
  }
  const InputFrom input(document);
  EXPECT_EQ(purls(scanned(options_for("-"))), Lines{kPurls[1]});
}

TEST(RunSbom, TheChildIsConfined) {
  const ScanOutcome outcome = scanned(options_for(kPurls[0]));
  for (const char* wanted : {"no-new-privileges", "limits", "seccomp"}) {
    EXPECT_NE(std::ranges::find(outcome.protections, wanted), outcome.protections.end()) << wanted;
  }
  EXPECT_EQ(outcome.notes, Lines{});
}

TEST(RunSbom, TheDistributionTypedCountsMost) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  ScanOptions options = options_for(folder.write("app.tar", image.oci_archive()));
  options.distro = "alpine:3.20";
  const ScanOutcome outcome = scanned(options);
  EXPECT_EQ(outcome.report.sbom.distro.text(), "alpine 3.20");
  EXPECT_EQ(outcome.report.sbom.packages[0].purl,
            "pkg:apk/alpine/musl@1.2.3-r4?arch=x86_64&distro=alpine-3.20");
  options.target = kPurls[0];
  const ScanOutcome document = scanned(options);
  EXPECT_EQ(document.report.sbom.packages[0].distro, "");
  EXPECT_EQ(document.report.sbom.packages[0].purl, kPurls[0]) << "as the document says it";
}

TEST(RunSbom, WhatCannotBeReadIsAnErrorThatSaysWhatToDo) {
  const TemporaryFolder folder;
  const std::string text = folder.write("text", "hello");
  const std::string gzip = folder.write("root.tar.gz", "\x1f\x8b\x08 and so on");
  const std::string plain = folder.write("plain.tar", FakeTar().file("a", "b").finished());
  const std::string purls = folder.write("purls", "#\npkg:nonsense\n");
  FakeImage image = fake_image();
  const std::string damaged_text = image.oci_archive();
  const std::string cut = folder.write("cut.tar", damaged_text.substr(0, 700));
  EXPECT_NE(error_of(text).find("it is no image archive"), std::string::npos) << error_of(text);
  EXPECT_NE(error_of(gzip).find("compressed with gzip"), std::string::npos) << error_of(gzip);
  EXPECT_NE(error_of(plain).find("without manifest.json"), std::string::npos) << error_of(plain);
  EXPECT_TRUE(error_of(purls).starts_with(purls + ": line 2: ")) << error_of(purls);
  EXPECT_TRUE(error_of(cut).starts_with(cut + ": ")) << error_of(cut);
  EXPECT_NE(error_of("docker-archive:" + text), "none");
  EXPECT_NE(error_of("sbom:" + text), "none");
  EXPECT_NE(error_of("dir:" + text), "none");
  EXPECT_NE(error_of(folder.path() + ":v1").find("none has a tag"), std::string::npos)
      << error_of(folder.path() + ":v1");
}

TEST(RunSbom, ABlobOfAnotherDigestIsAnErrorThatNamesIt) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  const std::string layout = image.write_layout(folder);
  const std::string blob = FakeImage::blob_path(image.layers[1]);
  std::string changed = image.layers[1];
  changed[600] ^= 1;
  folder.write(blob, changed);
  const std::string error = error_of(layout);
  EXPECT_NE(error.find(FakeImage::digest_of(image.layers[1])), std::string::npos) << error;
}

TEST(RunSbom, AnyNumberOfThreadsAndRunsGiveTheSame) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  ScanOptions options = options_for(folder.write("app.tar", image.oci_archive()));
  options.with_files = true;
  const Report first = scanned(options).report;
  for (const size_t threads : {1, 2, 8}) {
    options.threads_count = threads;
    EXPECT_EQ(scanned(options).report, first) << threads;
  }
}

TEST(Cache, ASecondScanNeedsNoChildAndAnswersTheSame) {
  const FakeImage image = fake_image();
  for (const bool is_docker : {false, true}) {
    const TemporaryFolder folder;
    const TemporaryFolder cache;
    ScanOptions options = options_for(
        folder.write("app.tar", is_docker ? image.docker_archive() : image.oci_archive()),
        cache.path());
    options.with_files = true;
    pass_file_clock_tick();
    const ScanOutcome first = scanned(options);
    const ScanOutcome second = scanned(options);
    EXPECT_FALSE(first.is_cached);
    EXPECT_TRUE(second.is_cached);
    EXPECT_EQ(second.protections, Lines{});
    EXPECT_EQ(second.report, first.report);
    // Another question has another answer.
    options.verify_diff_ids = true;
    EXPECT_FALSE(scanned(options).is_cached);
    options.target = (is_docker ? "docker-archive:" : "oci-archive:") + options.target;
    EXPECT_FALSE(scanned(options).is_cached);
  }
}

TEST(Cache, AChangedFileIsReadAgain) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  const std::string layout = image.write_layout(folder);
  pass_file_clock_tick();
  const ScanOptions options = options_for(layout, cache.path());
  scanned(options);
  EXPECT_TRUE(scanned(options).is_cached);
  // The same bytes in another file.
  folder.write(FakeImage::blob_path(image.layers[0]), image.layers[0]);
  EXPECT_FALSE(scanned(options).is_cached);
}

TEST(Cache, ADamagedFileIsRemovedAndMadeAgain) {
  const FakeImage image = fake_image();
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  ScanOptions options = options_for(folder.write("app.tar", image.oci_archive()), cache.path());
  options.with_files = true;
  pass_file_clock_tick();
  const Report first = scanned(options).report;
  for (const char* part : {"/inventory", "/seen"}) {
    const std::string path = fs::directory_iterator(cache.path() + part)->path();
    const std::string whole = *read_file(path, 1 << 20);
    for (const size_t at : {size_t{3}, size_t{30}, whole.size() - 1}) {
      std::string damaged = whole;
      damaged[at] ^= 0x40;
      ASSERT_TRUE(write_atomically(path, damaged));
      const ScanOutcome again = scanned(options);
      EXPECT_FALSE(again.is_cached) << part << " " << at;
      EXPECT_EQ(again.report, first) << part << " " << at;
      EXPECT_TRUE(scanned(options).is_cached) << part << " " << at;
    }
  }
}

TEST(Cache, TheFilesOfARootLieInAMappedFile) {
  const TemporaryFolder folder;
  folder.write("etc/os-release", kOsRelease);
  folder.write("lib/apk/db/installed", kInstalled);
  const TemporaryFolder cache;
  scanned(options_for(folder.path(), cache.path()));
  const std::string path = fs::directory_iterator(cache.path() + "/inventory")->path();
  Result<MappedFile> mapped = MappedFile::open(path);
  ASSERT_TRUE(mapped);
  const Result<InventoryFile> inventory = InventoryFile::open(*std::move(mapped));
  ASSERT_TRUE(inventory);
  const Result<decode::OwnershipView> files = inventory->ownership();
  ASSERT_TRUE(files);
  EXPECT_EQ(files->find("lib/libz.so.1"), std::vector<size_t>{0});
  EXPECT_FALSE(scanned(options_for(folder.path(), cache.path())).is_cached);
}

TEST(Cache, AnImageThatClaimsAnothersDiffIdsGetsItsOwnAnswer) {
  const FakeImage honest = fake_image();
  FakeImage liar = fake_image();
  liar.diff_ids = {FakeImage::digest_of(honest.layers[0]), FakeImage::digest_of(honest.layers[1])};
  FakeTar other;
  other.file("lib/apk/db/installed", "P:other\nV:1-r0\nA:x86_64\n\n");
  liar.layers[1] = other.finished();
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  const std::string honest_path = folder.write("honest.tar", honest.docker_archive());
  const std::string liar_path = folder.write("liar.tar", liar.docker_archive());
  pass_file_clock_tick();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(purls(scanned(options_for(honest_path, cache.path()))), kPurls);
    EXPECT_EQ(purls(scanned(options_for(liar_path, cache.path()))),
              Lines{"pkg:apk/alpine/other@1-r0?arch=x86_64&distro=alpine-3.17.2"});
  }
}

// A parsing child that a hostile image took over may hand back anything, another image's ids and
// "verified" among it.
TEST(Cache, AChildThatLiesCannotSpoilAnotherTargetsAnswer) {
  const auto inventory_of = [](std::string_view package) {
    catalog::Inventory inventory;
    Target& target = inventory.sbom.target;
    target.kind = TargetKind::kOciDirectory;
    target.image_id = target.manifest_digest = sha256(as_bytes(std::string_view("x"))).text();
    inventory.sbom.layers.resize(1);
    inventory.sbom.layers[0].is_verified = true;
    inventory.sbom.packages.resize(1);
    inventory.sbom.packages[0].name = package;
    return inventory;
  };
  const TemporaryFolder folder;
  folder.write("good", "");
  folder.write("bad", "");
  pass_file_clock_tick();
  const auto files = image::open_local_files(folder.path());
  const auto traced = [&](std::string_view path) {
    TracingFiles tracing(**files);
    EXPECT_TRUE(tracing.open(path, image::FileAccess::Links::kFollow));
    return tracing.trace();
  };
  const TemporaryFolder cache_folder;
  const Result<Cache> cache = Cache::open(cache_folder.path());
  ASSERT_TRUE(cache) << cache.error().text();
  const auto remember = [&](const char* question, const char* path, const char* package) {
    const catalog::Inventory inventory = inventory_of(package);
    const Result<Fd> memory = memory_file(encode_inventory(inventory));
    return cache->remember(question, traced(path), inventory.sbom, *memory, INT64_MAX);
  };
  ASSERT_TRUE(remember("good", "good", "honest"));
  // Under another question: from another file, and from the very same one.
  ASSERT_TRUE(remember("bad", "bad", "planted"));
  ASSERT_TRUE(remember("bad", "good", "planted"));
  const std::optional<InventoryFile> found =
      cache->recall("good", **files, Cache::Need::kInventory);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sbom().packages[0].name, "honest");
}

TEST(Cache, OneThatCannotBeUsedIsANote) {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "");
  const ScanOutcome outcome = scanned(options_for(folder.path(), file + "/cache"));
  ASSERT_EQ(outcome.notes.size(), 1u);
  EXPECT_TRUE(outcome.notes[0].starts_with("the cache is not used: ")) << outcome.notes[0];
  fs::permissions(folder.path(), fs::perms::all);
  const FakeImage image = fake_image();
  const std::string app = folder.write("app.tar", image.oci_archive());
  EXPECT_EQ(scanned(options_for(app, folder.path())).notes,
            Lines{"the cache is not used: " + folder.path() + " can be written by anybody"});
}

TEST(InventoryFile, EveryBrokenByteIsFound) {
  catalog::Inventory inventory;
  inventory.sbom.packages.emplace_back().name = "a";
  inventory.files.push_back({0, "bin/a", "", {}});
  const std::string whole = encode_inventory(inventory);
  const auto is_good = [](const std::string& bytes) {
    const Result<Fd> fd = memory_file(bytes);
    Result<MappedFile> mapped = fd ? MappedFile::from_fd(*fd) : std::unexpected(fd.error());
    if (!mapped) return false;
    const Result<InventoryFile> file = InventoryFile::open(*std::move(mapped));
    return file && file->ownership();
  };
  EXPECT_TRUE(is_good(whole));
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    EXPECT_FALSE(is_good(damaged)) << at;
    EXPECT_FALSE(is_good(whole.substr(0, at))) << at;
  }
}

}  // namespace
}  // namespace vigil::scan
