#include "scan/drift.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/digest.h"
#include "base/limits.h"

namespace vigil::scan {

namespace {

constexpr uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;

// overlayfs keeps its notes under "trusted.", and under "user." where a user mounted it.
bool has_note(const Fd& file, const std::string& name, char value = '\0') {
  for (const char* space : {"trusted.overlay.", "user.overlay."}) {
    char text[2] = {};
    const ssize_t size = ::fgetxattr(file.get(), (space + name).c_str(), text, sizeof(text));
    const bool is_there = size >= 0 || errno == ERANGE;
    if (is_there && (value == '\0' || text[0] == value)) return true;
  }
  return false;
}

bool is_program(const Fd& file, mode_t mode) {
  if ((mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0) return true;
  char magic[4] = {};
  return ::pread(file.get(), magic, sizeof(magic), 0) == sizeof(magic) &&
         std::memcmp(magic,
                     "\x7f"
                     "ELF",
                     sizeof(magic)) == 0;
}

// "md5:… sha1:… sha256:…" has the package's own.
bool has_digest(const std::string& digests, const std::string& wanted) {
  return !wanted.empty() && (" " + digests + " ").find(" " + wanted + " ") != std::string::npos;
}

class UpperLayer {
 public:
  UpperLayer(const Fd& upper, const Fd& root, const decode::OwnershipView& owned,
             const std::set<std::string>& covered)
      : upper_(upper), root_(root), owned_(owned), covered_(covered) {}

  DriftFound take() {
    std::vector<std::string> pending = {""};
    while (!pending.empty() && !is_past_limit_) {
      const std::string folder = std::move(pending.back());
      pending.pop_back();
      read_folder(folder, pending);
    }
    find_removed();
    if (not_hashed_count_ > 0) {
      add_gap(GapKind::kLimit, "",
              std::to_string(not_hashed_count_) +
                  " files of packages were written since its start and are too large to be "
                  "compared with what the packages brought",
              "kDigestFileBytesMax");
    }
    std::ranges::sort(found_.files, [](const DriftedFile& left, const DriftedFile& right) {
      return std::tie(left.drift, left.path) < std::tie(right.drift, right.path);
    });
    return std::move(found_);
  }

 private:
  void add_gap(GapKind kind, const std::string& path, std::string reason, std::string limit = "") {
    if (found_.gaps.size() < limits::kLayerGapsMax) {
      found_.gaps.push_back({kind, path, std::move(reason), std::move(limit)});
    }
  }

  void add(DriftedFile file) {
    ++found_.counts[static_cast<size_t>(file.drift)];
    if (found_.files.size() < limits::kDriftShownMax) found_.files.push_back(std::move(file));
  }

  void read_folder(const std::string& folder, std::vector<std::string>& pending) {
    Result<Fd> fd = open_below(upper_, folder, O_RDONLY | O_DIRECTORY, kInside);
    if (!fd) {
      if (fd.error().code != ErrorCode::kNotFound) {  // Gone meanwhile.
        add_gap(GapKind::kUnreadable, folder,
                "what was written in this folder since its start cannot be read: " +
                    fd.error().message);
      }
      return;
    }
    if (has_note(*fd, "opaque", 'y')) opaque_.insert(folder);
    if (has_note(*fd, "redirect")) {
      add_gap(GapKind::kUnsupported, folder,
              "this folder was renamed since its start; what came with it is not compared");
    }
    const int number = fd->get();
    DIR* directory = ::fdopendir(number);
    if (directory == nullptr) return;
    fd->release();
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries_count_ > limits::kUpperEntriesMax) {
        is_past_limit_ = true;
        add_gap(GapKind::kLimit, folder,
                "more files were written since its start than are looked at", "kUpperEntriesMax");
        break;
      }
      struct stat status = {};
      if (::fstatat(number, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      std::string path = folder.empty() ? std::string(name) : folder + "/" + std::string(name);
      if (covered_.contains(path)) continue;
      if (S_ISDIR(status.st_mode)) {
        pending.push_back(std::move(path));
      } else if (S_ISCHR(status.st_mode) && status.st_rdev == 0) {
        whiteouts_.insert(std::move(path));
      } else if (S_ISREG(status.st_mode)) {
        look_at(path);
      }
    }
    ::closedir(directory);
  }

  void look_at(const std::string& path) {
    const Result<Fd> opened = open_below(upper_, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, kInside);
    if (!opened) return;
    const Fd& fd = *opened;
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    // Only its owner or mode changed: the content is still the image's.
    if (has_note(fd, "metacopy")) return;
    const std::vector<size_t> owners = owned_.find(path);
    if (owners.empty() && !is_program(fd, status.st_mode)) {
      ++found_.other_files_count;
      return;
    }
    DriftedFile file;
    file.drift = owners.empty() ? Drift::kAdded : Drift::kChanged;
    file.path = path;
    file.bytes = static_cast<uint64_t>(status.st_size);
    file.modified_at = status.st_mtim.tv_sec;
    const std::string digests = digests_of(fd, file.bytes);
    if (digests.empty() && !owners.empty()) {
      ++not_hashed_count_;
      return;
    }
    for (const size_t owner : owners) {
      const Result<OwnedFile> of_package = owned_.file(owner);
      if (!of_package) continue;
      if (has_digest(digests, of_package->digest)) return;
      if (file.package < 0) file.package = of_package->package;
    }
    const size_t last = digests.find("sha256:");
    if (last != std::string::npos) file.digest = digests.substr(last);
    add(std::move(file));
  }

  // "" past the bounds.
  std::string digests_of(const Fd& fd, uint64_t bytes) {
    hashed_bytes_ += bytes;
    if (hashed_bytes_ > limits::kUpperDigestBytesMax) return "";
    return file_digests(fd, limits::kDigestFileBytesMax).value_or("");
  }

  bool is_hidden(std::string_view path) const {
    if (whiteouts_.contains(std::string(path))) return true;
    for (size_t slash = path.rfind('/'); slash != std::string_view::npos && slash > 0;
         slash = path.rfind('/', slash - 1)) {
      const std::string folder(path.substr(0, slash));
      if (whiteouts_.contains(folder) || opaque_.contains(folder)) return true;
    }
    return false;
  }

  // Hidden by the writable layer, and not in the root under any name.
  void find_removed() {
    if (whiteouts_.empty() && opaque_.empty()) return;
    for (size_t index = 0; index < owned_.size(); ++index) {
      const Result<OwnedFile> file = owned_.file(index);
      if (!file) continue;
      const bool is_hidden_file = is_hidden(file->path) ||
                                  std::ranges::any_of(file->aliases, [&](const std::string& alias) {
                                    return is_hidden(alias);
                                  });
      if (!is_hidden_file) continue;
      const Result<Fd> there = open_below(root_, file->path, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT);
      if (there || there.error().code != ErrorCode::kNotFound) continue;
      add({.drift = Drift::kRemoved, .path = file->path, .package = file->package, .digest = ""});
    }
  }

  const Fd& upper_;
  const Fd& root_;
  const decode::OwnershipView& owned_;
  const std::set<std::string>& covered_;
  DriftFound found_;
  std::unordered_set<std::string> whiteouts_;
  std::unordered_set<std::string> opaque_;
  uint64_t entries_count_ = 0;
  uint64_t hashed_bytes_ = 0;
  uint64_t not_hashed_count_ = 0;
  bool is_past_limit_ = false;
};

}  // namespace

DriftFound find_drift(const Fd& upper, const Fd& root, const decode::OwnershipView& owned,
                      const std::set<std::string>& covered) {
  return UpperLayer(upper, root, owned, covered).take();
}

}  // namespace vigil::scan
