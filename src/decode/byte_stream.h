// A sequence of bytes that is pulled in pieces: a part of a file, the inflated form of one, a tar
// member. Nothing is copied between them: each hands out views of its own window. One thread each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/result.h"
#include "base/side_thread.h"

namespace vigil::decode {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // The next piece, empty at the end. It stays valid until next() has been called as often again as
  // the stream was told to keep pieces (once, unless its constructor says otherwise).
  virtual Result<ByteView> next() = 0;
  // Leaves out up to `bytes_max` bytes without reading them and returns how many; 0 where the
  // stream can only read on.
  virtual uint64_t skip(uint64_t bytes_max);
};

// A part of a file, by pread(), so that several streams may share one descriptor and nothing of the
// file counts as resident memory. Reads are small after a skip and grow while reading goes on.
// Requires: `fd` outlives the stream.
class FileStream final : public ByteStream {
 public:
  FileStream(const Fd& fd, uint64_t offset, uint64_t bytes, size_t pieces_kept = 1);
  Result<ByteView> next() override;
  uint64_t skip(uint64_t bytes_max) override;

 private:
  int fd_;
  uint64_t offset_;
  uint64_t end_;
  size_t read_bytes_;
  std::vector<std::unique_ptr<uint8_t[]>> windows_;
  size_t window_ = 0;
};

// Bytes in memory, in pieces of a given size (0: one piece). Requires: they outlive the stream.
class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(ByteView bytes, size_t piece_bytes = 0)
      : bytes_(bytes), piece_bytes_(piece_bytes) {}
  Result<ByteView> next() override;

 private:
  ByteView bytes_;
  size_t piece_bytes_;
};

// Passes a stream on and takes its SHA-256, on a thread of its own where `side` is given. Requires:
// `source` keeps kPiecesKept pieces; both outlive the tap.
class HashTap final : public ByteStream {
 public:
  static constexpr size_t kPiecesKept = 4;

  HashTap(ByteStream& source, SideThread* side) : source_(source), side_(side) {}
  ~HashTap() override;
  Result<ByteView> next() override;
  // Reads what is left and returns the digest of everything. Requires: called once.
  Result<Sha256Digest> finish();

 private:
  ByteStream& source_;
  SideThread* side_;
  Sha256 hash_;
  uint64_t tickets_[kPiecesKept] = {};
  size_t turn_ = 0;
};

}  // namespace vigil::decode
