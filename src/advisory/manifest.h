// The manifest of a database: which shards it has, from when they are and how much they know;
// signed.
//
// A database is a folder:
//   manifest.json                     the only mutable file; replaced by rename, the moment of
//   change shards/NAME-DIGEST16.shard        immutable; DIGEST16: first 16 hex digits of its
//   SHA-256
//
// manifest.json is a DSSE envelope (github.com/secure-systems-lab/dsse, protocol.md): payloadType
// "application/vnd.vigil.manifest.v1+json", the payload in base64, and no or several signatures
// over the pre-authentication encoding. Files in shards/ that no manifest names are left from an
// interrupted update and are removed by the next. Hostile input.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/database.h"
#include "advisory/signature.h"
#include "base/result.h"

namespace vigil::advisory {

constexpr uint32_t kManifestFormat = 1;

// The name becomes part of a file's name: letters, digits and ".-_+", a letter or digit first.
bool is_shard_name(std::string_view name);

struct ManifestShard {
  std::string name;    // "debian-12", "pypi", "facts" (CVE facts), "releases" (ends of life).
  std::string digest;  // "sha256:…" of the whole file.
  uint64_t bytes = 0;
  uint64_t records_count = 0;  // Advisories, CVEs or releases in it.
  std::vector<ShardSource> sources;

  std::string file_name() const;  // "shards/debian-12-0123456789abcdef.shard"
  bool operator==(const ManifestShard&) const = default;
};

struct Manifest {
  uint32_t format = kManifestFormat;
  uint64_t serial = 0;  // Only grows; an update to a lower one is refused.
  UnixSeconds built_at = 0;
  UnixSeconds expires_at = 0;  // 0: never. Past it: usable, and every result says so.
  UnixSeconds epss_at = 0;     // Date of the EPSS scores; 0: none.
  std::string tool_version;
  std::vector<ManifestShard> shards;      // Sorted by name.
  std::vector<std::string> attributions;  // Texts that the sources' licences ask to show; sorted.
  std::vector<std::string> licences;      // "FEED: LICENCE", sorted.

  const ManifestShard* find(std::string_view name) const;  // Null where there is none.
  bool operator==(const Manifest&) const = default;
};

struct SignedManifest {
  Manifest manifest;
  std::string signer;           // Key id of the trusted key that signed it; "" where none did.
  bool has_signatures = false;  // By anybody.
};

// What is signed: DSSE's pre-authentication encoding of a payload and its type.
std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

// The text of manifest.json; `key` may be null (no signature). Same manifest and key: same bytes.
// Requires: shards sorted by name, without duplicates.
std::string encode_manifest(const Manifest& manifest, const PrivateKey* key);
// Checks form and bounds; the signature against `trusted`. A signature by nobody trusted is no
// Error here: `signer` is empty and the caller decides.
Result<SignedManifest> decode_manifest(std::string_view text, std::span<const PublicKey> trusted);
// Reads FOLDER/manifest.json; kNotFound where there is none.
Result<SignedManifest> read_manifest(const std::string& folder, std::span<const PublicKey> trusted);

}  // namespace vigil::advisory
