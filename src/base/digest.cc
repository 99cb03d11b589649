#include "base/digest.h"

// SHA-256 by the functions that OpenSSL 3 calls old: before the first digest the new ones start the
// providers and read the configuration, which takes as long as hundreds of short digests, and each
// later one costs them two allocations more.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <vector>

#include "base/check.h"

namespace vigil {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  CHECK(SHA256_Init(&state_->context) == 1);
}
Sha256::Sha256(const Sha256& other) : state_(std::make_unique<State>(*other.state_)) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  CHECK(SHA256_Update(&state_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest;
  static_assert(sizeof(digest.bytes) == SHA256_DIGEST_LENGTH);
  CHECK(SHA256_Final(digest.bytes.data(), &state_->context) == 1);
  return digest;
}

struct FileDigests::State {
  std::array<std::string_view, 3> names = {"md5:", " sha1:", " sha256:"};
  std::array<EVP_MD_CTX*, 3> contexts = {EVP_MD_CTX_new(), EVP_MD_CTX_new(), EVP_MD_CTX_new()};
  ~State() {
    for (EVP_MD_CTX* context : contexts) EVP_MD_CTX_free(context);
  }
};

FileDigests::FileDigests() : state_(std::make_unique<State>()) {
  const EVP_MD* kinds[] = {EVP_md5(), EVP_sha1(), EVP_sha256()};
  for (size_t i = 0; i < std::size(kinds); ++i) {
    CHECK(state_->contexts[i] != nullptr);
    CHECK(EVP_DigestInit_ex(state_->contexts[i], kinds[i], nullptr) == 1);
  }
}
FileDigests::~FileDigests() = default;

void FileDigests::update(ByteView bytes) {
  for (EVP_MD_CTX* context : state_->contexts) {
    CHECK(EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1);
  }
}

std::string FileDigests::finish() {
  std::string out;
  for (size_t i = 0; i < state_->contexts.size(); ++i) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    CHECK(EVP_DigestFinal_ex(state_->contexts[i], digest, &size) == 1);
    out += state_->names[i];
    out += to_hex({digest, size});
  }
  return out;
}

Result<std::string> file_digests(const Fd& fd, uint64_t bytes_max) {
  if (TRY(file_bytes(fd)) > bytes_max) {
    return fail(ErrorCode::kTooLarge, "the file is too large to compute its digest");
  }
  FileDigests digests;
  std::vector<uint8_t> buffer(256 << 10);
  uint64_t total = 0;
  for (;;) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read the file", errno);
    if (got == 0) break;
    total += static_cast<uint64_t>(got);
    if (total > bytes_max) return fail(ErrorCode::kTooLarge, "the file grows while it is read");
    digests.update({buffer.data(), static_cast<size_t>(got)});
  }
  return digests.finish();
}

std::string Sha256Digest::hex() const {
  return to_hex(bytes);
}

Sha256Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

uint64_t xxh3(ByteView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kDigits[bytes[i] >> 4];
    out[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorCode::kMalformed, "hexadecimal of odd length");
  std::string out;
  for (size_t i = 0; i < text.size(); i += 2) {
    int value = 0;
    for (const char digit : text.substr(i, 2)) {
      int nibble = -1;
      if (digit >= '0' && digit <= '9') nibble = digit - '0';
      if (digit >= 'a' && digit <= 'f') nibble = digit - 'a' + 10;
      if (digit >= 'A' && digit <= 'F') nibble = digit - 'A' + 10;
      if (nibble < 0) return fail(ErrorCode::kMalformed, "not hexadecimal");
      value = value * 16 + nibble;
    }
    out += static_cast<char>(value);
  }
  return out;
}

}  // namespace vigil
