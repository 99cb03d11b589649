// One reader for layers as they are stored: plain, gzip (RFC 1952, any number of members, through
// ISA-L, which picks the widest vector instructions by itself) and zstd (RFC 8878, any number of
// frames, skippable ones too). The form is told by magic bytes, never by a media type. Hostile
// input.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "decode/byte_stream.h"

namespace vigil::decode {

enum class Compression : uint8_t { kNone, kGzip, kZstd, kXz, kBzip2 };
std::string_view to_string(Compression compression);
// Told by the first bytes; six are enough.
Compression compression_of(ByteView front);

// A stream of what is inside `source`, which must outlive it. Bytes after the last gzip member or
// zstd frame that do not begin another one are left out, as gzip does. A stream that is cut short
// or does not fit its checksum is kMalformed; xz and bzip2 are kUnsupported. Bounds:
// limits::kLayerBytesMax, kInflateRatioMax, kLargeInflateRatioMax, kZstdWindowBytesMax; an Error of
// kTooLarge ends in the name of its bound.
Result<std::unique_ptr<ByteStream>> open_inflate(ByteStream& source, size_t pieces_kept = 1);

}  // namespace vigil::decode
