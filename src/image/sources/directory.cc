// A root filesystem in a folder; "/" is the machine itself. Nothing is walked: what is claimed is
// asked for.
#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "image/blob_store.h"
#include "image/claim_table.h"
#include "image/image.h"
#include "image/oci.h"

namespace vigil::image {

namespace {

using Links = FileAccess::Links;

class DirectoryFs final : public ImageFs {
 public:
  // `work`, where it counts: null is nowhere.
  DirectoryFs(FileAccess& files, ClaimTable claims, WorkCounts* work)
      : files_(files), claims_(std::move(claims)), work_(work) {}

  Result<std::string> read(std::string_view path, uint64_t bytes_max) const override {
    const std::lock_guard lock(mutex_);
    if (!is_claimed(path)) {
      return fail(ErrorCode::kNotFound, std::string(path) + " was not claimed");
    }
    const Fd fd = TRY(files_.open(path, Links::kFollow));
    Result<std::string> content = with_context(read_all(fd, bytes_max), path);
    if (content && work_ != nullptr) {
      add_count(work_->files_count, 1);
      add_count(work_->bytes_read, content->size());
    }
    return content;
  }

  std::vector<std::string> list(std::string_view folder) const override {
    const std::lock_guard lock(mutex_);
    while (folder.ends_with('/')) folder.remove_suffix(1);
    std::vector<std::string> names;
    const Result<std::vector<DirectoryEntry>> entries = files_.list(folder, Links::kFollow);
    if (!entries) return names;
    const std::string real = real_folder(folder);
    for (const DirectoryEntry& entry : *entries) {
      if (!claims_.find(join(folder, entry.name)) && !claims_.find(join(real, entry.name))) {
        continue;
      }
      const bool is_file = entry.type == FileType::kRegular ||
                           (entry.type == FileType::kSymlink &&
                            files_.open(join(folder, entry.name), Links::kFollow).has_value());
      if (is_file) names.push_back(entry.name);
    }
    return names;
  }

  std::string real_path(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const std::string clean = normal_path(path);
    return join(real_folder(folder_of(clean)), name_of(clean));
  }

  // Reads the file's own folder; other folders are known once a file of theirs was asked for.
  std::vector<std::string> hard_links(std::string_view path) const override {
    const std::lock_guard lock(mutex_);
    const std::string clean = normal_path(path);
    const std::string folder = real_folder(folder_of(clean));
    learn_links(folder);
    const std::string real = join(folder, name_of(clean));
    std::vector<std::string> others;
    const auto at = file_of_.find(real);
    if (at == file_of_.end()) return others;
    for (const std::string& name : names_.at(at->second)) {
      if (name != real) others.push_back(name);
    }
    std::ranges::sort(others);
    return others;
  }

 private:
  using FileId = std::pair<uint64_t, uint64_t>;  // Device and inode.

  bool is_claimed(std::string_view path) const {
    if (claims_.find(path)) return true;
    const std::string clean = normal_path(path);
    if (claims_.find(join(real_folder(folder_of(clean)), name_of(clean)))) return true;
    const Result<std::string> real = files_.real_path(path);
    return real && claims_.find(*real);
  }

  std::string real_folder(std::string_view folder) const {
    const auto known = real_folders_.find(folder);
    if (known != real_folders_.end()) return known->second;
    const Result<std::string> real = files_.real_path(folder);
    std::string answer = real ? *real : std::string(folder);
    real_folders_.emplace(folder, answer);
    return answer;
  }

  void learn_links(const std::string& folder) const {
    if (!learned_.insert(folder).second) return;
    const Result<std::vector<DirectoryEntry>> entries = files_.list(folder, Links::kFollow);
    if (!entries) return;
    for (const DirectoryEntry& entry : *entries) {
      if (entry.type != FileType::kRegular || entry.links < 2) continue;
      const FileId id = {entry.device, entry.inode};
      std::string path = join(folder, entry.name);
      names_[id].push_back(path);
      file_of_.emplace(std::move(path), id);
    }
  }

  FileAccess& files_;
  const ClaimTable claims_;
  WorkCounts* const work_;
  // Answers kept: a host has some thousand folders for its hundred thousand owned files.
  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::string, TextHash, std::equal_to<>> real_folders_;
  mutable TextSet learned_;
  mutable std::map<FileId, std::vector<std::string>> names_;
  mutable std::unordered_map<std::string, FileId> file_of_;
};

class DirectoryImage final : public Image {
 public:
  DirectoryImage(FileAccess& files, const ImageRef& ref, const OpenOptions& options)
      : fs_(files, ClaimTable(options.claims), options.work) {
    target_.kind = TargetKind::kDirectory;
    target_.name = ref.path;
  }
  const Target& target() const override { return target_; }
  const std::vector<Layer>& layers() const override { return layers_; }
  const std::vector<Gap>& gaps() const override { return gaps_; }
  const ImageFs& fs() const override { return fs_; }
  std::unique_ptr<ImageFs> fs_at(size_t) const override { return nullptr; }
  std::vector<std::string> changed_paths(size_t) const override { return {}; }

 private:
  Target target_;
  std::vector<Layer> layers_;
  std::vector<Gap> gaps_;
  DirectoryFs fs_;
};

bool recognises(FileAccess& files) {
  if (!files.list("", Links::kFollow)) return false;
  const std::unique_ptr<BlobStore> store = open_folder_store(files);
  return !has_oci_layout(*store);
}

Result<std::unique_ptr<Image>> open(FileAccess& files, const ImageRef& ref,
                                    const OpenOptions& options) {
  TRY(files.list("", Links::kFollow));
  std::unique_ptr<Image> image = std::make_unique<DirectoryImage>(files, ref, options);
  return image;
}

}  // namespace

extern const ImageSource directory_source;
constexpr ImageSource directory_source = {"dir", TargetKind::kDirectory, recognises, open};

}  // namespace vigil::image
