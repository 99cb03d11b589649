// Archives that are not hot: zip, tar with any compression, and single compressed files, through
// libarchive, for feeds. The only file that includes it. Hostile input.
#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::decode {

// Calls `visit` for each regular file in archive order. Names come as stored; they are never used to
// open anything. An Error from `visit` ends the walk and is returned. Bounds: kArchiveMembersMax,
// kArchiveMemberBytesMax.
Status each_member(const std::string& archive_path,
                   FunctionRef<Status(std::string_view name, std::string_view content)> visit);

// The content of a file, inflated if it is .gz, .xz, .bz2 or .zst (by magic bytes).
Result<std::string> read_maybe_compressed(const std::string& path, uint64_t bytes_max);

}  // namespace vigil::decode
