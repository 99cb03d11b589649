// /proc/PID/mountinfo: what a process has as its root (proc(5)).
#pragma once

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
// Lines that are none are left out; at most limits::kMountsMax. Escapes (\040) are undone in
// everything but the options, whose own escapes need theirs.
std::vector<Mount> parse_mountinfo(std::string_view text);

struct OverlayFolders {
  std::vector<std::string> lower;  // Topmost first, as written: links and relative paths may be.
  std::string upper;               // "" for one that nobody can write to.
  bool operator==(const OverlayFolders&) const = default;
};
// From the options of an overlay. Where a kernel cut them short, what is left of the last folder
// is left out.
OverlayFolders overlay_folders(std::string_view options);

// The mount that is the root: the last at "/". Null where there is none.
const Mount* root_mount(const std::vector<Mount>& mounts);

}  // namespace vigil::sensor
