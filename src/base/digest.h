// Digests: SHA-256 for identity (OpenSSL, which uses the processor's SHA extensions), XXH3 for
// finding damage. The only file that includes OpenSSL's digests and xxhash.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"

namespace vigil {

struct Sha256Digest {
  std::array<uint8_t, 32> bytes = {};
  bool operator==(const Sha256Digest&) const = default;
  std::string hex() const;  // 64 lower-case digits.
  std::string text() const { return "sha256:" + hex(); }
};

// Takes bytes in pieces. A copy goes on from where the other stood. One thread.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256& other);
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(ByteView bytes);
  Sha256Digest finish();  // Requires: called once.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The three digests that package databases record of a file, at once. One thread.
class FileDigests {
 public:
  FileDigests();
  ~FileDigests();
  void update(ByteView bytes);
  std::string finish();  // "md5:… sha1:… sha256:…". Requires: called once.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All three of a file, read from its start. kTooLarge past `bytes_max`.
Result<std::string> file_digests(const Fd& fd, uint64_t bytes_max);

Sha256Digest sha256(ByteView bytes);
uint64_t xxh3(ByteView bytes);

// Lower-case hexadecimal, both ways; from_hex fails on an odd length or a foreign character.
std::string to_hex(ByteView bytes);
Result<std::string> from_hex(std::string_view text);

}  // namespace vigil
