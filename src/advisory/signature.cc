#include "advisory/signature.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPublicWord = "vigil-ed25519";
constexpr std::string_view kPrivateWord = "vigil-ed25519-private";
constexpr size_t kRawBytes = 32;
constexpr size_t kSignatureBytes = 64;

struct PkeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyDeleter>;
using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;

const uint8_t* data_of(std::string_view text) {
  return as_bytes(text).data();
}

Pkey private_pkey(const PrivateKey& key) {
  CHECK(key.raw.size() == kRawBytes);
  Pkey pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, data_of(key.raw), kRawBytes));
  CHECK(pkey != nullptr);
  return pkey;
}

// A comment is shown on terminals.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

struct KeyLine {
  std::string raw;
  std::string comment;
};

Result<KeyLine> parse_key_line(std::string_view text, std::string_view word) {
  const auto malformed = [&](const std::string& why) {
    return fail(ErrorCode::kMalformed,
                "not a key of the form '" + std::string(word) + " BASE64 COMMENT': " + why);
  };
  if (text.size() > limits::kKeyFileBytesMax) return malformed("it is too long");
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (!is_printable(text)) return malformed("it is not one line of printable ASCII");
  const size_t word_end = std::min(text.find(' '), text.size());
  if (text.substr(0, word_end) != word) {
    if (text.starts_with(kPrivateWord)) return malformed("it is a private key");
    if (text.starts_with(kPublicWord)) return malformed("it is a public key");
    return malformed("it begins with another word");
  }
  text.remove_prefix(std::min(word_end + 1, text.size()));
  const size_t key_end = std::min(text.find(' '), text.size());
  KeyLine line;
  // No text of the key itself goes into a message.
  const Result<std::string> raw = from_base64(text.substr(0, key_end));
  if (!raw || raw->size() != kRawBytes) return malformed("the key is not 32 bytes in base64");
  line.raw = *raw;
  line.comment = text.substr(std::min(key_end + 1, text.size()));
  return line;
}

std::string key_line(std::string_view word, const std::string& raw, const std::string& comment) {
  std::string line = std::string(word) + " " + to_base64(raw);
  if (!comment.empty()) line += " " + comment;
  return line + "\n";
}

}  // namespace

std::string PublicKey::id() const {
  return sha256(as_bytes(raw)).hex().substr(0, 16);
}

std::string PublicKey::text() const {
  return key_line(kPublicWord, raw, comment);
}

Result<PublicKey> PublicKey::parse(std::string_view text) {
  KeyLine line = TRY(parse_key_line(text, kPublicWord));
  return PublicKey{std::move(line.raw), std::move(line.comment)};
}

PublicKey PrivateKey::public_key() const {
  PublicKey out{std::string(kRawBytes, '\0'), comment};
  size_t size = kRawBytes;
  const Pkey pkey = private_pkey(*this);
  uint8_t* to = reinterpret_cast<uint8_t*>(out.raw.data());
  CHECK(EVP_PKEY_get_raw_public_key(pkey.get(), to, &size) == 1 && size == kRawBytes);
  return out;
}

std::string PrivateKey::text() const {
  return key_line(kPrivateWord, raw, comment);
}

Result<PrivateKey> PrivateKey::parse(std::string_view text) {
  KeyLine line = TRY(parse_key_line(text, kPrivateWord));
  return PrivateKey{std::move(line.raw), std::move(line.comment)};
}

Result<PrivateKey> PrivateKey::generate(std::string_view comment) {
  if (!is_printable(comment) || comment.size() > limits::kKeyFileBytesMax / 2) {
    return fail(ErrorCode::kMalformed, "a key's comment is printable ASCII on one line");
  }
  PrivateKey key{std::string(kRawBytes, '\0'), std::string(comment)};
  if (RAND_priv_bytes(reinterpret_cast<uint8_t*>(key.raw.data()), kRawBytes) != 1) {
    return fail(ErrorCode::kUnavailable, "the system gives no random bytes");
  }
  return key;
}

std::string sign(const PrivateKey& key, std::string_view message) {
  const Pkey pkey = private_pkey(key);
  const Context context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size,
                       data_of(message), message.size()) == 1);
  CHECK(size == kSignatureBytes);
  return signature;
}

bool is_signed_by(const PublicKey& key, std::string_view message, std::string_view signature) {
  if (key.raw.size() != kRawBytes || signature.size() != kSignatureBytes) return false;
  const Pkey pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data_of(key.raw), kRawBytes));
  const Context context(EVP_MD_CTX_new());
  if (pkey == nullptr || context == nullptr) return false;
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) != 1) return false;
  return EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(message),
                          message.size()) == 1;
}

Result<std::vector<PublicKey>> read_public_keys(const std::string& path) {
  std::vector<std::string> paths;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    std::filesystem::directory_iterator entry(path, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (entry->path().extension() == ".pub") paths.push_back(entry->path().string());
    }
    if (error) return fail_errno(path, error.value());
    std::ranges::sort(paths);
  } else if (path_exists(path)) {
    paths.push_back(path);
  }
  std::vector<PublicKey> keys;
  for (const std::string& file : paths) {
    const std::string text = TRY(read_file(file, limits::kKeyFileBytesMax));
    keys.push_back(TRY(with_context(PublicKey::parse(text), file)));
  }
  return keys;
}

}  // namespace vigil::advisory
