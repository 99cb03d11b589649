#include "report/live_root_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vigil::report {

namespace {

constexpr size_t kProcessesNamed = 3;

std::string counted(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string since_start_text(const LiveRoot& root) {
  if (!root.not_compared.empty()) return root.not_compared;
  const auto installed_count = static_cast<uint64_t>(
      std::ranges::count(root.packages, "", &PackageSinceStart::image_version));
  const uint64_t other_version_count = root.packages.size() - installed_count;
  std::vector<std::string> parts;
  const auto add = [&](uint64_t count, std::string_view one, std::string_view many) {
    if (count > 0) parts.push_back(counted(count, one, many));
  };
  add(installed_count, "package installed", "packages installed");
  add(other_version_count, "package of another version", "packages of another version");
  add(root.packages_removed.size(), "package removed", "packages removed");
  const auto drifted = [&](Drift drift) { return root.drift_counts[static_cast<size_t>(drift)]; };
  add(drifted(Drift::kAdded), "program or library added that no package owns",
      "programs and libraries added that no package owns");
  add(drifted(Drift::kChanged), "file of a package changed", "files of packages changed");
  add(drifted(Drift::kRemoved), "file of a package removed", "files of packages removed");
  add(root.other_files_count, "other file written", "other files written");
  return parts.empty() ? "nothing was changed" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string image_findings_text(const LiveRoot& root) {
  if (root.image_findings_count < 0) return "";
  std::string text = fmt::format("its image has {} in all", root.image_findings_count);
  if (root.findings_come.empty() && root.findings_gone.empty()) return text + ", the same ones";
  if (!root.findings_come.empty()) {
    text += fmt::format("; {} came since its start", root.findings_come.size());
  }
  if (!root.findings_gone.empty()) {
    text += fmt::format("; {} of the image's {} not here, and back when the container is made anew",
                        root.findings_gone.size(), root.findings_gone.size() == 1 ? "is" : "are");
  }
  return text;
}

std::string processes_text(const DeletedCode& deleted) {
  std::string text;
  const size_t shown = std::min(deleted.processes.size(), kProcessesNamed);
  for (size_t i = 0; i < shown; ++i) {
    const DeletedCode::Process& process = deleted.processes[i];
    text += fmt::format("{}{} (pid {})", i == 0 ? "" : ", ", process.name, process.pid);
  }
  if (shown < deleted.processes.size()) {
    text += fmt::format(" and {} more", deleted.processes.size() - shown);
  }
  return text;
}

std::string versions_text(const DeletedCode& deleted) {
  if (deleted.package.empty()) return "";
  std::string text = deleted.package;
  text += deleted.version.empty() ? " is installed no more"
                                  : fmt::format(" {} is installed", deleted.version);
  if (!deleted.image_version.empty() && deleted.image_version != deleted.version) {
    text += ", and its image began with " + deleted.image_version;
  }
  return text;
}

std::string deleted_text(const DeletedCode& deleted) {
  const std::string versions = versions_text(deleted);
  return fmt::format("/{} was replaced or removed and is still run by {}{}{}", deleted.path,
                     processes_text(deleted), versions.empty() ? "" : ": ", versions);
}

}  // namespace vigil::report
