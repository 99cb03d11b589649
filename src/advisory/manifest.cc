#include "advisory/manifest.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/check.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPayloadType = "application/vnd.vigil.manifest.v1+json";
constexpr std::string_view kDigestPrefix = "sha256:";

std::unexpected<Error> malformed(std::string why) {
  return fail(ErrorCode::kMalformed, "the manifest is damaged: " + std::move(why));
}

std::unexpected<Error> too_many(std::string_view what, uint64_t count_max) {
  return fail(ErrorCode::kTooLarge,
              "the manifest has more than " + std::to_string(count_max) + " " + std::string(what));
}

bool is_digest(std::string_view digest) {
  if (!digest.starts_with(kDigestPrefix) || digest.size() != kDigestPrefix.size() + 64) {
    return false;
  }
  return std::ranges::all_of(digest.substr(kDigestPrefix.size()), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

// Texts are shown on terminals: no control characters (C0, DEL, C1) but the newline.
bool is_showable(std::string_view text) {
  if (text.size() > limits::kNameBytesMax) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const uint8_t c = static_cast<uint8_t>(text[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7f) return false;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0) return false;
  }
  return true;
}

// An absent member is nought.
Result<uint64_t> count_of(JsonView object, std::string_view key) {
  const JsonView view = object[key];
  const int64_t value = view.integer(view.exists() ? -1 : 0);
  if (value < 0) return malformed("'" + std::string(key) + "' is no whole number");
  return static_cast<uint64_t>(value);
}

Result<UnixSeconds> time_of(JsonView object, std::string_view key) {
  const JsonView view = object[key];
  if (!view) return UnixSeconds{0};
  const Result<UnixSeconds> time = parse_time(view.text());
  if (!time || *time <= 0) return malformed("'" + std::string(key) + "' is no date");
  return *time;
}

Result<std::string> text_of(JsonView view, std::string_view what) {
  if (!view.is_string() || !is_showable(view.text())) {
    return malformed("'" + std::string(what) + "' is no printable text");
  }
  return std::string(view.text());
}

Result<std::vector<std::string>> texts_of(JsonView object, std::string_view key) {
  const std::vector<JsonView> items = object[key].items();
  if (items.size() > limits::kAttributionsMax) return too_many(key, limits::kAttributionsMax);
  std::vector<std::string> out;
  for (const JsonView item : items) out.push_back(TRY(text_of(item, key)));
  return out;
}

Result<ShardSource> source_of(JsonView view) {
  ShardSource source;
  source.name = TRY(text_of(view["name"], "name"));
  const std::string coverage = TRY(text_of(view["coverage"], "coverage"));
  source.coverage = parse_coverage(coverage);
  if (source.coverage.text() != coverage) return malformed("an unknown coverage of " + source.name);
  source.as_of = TRY(time_of(view, "as_of"));
  return source;
}

Result<ManifestShard> shard_of(JsonView view) {
  ManifestShard shard;
  shard.name = view["name"].text();
  if (!is_shard_name(shard.name)) return malformed("a shard without a proper name");
  shard.digest = view["digest"].text();
  if (!is_digest(shard.digest)) return malformed("shard " + shard.name + " has no digest");
  shard.bytes = TRY(count_of(view, "bytes"));
  if (shard.bytes > limits::kShardBytesMax) {
    return fail(ErrorCode::kTooLarge, "shard " + shard.name + " has more than " +
                                          std::to_string(limits::kShardBytesMax) + " bytes");
  }
  shard.records_count = TRY(count_of(view, "records_count"));
  const std::vector<JsonView> sources = view["sources"].items();
  if (sources.size() > limits::kShardSourcesMax) {
    return too_many("sources in shard " + shard.name, limits::kShardSourcesMax);
  }
  for (const JsonView source : sources) shard.sources.push_back(TRY(source_of(source)));
  return shard;
}

Result<Manifest> parse_payload(std::string_view payload) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(payload));
  Manifest manifest;
  const uint64_t format = TRY(count_of(root, "format"));
  if (format != kManifestFormat) {
    return fail(ErrorCode::kUnsupported, "the manifest has format " + std::to_string(format) +
                                             ", this program reads format " +
                                             std::to_string(kManifestFormat) +
                                             "; install the vigil it was built for");
  }
  manifest.serial = TRY(count_of(root, "serial"));
  manifest.built_at = TRY(time_of(root, "built_at"));
  manifest.expires_at = TRY(time_of(root, "expires_at"));
  manifest.epss_at = TRY(time_of(root, "epss_at"));
  manifest.tool_version = TRY(text_of(root["tool_version"], "tool_version"));
  const std::vector<JsonView> shards = root["shards"].items();
  if (shards.size() > limits::kShardsMax) return too_many("shards", limits::kShardsMax);
  for (const JsonView view : shards) {
    ManifestShard shard = TRY(shard_of(view));
    if (!manifest.shards.empty() && manifest.shards.back().name >= shard.name) {
      return malformed("shard " + shard.name + " is out of order");
    }
    manifest.shards.push_back(std::move(shard));
  }
  manifest.attributions = TRY(texts_of(root, "attributions"));
  manifest.licences = TRY(texts_of(root, "licences"));
  return manifest;
}

std::string payload_text(const Manifest& manifest) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object();
  json.member("format", manifest.format).member("serial", manifest.serial);
  json.member_if("built_at", format_time(manifest.built_at));
  json.member_if("expires_at", format_time(manifest.expires_at));
  json.member_if("epss_at", format_time(manifest.epss_at));
  json.member("tool_version", manifest.tool_version);
  json.key("shards").begin_array();
  for (const ManifestShard& shard : manifest.shards) {
    json.begin_object().member("name", shard.name).member("digest", shard.digest);
    json.member("bytes", shard.bytes).member("records_count", shard.records_count);
    json.key("sources").begin_array();
    for (const ShardSource& source : shard.sources) {
      json.begin_object().member("name", source.name);
      json.member("coverage", source.coverage.text());
      json.member_if("as_of", format_time(source.as_of)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  json.key("attributions").begin_array();
  for (const std::string& text : manifest.attributions) json.value(text);
  json.end_array().key("licences").begin_array();
  for (const std::string& text : manifest.licences) json.value(text);
  json.end_array().end_object();
  return json.take();
}

}  // namespace

bool is_shard_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kShardNameBytesMax) return false;
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return is_alnum(name[0]) && std::ranges::all_of(name, [&](char c) {
           return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '+';
         });
}

std::string ManifestShard::file_name() const {
  CHECK(is_shard_name(name) && is_digest(digest));
  return "shards/" + name + "-" + digest.substr(kDigestPrefix.size(), 16) + ".shard";
}

const ManifestShard* Manifest::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(shards, name, {}, &ManifestShard::name);
  return found != shards.end() && found->name == name ? &*found : nullptr;
}

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(type.size()) + " ";
  out += type;
  out += " " + std::to_string(payload.size()) + " ";
  return out += payload;
}

std::string encode_manifest(const Manifest& manifest, const PrivateKey* key) {
  CHECK(std::ranges::adjacent_find(manifest.shards, std::ranges::greater_equal(),
                                   &ManifestShard::name) == manifest.shards.end());
  const std::string payload = payload_text(manifest);
  JsonWriter json;
  json.begin_object().member("payloadType", kPayloadType).member("payload", to_base64(payload));
  json.key("signatures").begin_array();
  if (key != nullptr) {
    const std::string signature = sign(*key, pre_authentication_encoding(kPayloadType, payload));
    json.begin_object().member("keyid", key->public_key().id());
    json.member("sig", to_base64(signature)).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<SignedManifest> decode_manifest(std::string_view text, std::span<const PublicKey> trusted) {
  if (text.size() > limits::kDatabaseManifestBytesMax) {
    return fail(ErrorCode::kTooLarge, "the manifest has more than " +
                                          std::to_string(limits::kDatabaseManifestBytesMax) +
                                          " bytes");
  }
  JsonDocument document;
  const JsonView envelope = TRY(document.parse(text));
  const std::string_view type = envelope["payloadType"].text();
  if (type != kPayloadType) return malformed("it is no manifest of a vigil database");
  const Result<std::string> payload = from_base64(envelope["payload"].text());
  if (!payload) return malformed("its payload is " + payload.error().message);

  // The signature is over the very bytes that are parsed below. A key id is only a hint that
  // nobody signed, so that each trusted key is tried.
  SignedManifest out;
  const std::vector<JsonView> signatures = envelope["signatures"].items();
  if (signatures.size() > limits::kSignaturesMax) {
    return too_many("signatures", limits::kSignaturesMax);
  }
  out.has_signatures = !signatures.empty();
  const std::string message = pre_authentication_encoding(kPayloadType, *payload);
  for (const JsonView view : signatures) {
    const Result<std::string> signature = from_base64(view["sig"].text());
    if (!signature) return malformed("a signature is " + signature.error().message);
    for (const PublicKey& key : trusted) {
      if (out.signer.empty() && is_signed_by(key, message, *signature)) out.signer = key.id();
    }
  }
  out.manifest = TRY(parse_payload(*payload));
  return out;
}

Result<SignedManifest> read_manifest(const std::string& folder,
                                     std::span<const PublicKey> trusted) {
  const std::string path = folder + "/manifest.json";
  const std::string text = TRY(read_file(path, limits::kDatabaseManifestBytesMax));
  return with_context(decode_manifest(text, trusted), path);
}

}  // namespace vigil::advisory
