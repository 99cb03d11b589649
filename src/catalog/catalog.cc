#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/digest.h"
#include "base/function_ref.h"
#include "base/limits.h"
#include "base/thread_pool.h"
#include "catalog/cataloger.h"
#include "catalog/distro_files.h"
#include "catalog/layer_attribution.h"
#include "catalog/package_purl.h"

namespace vigil::catalog {

#define CATALOGER(name) extern const Cataloger name##_cataloger;
#include "catalog/catalogers.def"
#undef CATALOGER

namespace {

using image::Claim;
using image::ClaimKind;
using image::ImageFs;

constexpr const Cataloger* kCatalogers[] = {
#define CATALOGER(name) &name##_cataloger,
#include "catalog/catalogers.def"
#undef CATALOGER
};

GapKind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTooLarge:
      return GapKind::kLimit;
    case ErrorCode::kMalformed:
      return GapKind::kMalformed;
    case ErrorCode::kUnsupported:
      return GapKind::kUnsupported;
    default:
      return GapKind::kUnreadable;
  }
}

Gap gap_of(std::string path, const Error& error) {
  Gap gap = {kind_of(error.code), std::move(path), error.message, ""};
  if (gap.kind == GapKind::kLimit) gap.limit = "kPackageDatabaseBytesMax";
  if (gap.reason.starts_with(gap.path + ": ")) gap.reason.erase(0, gap.path.size() + 2);
  return gap;
}

// Claimed paths of databases, which may be there or not.
std::vector<std::string> database_names(const Cataloger& cataloger, const ImageFs& fs) {
  std::vector<std::string> names;
  for (const Claim& claim : cataloger.databases) {
    if (claim.kind == ClaimKind::kPath) names.emplace_back(claim.text);
    if (claim.kind != ClaimKind::kUnderFolder) continue;
    for (const std::string& name : fs.list(claim.text)) {
      names.push_back(std::string(claim.text) + name);
    }
  }
  return names;
}

// Runs the catalogers over the databases of the whole image, each once, however many names it has.
class Collector {
 public:
  Collector(const ImageFs& fs, size_t threads_count) : fs_(fs), threads_count_(threads_count) {}

  void run(const Cataloger& cataloger) {
    std::map<std::string, std::vector<std::string>> names_of;
    for (std::string& name : database_names(cataloger, fs_)) {
      names_of[fs_.real_path(name)].push_back(std::move(name));
    }
    for (auto& [canonical, names] : names_of) {
      const bool is_claimed = std::ranges::find(names, canonical) != names.end();
      // Only claimed names can be read.
      const std::string name = is_claimed ? canonical : names.front();
      std::ranges::sort(names);
      read({.cataloger = &cataloger, .path = canonical, .names = std::move(names)}, name);
    }
  }

  const std::vector<FoundDatabase>& databases() const { return databases_; }
  CatalogOutput take_output() { return std::move(output_); }

 private:
  void read(FoundDatabase database, const std::string& name) {
    const Result<std::shared_ptr<const std::string>> shared =
        fs_.share(name, limits::kPackageDatabaseBytesMax);
    if (!shared) {
      if (shared.error().code == ErrorCode::kNotFound) return;
      output_.gaps.push_back(gap_of(name, shared.error()));
      return;
    }
    const std::string_view content = **shared;
    // A link from one place to the other is the same database, and so is a copy.
    const auto [first, is_new] = seen_.emplace(
        std::tuple(database.cataloger, xxh3(as_bytes(content)), content.size()), databases_.size());
    if (!is_new) {
      std::ranges::move(database.names, std::back_inserter(databases_[first->second].names));
      return;
    }
    Result<CatalogOutput> found = database.cataloger->catalog({.path = name,
                                                               .content = content,
                                                               .fs = fs_,
                                                               .files_wanted = true,
                                                               .threads_count = threads_count_});
    database.packages_start = output_.packages.size();
    if (found) {
      take(*std::move(found), database);
    } else {
      output_.gaps.push_back(gap_of(name, found.error()));
    }
    databases_.push_back(std::move(database));
  }

  void take(CatalogOutput found, FoundDatabase& database) {
    const uint64_t packages_max = limits::kPackagesMax - output_.packages.size();
    if (found.packages.size() > packages_max) {
      output_.gaps.push_back(
          {GapKind::kLimit, database.path, "more packages than are kept", "kPackagesMax"});
      found.packages.resize(packages_max);
      std::erase_if(found.files,
                    [&](const OwnedFile& file) { return file.package >= packages_max; });
    }
    database.packages_count = found.packages.size();
    for (Package& package : found.packages) {
      package.location.path = database.path;
      output_.packages.push_back(std::move(package));
    }
    const uint64_t files_max = limits::kOwnedFilesMax - output_.files.size();
    if (found.files.size() > files_max) {
      output_.gaps.push_back(
          {GapKind::kLimit, database.path, "more owned files than are kept", "kOwnedFilesMax"});
      found.files.resize(files_max);
    }
    for (OwnedFile& file : found.files) {
      file.package += static_cast<uint32_t>(database.packages_start);
    }
    if (output_.files.empty()) {
      output_.files = std::move(found.files);  // All of them, nearly always.
    } else {
      std::ranges::move(found.files, std::back_inserter(output_.files));
    }
    std::ranges::move(found.gaps, std::back_inserter(output_.gaps));
  }

  const ImageFs& fs_;
  const size_t threads_count_;
  std::vector<FoundDatabase> databases_;
  CatalogOutput output_;
  std::map<std::tuple<const Cataloger*, uint64_t, uint64_t>, size_t> seen_;
};

// Where folders really are, each looked up once.
class FolderCache {
 public:
  explicit FolderCache(const ImageFs& fs) : fs_(fs) {}

  // Where a path really is; nothing where that is what it says.
  std::optional<std::string> other_path(const std::string& path) {
    const size_t name_start = path.rfind('/') + 1;  // 0 where there is no slash.
    const std::string_view name = std::string_view(path).substr(name_start);
    if (name.empty() || name == "." || name == "..") {
      std::string real = fs_.real_path(path);
      return real == path ? std::nullopt : std::optional(std::move(real));
    }
    if (name_start == 0) return std::nullopt;
    const std::string_view folder = std::string_view(path).substr(0, name_start);
    // A package's files come folder by folder.
    if (last_ == nullptr || last_->first != folder) last_ = &*look_up(folder, path);
    if (last_->second == folder) return std::nullopt;
    return last_->second + std::string(name);
  }

 private:
  using Known = std::map<std::string, std::string, std::less<>>;  // With final slashes.

  Known::const_iterator look_up(std::string_view folder, const std::string& path) {
    const auto known = known_.find(folder);
    if (known != known_.end()) return known;
    const std::string real = fs_.real_path(path);
    // The view learns a folder's hard links when it is first asked for one of its files.
    static_cast<void>(fs_.hard_links(path));
    return known_.emplace(folder, real.substr(0, real.rfind('/') + 1)).first;
  }

  const ImageFs& fs_;
  Known known_;
  const Known::value_type* last_ = nullptr;
};

// The other paths of files whose folders have links in them.
void add_other_paths(std::vector<OwnedFile>& files, const ImageFs& fs) {
  FolderCache folders(fs);
  for (OwnedFile& file : files) {
    std::optional<std::string> other = folders.other_path(file.path);
    if (other) file.aliases.push_back(*std::move(other));
  }
}

// Those of hard links. All folders are known by now, so that a link from one to another is found
// from both.
void add_hard_links(std::vector<OwnedFile>& files, const ImageFs& fs) {
  for (OwnedFile& file : files) {
    for (std::string& other : fs.hard_links(file.path)) {
      if (other != file.path) file.aliases.push_back(std::move(other));
    }
    std::ranges::sort(file.aliases);
    const auto [first, last] = std::ranges::unique(file.aliases);
    file.aliases.erase(first, last);
  }
}

// Puts files[order[i]] at i. Each moves once, in place: there may be millions.
void permute(std::vector<OwnedFile>& files, std::vector<uint32_t>& order) {
  for (uint32_t start = 0; start < files.size(); ++start) {
    if (order[start] == start) continue;
    OwnedFile first = std::move(files[start]);
    uint32_t at = start;
    while (order[at] != start) {
      files[at] = std::move(files[order[at]]);
      at = std::exchange(order[at], at);
    }
    files[at] = std::move(first);
    order[at] = at;
  }
}

// Sorts by path; a file of one package and path stays once. `beside` runs meanwhile, and changes
// nothing of that.
void sort_files(std::vector<OwnedFile>& files, const std::vector<uint32_t>& old_to_new,
                size_t threads_count, FunctionRef<void()> beside) {
  for (OwnedFile& file : files) file.package = old_to_new[file.package];
  const auto key = [](const OwnedFile& file) { return std::tie(file.path, file.package); };
  std::vector<uint32_t> order(files.size());
  std::iota(order.begin(), order.end(), 0);
  // By merging: each package's list is in order already, nearly, which halves the comparisons.
  const auto key_at = [&](uint32_t index) { return key(files[index]); };
  const auto middle = order.begin() + static_cast<ptrdiff_t>(order.size() / 4);
  parallel_for(2, threads_count, [&](size_t part) {
    if (part == 0) std::ranges::stable_sort(middle, order.end(), {}, key_at);
    if (part == 1) std::ranges::stable_sort(order.begin(), middle, {}, key_at);
    if (part == 1) beside();
  });
  std::ranges::inplace_merge(order, middle, {}, key_at);
  permute(files, order);
  const auto [first, last] = std::ranges::unique(files, {}, key);
  files.erase(first, last);
}

// Layers, purls and order: from here the packages are fixed. Returns where each went.
std::vector<uint32_t> finish_packages(const image::Image& image,
                                      std::span<const FoundDatabase> databases, Sbom& sbom) {
  for (Gap& gap : attribute_to_layers(image, databases, sbom.packages)) {
    sbom.gaps.push_back(std::move(gap));
  }
  if (sbom.gaps.size() > limits::kGapsMax) {
    const size_t more = sbom.gaps.size() - limits::kGapsMax;
    sbom.gaps.resize(limits::kGapsMax);
    sbom.gaps.push_back(
        {GapKind::kLimit, "", std::to_string(more) + " more gaps like these", "kGapsMax"});
  }
  for (Package& package : sbom.packages) package.purl = package_purl(package, sbom.distro);
  std::vector<uint32_t> old_to_new;
  sort_packages(sbom.packages, &old_to_new);
  return old_to_new;
}

}  // namespace

std::span<const Cataloger* const> all_catalogers() {
  return kCatalogers;
}

std::span<const Claim> all_claims() {
  static const std::vector<Claim> claims = [] {
    const std::span<const Claim> distro = distro_claims();
    std::vector<Claim> all(distro.begin(), distro.end());
    for (const Cataloger* cataloger : kCatalogers) {
      all.insert(all.end(), cataloger->databases.begin(), cataloger->databases.end());
      all.insert(all.end(), cataloger->support.begin(), cataloger->support.end());
    }
    return all;
  }();
  return claims;
}

Inventory catalog_image(std::unique_ptr<image::Image> image, const CatalogOptions& options) {
  const ImageFs& fs = image->fs();
  Inventory inventory;
  Sbom& sbom = inventory.sbom;
  sbom.target = image->target();
  sbom.layers = image->layers();
  sbom.gaps = image->gaps();

  DistroReading reading = read_distro(fs);
  sbom.distro = std::move(reading.distro);
  std::ranges::move(reading.gaps, std::back_inserter(sbom.gaps));

  Collector collector(fs, options.threads_count);
  for (const Cataloger* cataloger : kCatalogers) collector.run(*cataloger);
  CatalogOutput output = collector.take_output();
  sbom.packages = std::move(output.packages);
  if (options.work != nullptr) set_count(options.work->packages_count, sbom.packages.size());
  std::ranges::move(output.gaps, std::back_inserter(sbom.gaps));
  if (sbom.packages.empty()) {
    const std::string_view reason = collector.databases().empty()
                                        ? "no package database of a known kind in the image"
                                        : "no package in the image's package databases";
    sbom.gaps.push_back({GapKind::kUnsupported, "", std::string(reason), ""});
  }
  inventory.files = std::move(output.files);
  // Neither needs what the other makes.
  std::vector<uint32_t> old_to_new;
  parallel_for(2, options.threads_count, [&](size_t part) {
    if (part == 0) old_to_new = finish_packages(*image, collector.databases(), sbom);
    if (part == 1) add_other_paths(inventory.files, fs);
  });
  bool has_followed_all = true;
  sort_files(inventory.files, old_to_new, options.threads_count, [&] {
    add_hard_links(inventory.files, fs);
    has_followed_all = fs.has_followed_all();
    image.reset();
  });
  if (!has_followed_all) {
    sbom.gaps.push_back({GapKind::kLimit, "",
                         "too many links to follow; some are taken for plain paths",
                         "kLinkWorkMax"});
  }
  return inventory;
}

}  // namespace vigil::catalog
