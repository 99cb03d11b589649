#include "image/layer_folders.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>

#include "base/check.h"
#include "base/file.h"

namespace vigil::image {

namespace {

std::unexpected<Error> cannot_mount() {
  return fail_errno("cannot put the layers of its image on top of one another", errno);
}

Result<Fd> mount_layers(const std::vector<std::string>& folders) {
  // Descriptors instead of names: the options of a mount are a page at most, and names may hold
  // colons.
  std::vector<Fd> opened;
  std::string lower;
  for (const std::string& folder : folders) {
    Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd.is_open()) return fail_errno(folder, errno);
    lower += (lower.empty() ? "" : ":") + ("/proc/self/fd/" + std::to_string(fd.get()));
    opened.push_back(std::move(fd));
  }
  const Fd overlay(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!overlay.is_open() ||
      ::fsconfig(overlay.get(), FSCONFIG_SET_STRING, "lowerdir", lower.c_str(), 0) != 0 ||
      ::fsconfig(overlay.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return cannot_mount();
  }
  constexpr unsigned kAttributes =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  Fd mount(::fsmount(overlay.get(), FSMOUNT_CLOEXEC, kAttributes));
  if (!mount.is_open()) return cannot_mount();
  return mount;
}

}  // namespace

Result<std::unique_ptr<FileAccess>> open_layer_folders(const std::vector<std::string>& folders) {
  CHECK(!folders.empty());
  if (folders.size() == 1) return open_local_files(folders.front());
  const Fd root = TRY(mount_layers(folders));
  // The mount lasts as long as the folder that is opened in it here.
  return open_local_files("/proc/self/fd/" + std::to_string(root.get()));
}

}  // namespace vigil::image
