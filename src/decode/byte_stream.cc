#include "decode/byte_stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vigil::decode {

namespace {
// A header and a small body after a skip; a window that stays in the second-level cache otherwise.
constexpr size_t kReadBytesMin = 4 << 10;
constexpr size_t kReadBytesMax = 256 << 10;
}  // namespace

uint64_t ByteStream::skip(uint64_t) {
  return 0;
}

FileStream::FileStream(const Fd& fd, uint64_t offset, uint64_t bytes, size_t pieces_kept)
    : fd_(fd.get()),
      offset_(offset),
      end_(offset + bytes),
      read_bytes_(kReadBytesMin),
      windows_(pieces_kept) {}

Result<ByteView> FileStream::next() {
  const size_t want = std::min<uint64_t>(read_bytes_, end_ - offset_);
  if (want == 0) return ByteView();
  window_ = (window_ + 1) % windows_.size();
  std::unique_ptr<uint8_t[]>& window = windows_[window_];
  if (window == nullptr) window = std::make_unique_for_overwrite<uint8_t[]>(kReadBytesMax);
  ssize_t got = 0;
  do {
    got = ::pread(fd_, window.get(), want, static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno("cannot read it", errno);
  if (got == 0) return fail(ErrorCode::kMalformed, "the file ends before its part does");
  offset_ += static_cast<uint64_t>(got);
  read_bytes_ = std::min(read_bytes_ * 4, kReadBytesMax);
  return ByteView(window.get(), static_cast<size_t>(got));
}

uint64_t FileStream::skip(uint64_t bytes_max) {
  const uint64_t bytes = std::min(bytes_max, end_ - offset_);
  offset_ += bytes;
  read_bytes_ = kReadBytesMin;
  return bytes;
}

Result<ByteView> MemoryStream::next() {
  const size_t bytes = piece_bytes_ == 0 ? bytes_.size() : std::min(piece_bytes_, bytes_.size());
  const ByteView piece = bytes_.first(bytes);
  bytes_ = bytes_.subspan(bytes);
  return piece;
}

HashTap::~HashTap() {
  // Jobs refer to the hash and to the source's windows.
  if (side_ != nullptr) side_->wait(*std::max_element(tickets_, tickets_ + kPiecesKept));
}

Result<ByteView> HashTap::next() {
  turn_ = (turn_ + 1) % kPiecesKept;
  // The source is about to write over the piece that was handed out kPiecesKept calls ago.
  if (side_ != nullptr) side_->wait(tickets_[turn_]);
  const ByteView piece = TRY(source_.next());
  if (side_ == nullptr) {
    hash_.update(piece);
  } else if (!piece.empty()) {
    tickets_[turn_] = side_->post([this, piece] { hash_.update(piece); });
  }
  return piece;
}

Result<Sha256Digest> HashTap::finish() {
  while (!TRY(next()).empty()) {
  }
  if (side_ != nullptr) side_->wait(*std::max_element(tickets_, tickets_ + kPiecesKept));
  return hash_.finish();
}

}  // namespace vigil::decode
