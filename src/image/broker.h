// FileAccess across the wall of the parsing child: the child asks, its parent opens.
//
// One message a request: an operation, how to treat links, a path. One message an answer: a code,
// then text, with a descriptor beside it: the opened file, or a file in memory with the listing.
// The parent resolves every path inside its root, so the child can reach nothing else, and reads no
// byte of the files itself.
#pragma once

#include <memory>

#include "base/confine.h"
#include "image/file_access.h"

namespace vigil::image {

// Answers requests until the other side closes. A request that makes no sense is refused.
void serve_files(const Fd& socket, FileAccess& files);

// The child's side. `socket` must outlive it; calls from several threads take turns.
std::unique_ptr<FileAccess> connect_files(const Fd& socket);

}  // namespace vigil::image
