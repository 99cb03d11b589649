// Ed25519 signatures (RFC 8032) and the keys they are made with. One of the two files that include
// OpenSSL; the other is base/digest.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vigil::advisory {

// A public key is one line of text: "vigil-ed25519 BASE64 COMMENT"; a private key the same with
// "vigil-ed25519-private". The key id is the first 16 hex digits of SHA-256 over the 32 raw bytes.
struct PublicKey {
  std::string raw;  // 32 bytes.
  std::string comment;

  std::string id() const;
  std::string text() const;  // With a final newline.
  static Result<PublicKey> parse(std::string_view text);
};

struct PrivateKey {
  std::string raw;  // The 32 bytes of the seed.
  std::string comment;

  PublicKey public_key() const;
  std::string text() const;
  static Result<PrivateKey> parse(std::string_view text);
  static Result<PrivateKey> generate(std::string_view comment);
};

std::string sign(const PrivateKey& key, std::string_view message);  // 64 bytes.
bool is_signed_by(const PublicKey& key, std::string_view message, std::string_view signature);

// The keys of a folder's "*.pub" files (sorted by name), or of one file. A folder that is not there
// holds none; a file that cannot be read or parsed is an Error that names it.
Result<std::vector<PublicKey>> read_public_keys(const std::string& path);

}  // namespace vigil::advisory
