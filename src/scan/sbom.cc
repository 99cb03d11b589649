// run_sbom: from a target to its inventory, out of the cache or through the parsing child.
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "catalog/package_purl.h"
#include "scan/cache.h"
#include "scan/live_root.h"
#include "scan/parsing_child.h"
#include "scan/scan.h"
#include "scan/target.h"

namespace vigil::scan {

namespace {

// Standard input as the one file there is; nothing at all for a target that was typed out.
class StandardInput final : public image::FileAccess {
 public:
  explicit StandardInput(TargetPlace place) : place_(place) {}

  Result<Fd> open(std::string_view path, Links) override {
    if (place_ != TargetPlace::kStandardInput || !path.empty()) return nothing();
    Fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd.is_open()) return fail_errno("standard input", errno);
    return fd;
  }
  Result<std::vector<image::DirectoryEntry>> list(std::string_view, Links) override {
    return nothing();
  }
  Result<std::string> real_path(std::string_view) override { return nothing(); }

 private:
  static std::unexpected<Error> nothing() {
    return fail(ErrorCode::kNotFound, "there is no such file");
  }
  TargetPlace place_;
};

Result<std::unique_ptr<image::FileAccess>> open_place(const TypedTarget& target) {
  if (target.place == TargetPlace::kPath) return image::open_local_files(target.path);
  std::unique_ptr<image::FileAccess> files = std::make_unique<StandardInput>(target.place);
  return files;
}

// The kernel's own clock for files.
int64_t file_clock_ns() {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

// All that decides what a scan finds, but the files themselves.
std::string question_of(const ScanOptions& options, const TypedTarget& target) {
  std::string text;
  append_sized_text(text, target.kind ? to_string(*target.kind) : "");
  append_sized_text(text, std::filesystem::absolute(target.path).lexically_normal().string());
  append_sized_text(text, target.selector);
  append_sized_text(text, options.platform);
  append_varint(text, options.verify_diff_ids ? 1 : 0);
  return text;
}

// The cache, where one is wanted, the target is of a kind that is kept, and it can be used; that it
// cannot is a note, never a failure.
std::optional<Cache> open_cache(const ScanOptions& options, const TypedTarget& target,
                                std::vector<std::string>& notes) {
  const bool is_document = target.kind == TargetKind::kSbom || target.kind == TargetKind::kPurl;
  if (options.cache_folder.empty() || target.place != TargetPlace::kPath || is_document) {
    return std::nullopt;
  }
  Result<Cache> cache = Cache::open(options.cache_folder);
  if (cache) return *std::move(cache);
  notes.push_back("the cache is not used: " + cache.error().text());
  return std::nullopt;
}

// Landlock doubles what seccomp refuses anyway, and older kernels lack it; root alone can change
// its user. Without any of the others the child is not what SECURITY promises.
void note_missing(const std::vector<std::string>& protections, std::vector<std::string>& notes) {
  std::string missing;
  for (const std::string_view wanted : {"user", "no-new-privileges", "limits", "seccomp"}) {
    if (wanted == "user" && ::geteuid() != 0) continue;
    if (std::ranges::find(protections, wanted) != protections.end()) continue;
    missing += (missing.empty() ? "" : ", ") + std::string(wanted);
  }
  if (!missing.empty()) {
    notes.push_back("the parsing child ran without these protections: " + missing);
  }
}

Result<InventoryFile> parse(const ScanOptions& options, const TypedTarget& target,
                            image::FileAccess& files, const std::optional<Cache>& cache,
                            ScanOutcome& outcome) {
  const int64_t started_ns = file_clock_ns();
  TracingFiles traced(files);
  const ReadOptions reading = {.target = target,
                               .platform = options.platform,
                               .threads_count = options.threads_count,
                               .verify_diff_ids = options.verify_diff_ids};
  ParsedTarget parsed = TRY(parse_in_child(reading, traced, options.progress));
  outcome.work = parsed.work;
  outcome.child_peak_memory_bytes = parsed.peak_memory_bytes;
  outcome.protections = std::move(parsed.protections);
  note_missing(outcome.protections, outcome.notes);
  const TargetKind kind = parsed.inventory.sbom().target.kind;
  if (cache && kind != TargetKind::kSbom && kind != TargetKind::kPurl) {
    const Status kept = cache->remember(question_of(options, target), traced.trace(),
                                        parsed.inventory.sbom(), parsed.answer, started_ns);
    if (!kept) outcome.notes.push_back("the cache is not written: " + kept.error().text());
  }
  return std::move(parsed.inventory);
}

// From the cache, or else from the parsing child.
Result<InventoryFile> find_inventory(const ScanOptions& options, const TypedTarget& target,
                                     ScanOutcome& outcome) {
  const std::unique_ptr<image::FileAccess> files = TRY(open_place(target));
  const std::optional<Cache> cache = open_cache(options, target, outcome.notes);
  if (cache) {
    const Phase phase(outcome.phases, "cache");
    std::optional<InventoryFile> known =
        cache->recall(question_of(options, target), *files,
                      options.with_files ? Cache::Need::kFilesToo : Cache::Need::kInventory);
    outcome.is_cached = known.has_value();
    if (known) return *std::move(known);
  }
  const Phase phase(outcome.phases, "parse");
  return parse(options, target, *files, cache, outcome);
}

Result<std::vector<OwnedFile>> owned_files(const InventoryFile& inventory) {
  const decode::OwnershipView view = TRY(inventory.ownership());
  std::vector<OwnedFile> files;
  files.reserve(view.size());
  for (size_t index = 0; index < view.size(); ++index) files.push_back(TRY(view.file(index)));
  return files;
}

// What was said on the command line counts more than what the target says.
void override_distro(Sbom& sbom, std::string_view text) {
  sbom.distro = parse_distro(text);
  const bool is_document =
      sbom.target.kind == TargetKind::kSbom || sbom.target.kind == TargetKind::kPurl;
  for (Package& package : sbom.packages) {
    package.distro.clear();
    if (!is_document && is_os_package(package.kind)) {
      package.purl = catalog::package_purl(package, sbom.distro);
    }
  }
}

// An Error that does not name the target yet gets its name.
Result<InventoryFile> naming(Result<InventoryFile> inventory, const std::string& name) {
  if (inventory || inventory.error().text().starts_with(name + ": ")) return inventory;
  return with_context(std::move(inventory), name);
}

}  // namespace

Result<ScanOutcome> run_sbom(const ScanOptions& options) {
  const TypedTarget target = TRY(parse_target(options.target));
  ScanOutcome outcome;
  const InventoryFile inventory =
      TRY(naming(find_inventory(options, target, outcome), target.name));
  Report& report = outcome.report;
  report.tool_version = VIGIL_VERSION;
  report.created_at = options.now;
  report.sbom = inventory.sbom();
  report.sbom.target.name = target.name;
  if (!options.distro.empty()) override_distro(report.sbom, options.distro);
  if (options.with_files) report.files = TRY(owned_files(inventory));
  if (options.compares_image && target.pid != 0) {
    const Phase phase(outcome.phases, "compare with image");
    const decode::OwnershipView owned = TRY(inventory.ownership());
    LiveRootAnswer compared = compare_with_image({.pid = target.pid,
                                                  .sbom = report.sbom,
                                                  .owned = owned,
                                                  .threads_count = options.threads_count});
    report.live_root = std::move(compared.root);
    std::ranges::move(compared.gaps, std::back_inserter(report.sbom.gaps));
    outcome.image = std::move(compared.image);
    if (outcome.image && !options.distro.empty()) override_distro(*outcome.image, options.distro);
  }
  return outcome;
}

}  // namespace vigil::scan
