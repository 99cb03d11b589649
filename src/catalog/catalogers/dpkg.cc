// dpkg's database: the status file, and in info/ beside it the lists of files.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "base/thread_pool.h"
#include "catalog/cataloger.h"
#include "catalog/dpkg_copyright.h"
#include "catalog/dpkg_database.h"
#include "image/claim_table.h"

namespace vigil::catalog {

namespace {

using image::Claim;
using image::ClaimKind;

constexpr Claim kDatabases[] = {
    {ClaimKind::kPath, "var/lib/dpkg/status", limits::kPackageDatabaseBytesMax},
};
constexpr Claim kSupport[] = {
    {ClaimKind::kPath, "var/lib/dpkg/diversions", limits::kPackageListBytesMax},
    {ClaimKind::kUnderFolder, "var/lib/dpkg/info/", limits::kPackageListBytesMax, ".list"},
    {ClaimKind::kUnderFolder, "var/lib/dpkg/info/", limits::kPackageListBytesMax, ".md5sums"},
    {ClaimKind::kUnderFolder, "var/lib/dpkg/updates/", limits::kPackageListBytesMax},
    copyright_claim(),
};

std::string key_of(const Package& package) {
  return package.name + ":" + package.arch;
}

// The last of several stanzas of one package counts, as it does for dpkg.
std::vector<DpkgEntry> read_status(std::string_view content, GapList& gaps) {
  std::vector<DpkgEntry> entries;
  std::map<std::string, size_t, std::less<>> known;
  decode::Deb822Reader reader(content);
  while (reader.next_stanza()) {
    std::optional<DpkgEntry> entry = read_dpkg_entry(reader, gaps);
    if (!entry) continue;
    const auto [at, is_new] = known.emplace(key_of(entry->package), entries.size());
    if (!is_new) {
      gaps.add(GapKind::kMalformed, "package " + at->first + " stands there more than once");
      entries[at->second] = *std::move(entry);
    } else if (entries.size() < limits::kPackagesMax) {
      entries.push_back(*std::move(entry));
    } else {
      gaps.add(GapKind::kLimit, "more packages than are read", "kPackagesMax");
      break;
    }
  }
  if (reader.bad_lines_count() > 0) {
    gaps.add(GapKind::kMalformed,
             std::to_string(reader.bad_lines_count()) + " lines that are no field");
  }
  return entries;
}

using Text = std::shared_ptr<const std::string>;

// A package's list of files and their digests, and what they say.
struct PackageFiles {
  Text list;  // Null: it has none.
  uint64_t lines_count = 0;
  Text md5sums;
  std::span<OwnedFile> files;             // Room for each line; what is not used has no path.
  std::vector<std::string_view> folders;  // That something is in; views into the list.
  uint64_t long_paths_count = 0;
};

uint64_t lines_in(std::string_view text) {
  uint64_t count = 1;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    ++count;
  }
  return count;
}

// Reads the list of one package.
class ListReader {
 public:
  ListReader(const DpkgEntry& entry, uint32_t package, const Diversions& diversions,
             PackageFiles& out)
      : owner_(entry.package.name), package_(package), diversions_(diversions), out_(out) {
    digests_.reserve(out.lines_count);
    if (out.md5sums != nullptr) read_md5sums(*out.md5sums, digests_);
    read_conffiles(entry.conffiles, digests_);
    sort_digests(digests_);
  }

  void run() {
    decode::each_line(*out_.list, [&](std::string_view path) {
      while (path.starts_with('/')) path.remove_prefix(1);
      add_path(path);
    });
  }

 private:
  void add_path(std::string_view path) {
    if (path.empty() || path == ".") return;
    if (path.size() > limits::kPathBytesMax) {
      ++out_.long_paths_count;
      return;
    }
    const std::string_view parent = path.substr(0, std::min(path.rfind('/'), path.size()));
    const bool is_new = out_.folders.empty() || out_.folders.back() != parent;
    if (parent.size() < path.size() && is_new) {
      out_.folders.push_back(parent);
      // A list names a folder right before what is in it: so most folders are gone at once.
      if (used_ > 0 && out_.files[used_ - 1].path == parent) --used_;
    }
    OwnedFile& file = out_.files[used_++];
    file.package = package_;
    const std::string_view digits = digits_of(path);
    file.digest = digits.empty() ? std::string() : md5_digest(digits);
    file.path = path;
    if (diversions_.empty()) return;
    // Another package's file has the path, this package's own was put elsewhere.
    const auto diversion = diversions_.find(file.path);
    if (diversion != diversions_.end() && diversion->second.by != owner_) {
      file.path = diversion->second.to;
    }
  }

  // A package's list and its digests mostly have one order: the next one is looked at first.
  std::string_view digits_of(std::string_view path) {
    const auto is_next = [&] {
      return next_digest_ < digests_.size() && digests_[next_digest_].path == path;
    };
    if (!is_next()) {
      const auto at = std::ranges::lower_bound(digests_, path, {}, &DpkgDigest::path);
      next_digest_ = static_cast<size_t>(at - digests_.begin());
    }
    return is_next() ? digests_[next_digest_++].digits : std::string_view();
  }

  const std::string& owner_;
  const uint32_t package_;
  const Diversions& diversions_;
  PackageFiles& out_;
  size_t used_ = 0;  // Of out_.files.
  std::vector<DpkgDigest> digests_;
  size_t next_digest_ = 0;
};

// The owned files of all packages. A list names folders like files. What some list names something
// below is a folder; an empty folder cannot be told from a file without a digest, and stays.
class FileLists {
 public:
  FileLists(const CatalogInput& input, GapList& gaps)
      : input_(input), gaps_(gaps), folder_(folder_of(input.path)), info_(folder_ + "info") {
    for (std::string& name : input.fs.list(info_ + "/")) names_.insert(std::move(name));
    const std::string path = folder_ + "diversions";
    if (const auto text = read(path)) diversions_ = read_diversions(**text);
  }

  std::vector<OwnedFile> read_all(std::span<const DpkgEntry> entries) {
    std::vector<PackageFiles> packages;
    for (const DpkgEntry& entry : entries) packages.push_back(open(entry));
    note_missing_lists();
    // What is to be read is bounded by now; each package's goes into its own part.
    uint64_t lines_count = 0;
    for (const PackageFiles& one : packages) lines_count += one.lines_count;
    std::vector<OwnedFile> files(lines_count);
    std::span<OwnedFile> rest = files;
    for (PackageFiles& one : packages) {
      one.files = rest.first(one.lines_count);
      rest = rest.subspan(one.lines_count);
    }
    parallel_for(packages.size(), input_.threads_count, [&](size_t i) {
      if (packages[i].list == nullptr) return;
      ListReader(entries[i], static_cast<uint32_t>(i), diversions_, packages[i]).run();
    });
    std::unordered_set<std::string_view, image::TextHash> folders;
    for (size_t i = 0; i < packages.size(); ++i) {
      folders.insert(packages[i].folders.begin(), packages[i].folders.end());
      note_long_paths(entries[i], packages[i].long_paths_count);
    }
    parallel_for(packages.size(), input_.threads_count, [&](size_t i) {
      for (OwnedFile& file : packages[i].files) {
        if (folders.contains(file.path)) file.path.clear();
      }
    });
    std::erase_if(files, [](const OwnedFile& file) { return file.path.empty(); });
    return files;
  }

 private:
  static std::string folder_of(std::string_view path) {
    return std::string(path.substr(0, path.rfind('/') + 1));
  }

  Result<Text> read(const std::string& path) {
    Result<Text> text = input_.fs.share(path, limits::kPackageListBytesMax);
    if (text || text.error().code == ErrorCode::kNotFound) return text;
    const bool is_limit = text.error().code == ErrorCode::kTooLarge;
    gaps_.add_at(path, is_limit ? GapKind::kLimit : GapKind::kUnreadable, text.error().message,
                 is_limit ? "kPackageListBytesMax" : "");
    return text;
  }

  // "libc6:amd64" for packages that can be there for several architectures, else "bash"; "" where
  // neither has a list.
  std::string stem_of(const DpkgEntry& entry) const {
    const std::string& name = entry.package.name;
    const std::string stems[] = {name + ":" + entry.package.arch, name};
    const size_t first = entry.is_multi_arch_same ? 0 : 1;
    for (const size_t i : {first, 1 - first}) {
      if (names_.contains(stems[i] + ".list")) return stems[i];
    }
    return "";
  }

  std::string list_path(const std::string& stem) const { return info_ + "/" + stem + ".list"; }

  PackageFiles open(const DpkgEntry& entry) {
    PackageFiles out;
    const std::string stem = stem_of(entry);
    if (stem.empty()) {
      if (without_list_count_++ == 0) first_without_list_ = entry.package.name;
      return out;
    }
    out.list = read(list_path(stem)).value_or(nullptr);
    if (out.list == nullptr) return out;
    out.lines_count = lines_in(*out.list);
    if (!take_room(out, stem)) return {};
    if (names_.contains(stem + ".md5sums")) {
      out.md5sums = read(info_ + "/" + stem + ".md5sums").value_or(nullptr);
    }
    return out;
  }

  // Whether this many lines and bytes may still be read. Names may lead to one and the same list.
  bool take_room(const PackageFiles& one, const std::string& stem) {
    paths_count_ += one.lines_count;
    path_bytes_ += one.list->size();
    const bool has_room =
        paths_count_ <= limits::kOwnedFilesMax && path_bytes_ <= limits::kPackageDatabaseBytesMax;
    if (!has_room && !std::exchange(is_full_, true)) {
      gaps_.add_at(list_path(stem), GapKind::kLimit, "more owned files than are read",
                   "kOwnedFilesMax");
    }
    return has_room;
  }

  void note_missing_lists() {
    if (without_list_count_ == 0) return;
    gaps_.add_at(info_, GapKind::kUnreadable,
                 "no list of files for " + std::to_string(without_list_count_) +
                     " packages, the first is " + first_without_list_);
  }

  void note_long_paths(const DpkgEntry& entry, uint64_t count) {
    for (; count > 0; --count) {
      gaps_.add_at(list_path(stem_of(entry)), GapKind::kLimit, "a path that is too long",
                   "kPathBytesMax");
    }
  }

  const CatalogInput& input_;
  GapList& gaps_;
  std::string folder_;  // With a final slash.
  std::string info_;
  std::set<std::string, std::less<>> names_;
  Diversions diversions_;
  uint64_t paths_count_ = 0;
  uint64_t path_bytes_ = 0;
  bool is_full_ = false;
  size_t without_list_count_ = 0;
  std::string first_without_list_;
};

// An interrupted dpkg leaves a journal of stanzas that are newer than the status file's.
void note_journal(const CatalogInput& input, GapList& gaps) {
  const std::string folder(input.path.substr(0, input.path.rfind('/') + 1));
  for (const std::string& name : input.fs.list(folder + "updates/")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    gaps.add_at(folder + "updates/" + name, GapKind::kUnsupported,
                "changes that an interrupted dpkg left in its journal are not read");
    return;
  }
}

Result<CatalogOutput> catalog_dpkg(const CatalogInput& input) {
  GapList gaps{std::string(input.path)};
  std::vector<DpkgEntry> entries = read_status(input.content, gaps);
  std::erase_if(entries, [](const DpkgEntry& entry) { return !entry.is_installed; });
  CatalogOutput output;
  if (input.files_wanted) {
    note_journal(input, gaps);
    output.files = FileLists(input, gaps).read_all(entries);
    Copyrights copyrights(input.fs, gaps);
    for (DpkgEntry& entry : entries) {
      entry.package.licence = copyrights.licence_of(entry.package.name);
    }
  }
  for (DpkgEntry& entry : entries) {
    entry.package.location.path = input.path;
    output.packages.push_back(std::move(entry.package));
  }
  output.gaps = gaps.finish();
  return output;
}

}  // namespace

extern const Cataloger dpkg_cataloger;
const Cataloger dpkg_cataloger = {
    .name = "dpkg",
    .version = 2,
    .databases = kDatabases,
    .support = kSupport,
    .catalog = catalog_dpkg,
};

}  // namespace vigil::catalog
