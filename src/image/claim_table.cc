#include "image/claim_table.h"

#include <algorithm>

#include "base/check.h"

namespace vigil::image {

namespace {

constexpr std::string_view kMergedFolders[] = {"bin", "lib", "lib32", "lib64", "libx32", "sbin"};

// The other name of a path where /usr is merged; "" where there is none.
std::string merged_usr_name(std::string_view path) {
  const bool is_below_usr = path.starts_with("usr/");
  const std::string_view rest = is_below_usr ? path.substr(4) : path;
  for (const std::string_view folder : kMergedFolders) {
    if (is_below(rest, folder))
      return is_below_usr ? std::string(rest) : "usr/" + std::string(path);
  }
  return "";
}

void keep_larger(auto& map, std::string_view path, uint64_t bytes_max) {
  uint64_t& bytes = map[std::string(path)];
  bytes = std::max(bytes, bytes_max);
}

}  // namespace

ClaimTable::ClaimTable(std::span<const Claim> claims) {
  for (const Claim& claim : claims) {
    if (claim.kind == ClaimKind::kInFolders) {
      add_in_folders(claim.text, claim.bytes_max);
      continue;
    }
    const std::string path = normal_path(claim.text);
    for (const std::string& name : {path, merged_usr_name(path)}) {
      if (name.empty()) continue;
      if (claim.kind == ClaimKind::kPath) add_path(name, claim.bytes_max);
      if (claim.kind == ClaimKind::kUnderFolder) {
        add_folder(name, {claim.bytes_max, {std::string(claim.ending)}});
      }
    }
  }
}

void ClaimTable::add_path(std::string_view path, uint64_t bytes_max) {
  keep_larger(paths_, path, bytes_max);
  keep_larger(paths_index_, path, bytes_max);
  add_ways(path);
}

void ClaimTable::add_folder(std::string_view folder, const FolderClaim& claim) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  FolderClaim& all = folders_[std::string(folder)];
  all.bytes_max = std::max(all.bytes_max, claim.bytes_max);
  all.endings.insert(claim.endings.begin(), claim.endings.end());
  folders_index_.insert_or_assign(std::string(folder), all);
  add_ways(folder);
}

void ClaimTable::add_in_folders(std::string_view pattern, uint64_t bytes_max) {
  constexpr std::string_view kAnyFolder = "/*/";
  const size_t any = pattern.find(kAnyFolder);
  CHECK(any != std::string_view::npos);
  in_folders_.push_back({std::string(pattern.substr(0, any)),
                         std::string(pattern.substr(any + kAnyFolder.size())), bytes_max});
  add_ways(in_folders_.back().folder);
}

void ClaimTable::add_ways(std::string_view path) {
  for (; !path.empty(); path = folder_of(path)) ways_.emplace(path);
}

std::optional<uint64_t> ClaimTable::find(std::string_view path) const {
  if (const auto at = paths_index_.find(path); at != paths_index_.end()) return at->second;
  const std::string_view folder = folder_of(path);
  const auto at = folders_index_.find(folder);
  if (at != folders_index_.end() && !path.empty()) {
    const auto is_its = [&](const std::string& ending) { return path.ends_with(ending); };
    if (std::ranges::any_of(at->second.endings, is_its)) return at->second.bytes_max;
  }
  for (const NameInFolders& one : in_folders_) {
    if (name_of(path) == one.name && folder_of(folder) == one.folder) return one.bytes_max;
  }
  return std::nullopt;
}

bool ClaimTable::leads_to_claim(std::string_view path) const {
  const auto is_one_of = [&](const NameInFolders& one) { return folder_of(path) == one.folder; };
  return ways_.contains(path) || find(path).has_value() ||
         std::ranges::any_of(in_folders_, is_one_of);
}

bool ClaimTable::concerns_folder(std::string_view folder) const {
  // The ways hold all folders above a claim, and the claimed ones.
  const auto is_one_of = [&](const NameInFolders& one) { return folder_of(folder) == one.folder; };
  return folder.empty() || ways_.contains(folder) || std::ranges::any_of(in_folders_, is_one_of);
}

}  // namespace vigil::image
