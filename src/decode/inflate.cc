#include "decode/inflate.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/limits.h"

namespace vigil::decode {

namespace {

// Large enough that ISA-L's copy of the 32 KiB history per call is small beside it, small enough to
// stay in the second-level cache together with the input.
constexpr size_t kWindowBytes = 256 << 10;

bool starts_with(ByteView bytes, std::string_view magic) {
  return as_text(bytes).starts_with(magic);
}

bool begins_gzip(ByteView bytes) {
  return starts_with(bytes, "\x1f\x8b");
}

bool begins_zstd(ByteView bytes) {
  if (starts_with(bytes, "\x28\xb5\x2f\xfd")) return true;
  // Skippable frames: 0x184D2A50 to 0x184D2A5F, little-endian (RFC 8878, section 3.1.2).
  return bytes.size() >= 4 && (bytes[0] & 0xf0) == 0x50 &&
         starts_with(bytes.subspan(1), "\x2a\x4d\x18");
}

// The source's pieces, with the ones that were read to tell the form in front.
class Input {
 public:
  explicit Input(ByteStream& source) : source_(source) {}

  // Makes front() hold `bytes` bytes where the source has that many.
  Status gather(size_t bytes) {
    while (front_.size() < bytes && !is_ended_) {
      if (front_.empty()) {
        front_ = TRY(pull());
        continue;
      }
      // Pulling may overwrite the piece in front. A vector, so that moving an Input keeps the view.
      std::vector<uint8_t> joined(front_.begin(), front_.end());
      const ByteView piece = TRY(pull());
      joined.insert(joined.end(), piece.begin(), piece.end());
      joined_ = std::move(joined);
      front_ = joined_;
    }
    return {};
  }
  Status refill() { return front_.empty() ? gather(1) : Status(); }

  ByteView front() const { return front_; }
  void consume(size_t bytes) { front_ = front_.subspan(bytes); }
  bool at_end() const { return front_.empty() && is_ended_; }
  uint64_t bytes_taken() const { return bytes_pulled_ - front_.size(); }
  ByteStream& source() { return source_; }

  // Reads to the end of the source, so that a digest taken below sees all of it.
  Status drain() {
    front_ = {};
    while (!is_ended_) TRY(pull());
    return {};
  }

 private:
  Result<ByteView> pull() {
    const ByteView piece = TRY(source_.next());
    is_ended_ = piece.empty();
    bytes_pulled_ += piece.size();
    return piece;
  }

  ByteStream& source_;
  ByteView front_;
  std::vector<uint8_t> joined_;
  uint64_t bytes_pulled_ = 0;
  bool is_ended_ = false;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(Input input) : input_(std::move(input)), front_(input_.front()) {}

  Result<ByteView> next() override {
    ByteView piece = std::exchange(front_, {});
    if (piece.empty()) piece = TRY(input_.source().next());
    bytes_ += piece.size();
    if (bytes_ > limits::kLayerBytesMax) {
      return fail(ErrorCode::kTooLarge, "more bytes than kLayerBytesMax");
    }
    return piece;
  }
  uint64_t skip(uint64_t bytes_max) override {
    return front_.empty() ? input_.source().skip(bytes_max) : 0;
  }

 private:
  Input input_;  // Its gathered bytes are what front_ may point to.
  ByteView front_;
  uint64_t bytes_ = 0;
};

// What both forms share: output windows in turn, and the bounds.
class InflateStream : public ByteStream {
 public:
  InflateStream(Input input, size_t pieces_kept)
      : input_(std::move(input)), windows_(pieces_kept) {}

  Result<ByteView> next() final {
    if (failure_) return std::unexpected(*failure_);
    Result<ByteView> piece = next_window();
    if (!piece) failure_ = piece.error();  // Stays: nothing behind it can be trusted.
    return piece;
  }

 protected:
  // Inflates into `out` and returns how many bytes came; calls end() after the last.
  virtual Result<size_t> inflate(std::span<uint8_t> out) = 0;
  void end() { is_ended_ = true; }
  Input& input() { return input_; }

 private:
  Result<ByteView> next_window() {
    if (is_ended_) return ByteView();
    window_ = (window_ + 1) % windows_.size();
    std::unique_ptr<uint8_t[]>& window = windows_[window_];
    if (window == nullptr) window = std::make_unique_for_overwrite<uint8_t[]>(kWindowBytes);
    size_t filled = 0;
    while (filled < kWindowBytes && !is_ended_) {
      filled += TRY(inflate({window.get() + filled, kWindowBytes - filled}));
    }
    bytes_ += filled;
    TRY(check_bounds());
    if (is_ended_) TRY(input_.drain());
    return ByteView(window.get(), filled);
  }

  Status check_bounds() const {
    if (bytes_ > limits::kLayerBytesMax) {
      return fail(ErrorCode::kTooLarge, "inflates to more than kLayerBytesMax");
    }
    // The window's size once more, because little input can be in flight.
    const uint64_t taken = input_.bytes_taken() + 4096;
    if (bytes_ / taken > limits::kInflateRatioMax) {
      return fail(ErrorCode::kTooLarge, "inflates by more than kInflateRatioMax");
    }
    if (bytes_ > limits::kLargeInflateBytes && bytes_ / taken > limits::kLargeInflateRatioMax) {
      return fail(ErrorCode::kTooLarge, "inflates by more than kLargeInflateRatioMax");
    }
    return {};
  }

  Input input_;
  std::vector<std::unique_ptr<uint8_t[]>> windows_;
  size_t window_ = 0;
  uint64_t bytes_ = 0;
  bool is_ended_ = false;
  std::optional<Error> failure_;
};

class GzipStream final : public InflateStream {
 public:
  using InflateStream::InflateStream;

 private:
  // A member's header (RFC 1952, section 2.3) is read here: ISA-L 2.30 loses count of its input in
  // headers with a checksum of their own. That one is not verified, which gzip does not do either.
  Status begin_member() {
    constexpr uint8_t kHeaderChecksum = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0;
    const ByteView fixed = TRY(front(10));
    const uint8_t flags = fixed[3];
    if (fixed[2] != 8 || (flags & kReserved) != 0) return damaged("its header is none of RFC 1952");
    input().consume(fixed.size());
    if ((flags & kExtra) != 0) {
      const ByteView length = TRY(front(2));
      const uint64_t bytes = length[0] | length[1] << 8;
      input().consume(length.size());
      TRY(pass_over(bytes));
    }
    if ((flags & kName) != 0) TRY(pass_over_text());
    if ((flags & kComment) != 0) TRY(pass_over_text());
    if ((flags & kHeaderChecksum) != 0) TRY(pass_over(2));
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP_NO_HDR_VER;  // Checks the trailer's CRC and length.
    is_between_members_ = false;
    return {};
  }

  static std::unexpected<Error> damaged(std::string_view why) {
    return fail(ErrorCode::kMalformed, "the gzip data is damaged: " + std::string(why));
  }
  static std::unexpected<Error> cut_short() {
    return fail(ErrorCode::kMalformed, "the gzip data is cut short");
  }

  Result<ByteView> front(size_t bytes) {
    TRY(input().gather(bytes));
    if (input().front().size() < bytes) return cut_short();
    return input().front().first(bytes);
  }

  Status pass_over(uint64_t bytes) {
    while (bytes > 0) {
      TRY(front(1));
      const size_t some = std::min<uint64_t>(input().front().size(), bytes);
      input().consume(some);
      bytes -= some;
    }
    return {};
  }

  Status pass_over_text() {
    for (;;) {
      TRY(front(1));
      const ByteView piece = input().front();
      const auto end = std::ranges::find(piece, uint8_t{0});
      const size_t text_bytes = static_cast<size_t>(end - piece.begin());
      input().consume(std::min(text_bytes + 1, piece.size()));
      if (end != piece.end()) return {};
    }
  }

  Result<size_t> inflate(std::span<uint8_t> out) override {
    if (is_between_members_) TRY(begin_member());
    TRY(input().refill());
    if (input().at_end() && !has_pending_output()) return cut_short();
    const ByteView in = input().front();
    state_->next_in = const_cast<uint8_t*>(in.data());
    state_->avail_in = static_cast<uint32_t>(in.size());
    state_->next_out = out.data();
    state_->avail_out = static_cast<uint32_t>(out.size());
    const int status = isal_inflate(state_.get());
    // What a library says of its own progress is not believed where memory depends on it.
    if (state_->avail_in > in.size() || state_->avail_out > out.size()) {
      return damaged("igzip lost count");
    }
    const size_t taken = in.size() - state_->avail_in;
    const size_t given = out.size() - state_->avail_out;
    input().consume(taken);
    if (status != ISAL_DECOMP_OK) {
      return damaged("igzip error " + std::to_string(status));
    }
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      TRY(input().gather(2));
      is_between_members_ = true;
      if (!begins_gzip(input().front())) end();
    } else if (taken == 0 && given == 0) {
      return fail(ErrorCode::kMalformed, "the gzip data leads nowhere");
    }
    return given;
  }

  bool has_pending_output() const { return state_->tmp_out_valid > state_->tmp_out_processed; }

  std::unique_ptr<inflate_state> state_ = std::make_unique<inflate_state>();
  bool is_between_members_ = true;
};

constexpr size_t kZstdHeaderBytesMax = 18;

// How much a frame may look back (RFC 8878, section 3.1.1.1); 0 where the header does not say.
uint64_t zstd_window_bytes(ByteView header) {
  if (header.size() < 6 || header[0] != 0x28) return 0;  // A skippable frame has none.
  const uint8_t descriptor = header[4];
  const bool is_single_segment = (descriptor & 0x20) != 0;
  if (!is_single_segment) {
    const uint64_t base = uint64_t{1} << (10 + (header[5] >> 3));
    return base + base / 8 * (header[5] & 7);
  }
  constexpr size_t kDictionaryBytes[] = {0, 1, 2, 4};
  const size_t at = 5 + kDictionaryBytes[descriptor & 3];
  const size_t bytes = size_t{1} << (descriptor >> 6);
  if (header.size() < at + bytes) return 0;
  uint64_t content_bytes = bytes == 2 ? 256 : 0;
  for (size_t i = 0; i < bytes; ++i) content_bytes += uint64_t{header[at + i]} << (8 * i);
  return content_bytes;
}

std::mutex large_zstd_window;

class ZstdStream final : public InflateStream {
 public:
  ZstdStream(Input input, size_t pieces_kept)
      : InflateStream(std::move(input), pieces_kept), stream_(ZSTD_createDStream()) {
    CHECK(stream_ != nullptr);
    const int window_log = std::bit_width(limits::kZstdWindowBytesMax) - 1;
    CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, window_log)) == 0);
  }
  ~ZstdStream() override { ZSTD_freeDStream(stream_); }

 private:
  Result<size_t> inflate(std::span<uint8_t> out) override {
    TRY(input().refill());
    if (is_between_frames_) {
      TRY(input().gather(kZstdHeaderBytesMax));
      if (!begins_zstd(input().front())) {
        end();
        return size_t{0};
      }
      is_between_frames_ = false;
      const bool is_large = zstd_window_bytes(input().front()) > limits::kSmallZstdWindowBytes;
      if (is_large && !turn_.owns_lock()) turn_.lock();
    }
    const ByteView in = input().front();
    ZSTD_inBuffer source = {in.data(), in.size(), 0};
    ZSTD_outBuffer target = {out.data(), out.size(), 0};
    const size_t status = ZSTD_decompressStream(stream_, &target, &source);
    input().consume(source.pos);
    if (ZSTD_isError(status)) {
      if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge) {
        return fail(ErrorCode::kTooLarge, "a zstd window larger than kZstdWindowBytesMax");
      }
      return fail(ErrorCode::kMalformed,
                  std::string("the zstd data is damaged: ") + ZSTD_getErrorName(status));
    }
    if (status == 0) {
      is_between_frames_ = true;
    } else if (source.pos == 0 && target.pos == 0) {
      return fail(ErrorCode::kMalformed, "the zstd data is cut short");
    }
    return target.pos;
  }

  ZSTD_DStream* stream_;
  // Only one stream of the process has a large window: layers are read side by side.
  std::unique_lock<std::mutex> turn_ = std::unique_lock(large_zstd_window, std::defer_lock);
  bool is_between_frames_ = true;
};

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kXz:
      return "xz";
    case Compression::kBzip2:
      return "bzip2";
  }
  return "unknown";
}

Compression compression_of(ByteView front) {
  if (begins_gzip(front)) return Compression::kGzip;
  if (begins_zstd(front)) return Compression::kZstd;
  if (starts_with(front,
                  "\xfd"
                  "7zXZ"))
    return Compression::kXz;
  if (starts_with(front, "BZh")) return Compression::kBzip2;
  return Compression::kNone;
}

Result<std::unique_ptr<ByteStream>> open_inflate(ByteStream& source, size_t pieces_kept) {
  Input input(source);
  TRY(input.gather(6));
  std::unique_ptr<ByteStream> stream;
  switch (compression_of(input.front())) {
    case Compression::kNone:
      stream = std::make_unique<PlainStream>(std::move(input));
      break;
    case Compression::kGzip:
      stream = std::make_unique<GzipStream>(std::move(input), pieces_kept);
      break;
    case Compression::kZstd:
      stream = std::make_unique<ZstdStream>(std::move(input), pieces_kept);
      break;
    case Compression::kXz:
    case Compression::kBzip2:
      return fail(ErrorCode::kUnsupported,
                  "compressed with " + std::string(to_string(compression_of(input.front()))) +
                      "; only gzip and zstd are read");
  }
  return stream;
}

}  // namespace vigil::decode
