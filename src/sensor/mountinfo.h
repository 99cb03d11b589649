// /proc/PID/mountinfo: what a process has as its root (proc(5)).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::sensor {

struct Mount {
  std::string device;  // "0:40"
  std::string root;    // Of the mounted file system, the folder that was mounted.
  std::string mount_point;
  std::string type;     // "overlay", "ext4", "cgroup2"
  std::string options;  // Of the file system.
  bool operator==(const Mount&) const = default;
};
// Lines that are none are left out. Escapes (\040) are undone in everything but the options, whose
// own escapes need theirs.
void each_mount(std::string_view text, const std::function<void(const Mount&)>& take);
// What is the root: the last that is mounted at "/".
std::optional<Mount> root_mount(std::string_view text);

struct OverlayFolders {
  std::vector<std::string> lower;  // Topmost first, as written: links and relative paths may be.
  std::string upper;               // "" for one that nobody can write to.
  bool operator==(const OverlayFolders&) const = default;
};
// From the options of an overlay, of which the kernel takes half as many as limits::kLayersMax.
// Where a kernel cut them short, what is left of the last folder is left out.
OverlayFolders overlay_folders(std::string_view options);

}  // namespace vigil::sensor
