#include "sensor/cgroup_path.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/limits.h"

namespace vigil::sensor {

namespace {

constexpr size_t kIdDigits = 64;

bool is_container_id(std::string_view text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct Prefix {
  std::string_view text;
  Runtime runtime;
};
// What stands before the id in one part of a path.
constexpr Prefix kPrefixes[] = {
    {"libpod-", Runtime::kPodman}, {"libpod-payload-", Runtime::kPodman},
    {"docker-", Runtime::kDocker}, {"cri-containerd-", Runtime::kContainerd},
    {"crio-", Runtime::kCrio},     {"nerdctl-", Runtime::kContainerd},
};
// What the folder above an id alone says.
constexpr Prefix kFolders[] = {
    {"docker", Runtime::kDocker},
    {"libpod_parent", Runtime::kPodman},
};

// "libpod-ID.scope", "cri-containerd-ID.scope", "ID", "kubepods-pod7.slice:cri-containerd:ID" (a
// systemd name that a runtime without systemd took for a path).
std::optional<CgroupOwner> owner_of_part(std::string_view part, std::string_view folder) {
  const size_t colon = part.rfind(':');
  if (colon != std::string_view::npos) {
    const std::string_view id = part.substr(colon + 1);
    if (!is_container_id(id)) return std::nullopt;
    const std::string prefix =
        std::string(part.substr(0, colon)).substr(part.substr(0, colon).rfind(':') + 1) + "-";
    for (const Prefix& known : kPrefixes) {
      if (prefix == known.text) return CgroupOwner{known.runtime, std::string(id)};
    }
    return CgroupOwner{Runtime::kUnknown, std::string(id)};
  }
  if (part.ends_with(".scope")) part.remove_suffix(6);
  for (const Prefix& known : kPrefixes) {
    if (!part.starts_with(known.text)) continue;
    const std::string_view id = part.substr(known.text.size());
    if (is_container_id(id)) return CgroupOwner{known.runtime, std::string(id)};
  }
  if (!is_container_id(part)) return std::nullopt;
  for (const Prefix& known : kFolders) {
    if (folder == known.text) return CgroupOwner{known.runtime, std::string(part)};
  }
  return CgroupOwner{Runtime::kUnknown, std::string(part)};
}

}  // namespace

std::optional<CgroupOwner> owner_of_cgroup(std::string_view path) {
  std::optional<CgroupOwner> owner;
  std::string_view folder;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty()) continue;
    std::optional<CgroupOwner> found = owner_of_part(part, folder);
    if (found) owner = std::move(found);
    folder = part;
  }
  return owner;
}

std::vector<CgroupLine> parse_cgroup_file(std::string_view text) {
  std::vector<CgroupLine> lines;
  while (!text.empty() && lines.size() < limits::kCgroupLinesMax) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t first = line.find(':');
    if (first == std::string_view::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view path = line.substr(second + 1);
    if (!path.starts_with('/') || path.size() > limits::kPathBytesMax) continue;
    lines.push_back({std::string(line.substr(first + 1, second - first - 1)), std::string(path)});
  }
  return lines;
}

std::vector<std::string> ranked_cgroup_paths(const std::vector<CgroupLine>& lines) {
  std::vector<std::pair<int, std::string>> ranked;
  for (const CgroupLine& line : lines) {
    const bool is_unified = line.controllers.empty();
    int rank = is_unified ? 3 : line.controllers == "memory" ? 2 : 1;
    if (owner_of_cgroup(line.path)) rank += 10;
    ranked.emplace_back(rank, line.path);
  }
  std::ranges::stable_sort(ranked, std::greater(), &std::pair<int, std::string>::first);
  std::vector<std::string> paths;
  for (auto& [rank, path] : ranked) {
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace vigil::sensor
