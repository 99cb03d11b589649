// The layers of an image that a runtime has unpacked, each a folder, as one root.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/file_access.h"

namespace vigil::image {

// `folders`: topmost first, at least one. The kernel, which knows whiteouts best, puts them on top
// of one another: read only, mounted nowhere, and gone with the FileAccess. Several take the right
// to mount (CAP_SYS_ADMIN).
Result<std::unique_ptr<FileAccess>> open_layer_folders(const std::vector<std::string>& folders);

}  // namespace vigil::image
