// Archives that are not hot: zip, tar with any compression, and single compressed files, through
// libarchive, for feeds. The only file that includes it. What is read is hostile input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "base/time.h"

namespace vigil::decode {

// Calls `visit` for each regular file in archive order. Names come as stored; they are never used
// to open anything. An Error from `visit` ends the walk and is returned. Bounds:
// kArchiveMembersMax, kArchiveMemberBytesMax.
Status each_member(const std::string& archive_path,
                   FunctionRef<Status(std::string_view name, std::string_view content)> visit);

// The content of a file, inflated if it is .gz, .xz, .bz2 or .zst (by magic bytes).
Result<std::string> read_maybe_compressed(const std::string& path, uint64_t bytes_max);
// What such a file inflates to, from memory; what is not compressed is kMalformed.
Result<std::string> inflate_text(std::string_view bytes, uint64_t bytes_max);

// As an .xz file with a dictionary of 8 MiB, or of 256 KiB where the text is no longer. The same
// text gives the same bytes with the same library.
Result<std::string> compress_xz(std::string_view text);

// Writes a tar (ustar), compressed with zstd, of regular files owned by root, all of one time. The
// same members give the same bytes with the same library. One thread.
class ArchiveWriter {
 public:
  // Requires: `to` outlives the writer.
  static Result<ArchiveWriter> create(const Fd& to, UnixSeconds modified_at);
  ArchiveWriter(ArchiveWriter&&) noexcept;
  ArchiveWriter& operator=(ArchiveWriter&&) noexcept;
  ~ArchiveWriter();

  Status add(const std::string& name, ByteView content);
  Status finish();  // Requires: called once, last. Nothing is synced.

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vigil::decode
