// Archives that are not hot: zip, tar with any compression, and single compressed files, through
// libarchive, for feeds. The only file that includes it. What is read is hostile input.
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
// What such a file inflates to, from memory; what is not compressed is kMalformed.
Result<std::string> inflate_text(std::string_view bytes, uint64_t bytes_max);

// As an .xz file, at its smallest. The same text gives the same bytes with the same library.
Result<std::string> compress_xz(std::string_view text);

}  // namespace vigil::decode
