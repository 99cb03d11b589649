#include "advisory/manifest.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"

namespace vigil::advisory {
namespace {

constexpr const char* kType = "application/vnd.vigil.manifest.v1+json";

PrivateKey key_of(std::string_view seed) {
  const Sha256Digest digest = sha256(as_bytes(seed));
  return {std::string(as_text(digest.bytes)), "test"};
}

Manifest example() {
  Manifest manifest;
  manifest.serial = 1769800000;
  manifest.built_at = 1769800000;
  manifest.expires_at = 1772400000;
  manifest.epss_at = 1769731200;
  manifest.tool_version = "0.1.0";
  manifest.shards = {
      {.name = "debian-12",
       .digest = sha256(as_bytes("debian-12")).text(),
       .bytes = 4096,
       .records_count = 7,
       .sources = {{"debian-lists", {.is_fixed_only = true, .is_subset = false}, 1769700000},
                   {"debian-tracker", {.is_fixed_only = false, .is_subset = true}, 0}}},
      {.name = "facts",
       .digest = sha256({}).text(),
       .bytes = 0,
       .records_count = 0,
       .sources = {}}};
  manifest.attributions = {"Debian Security Tracker, https://security-tracker.debian.org"};
  manifest.licences = {"debian-lists: no licence stated; ask"};
  return manifest;
}

std::string envelope(std::string_view payload, std::string_view signatures = "") {
  return std::string("{\"payloadType\":\"") + kType + "\",\"payload\":\"" + to_base64(payload) +
         "\",\"signatures\":[" + std::string(signatures) + "]}";
}

std::string error_of(std::string_view text) {
  const auto decoded = decode_manifest(text, {});
  return decoded ? "no error" : decoded.error().text();
}

std::string shard_json(std::string_view name, std::string_view members = "\"bytes\":1") {
  return "{\"name\":\"" + std::string(name) + "\",\"digest\":\"" + sha256({}).text() + "\"," +
         std::string(members) + "}";
}

std::string payload_with(std::string_view members) {
  return R"({"format":1,"tool_version":"1",)" + std::string(members) + "}";
}

TEST(ManifestTest, WhatIsWrittenReadsBack) {
  const auto decoded = decode_manifest(encode_manifest(example(), nullptr), {});
  ASSERT_TRUE(decoded.has_value()) << decoded.error().text();
  EXPECT_EQ(decoded->manifest, example());
  EXPECT_FALSE(decoded->has_signatures);
  EXPECT_EQ(decoded->signer, "");
}

TEST(ManifestTest, TheTextIsTheSameEachTime) {
  const PrivateKey key = key_of("a");
  EXPECT_EQ(encode_manifest(example(), &key), encode_manifest(example(), &key));
  const auto decoded = decode_manifest(encode_manifest(example(), &key), {});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(encode_manifest(decoded->manifest, &key), encode_manifest(example(), &key));
}

// github.com/secure-systems-lab/dsse, protocol.md.
TEST(ManifestTest, TheSignatureIsOverTheEncodingOfDsse) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  const PrivateKey key = key_of("a");
  const std::string payload = payload_with(R"("serial":3)");
  const std::string message =
      "DSSEv1 38 " + std::string(kType) + " " + std::to_string(payload.size()) + " " + payload;
  const PublicKey trusted[] = {key_of("b").public_key(), key.public_key()};
  // Without a key id: it is optional.
  const auto decoded = decode_manifest(
      envelope(payload, "{\"sig\":\"" + to_base64(sign(key, message)) + "\"}"), trusted);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().text();
  EXPECT_EQ(decoded->signer, key.public_key().id());
}

TEST(ManifestTest, OnlyATrustedKeySigns) {
  const PrivateKey key = key_of("a");
  const std::string text = encode_manifest(example(), &key);
  const PublicKey right[] = {key.public_key()};
  const PublicKey wrong[] = {key_of("b").public_key()};
  EXPECT_EQ(decode_manifest(text, right)->signer, key.public_key().id());
  const auto by_nobody = decode_manifest(text, wrong);
  ASSERT_TRUE(by_nobody);
  EXPECT_EQ(by_nobody->signer, "");
  EXPECT_TRUE(by_nobody->has_signatures);

  // The signature of another payload, under the same key id.
  Manifest other = example();
  other.serial += 1;
  const std::string signature = text.substr(text.find("\"signatures\""));
  std::string forged = encode_manifest(other, nullptr);
  forged = forged.substr(0, forged.find("\"signatures\"")) + signature;
  const auto decoded = decode_manifest(forged, right);
  ASSERT_TRUE(decoded.has_value()) << decoded.error().text();
  EXPECT_EQ(decoded->manifest, other);
  EXPECT_EQ(decoded->signer, "");
}

TEST(ManifestTest, DamageIsNamed) {
  const std::string digest = "\"digest\":\"" + sha256({}).text() + "\"";
  const struct {
    std::string text;
    std::string error;
  } cases[] = {
      {"{}", "the manifest is damaged: it is no manifest of a vigil database"},
      {R"({"payloadType":"application/vnd.in-toto+json","payload":""})",
       "the manifest is damaged: it is no manifest of a vigil database"},
      {std::string(R"({"payloadType":")") + kType + R"(","payload":"a"})",
       "the manifest is damaged: its payload is not base64: its length is not a multiple of four"},
      {envelope(R"({"format":2})"),
       "the manifest has format 2, this program reads format 1; install the vigil it was built "
       "for"},
      {envelope(payload_with(R"("serial":-1)")),
       "the manifest is damaged: 'serial' is no whole number"},
      {envelope(payload_with(R"("serial":1e300)")),
       "the manifest is damaged: 'serial' is no whole number"},
      {envelope(payload_with(R"("built_at":"yesterday")")),
       "the manifest is damaged: 'built_at' is no date"},
      {envelope("{\"format\":1,\"tool_version\":\"\\u001b[2J\"}"),
       "the manifest is damaged: 'tool_version' is no printable text"},
      {envelope(payload_with("\"attributions\":[\"\\u009b2J\"]")),
       "the manifest is damaged: 'attributions' is no printable text"},
      {envelope(payload_with("\"shards\":[" + shard_json("../../etc/passwd") + "]")),
       "the manifest is damaged: a shard without a proper name"},
      {envelope(payload_with("\"shards\":[" + shard_json("..") + "]")),
       "the manifest is damaged: a shard without a proper name"},
      {envelope(payload_with("\"shards\":[" + shard_json(std::string(101, 'a')) + "]")),
       "the manifest is damaged: a shard without a proper name"},
      {envelope(payload_with("\"shards\":[" + shard_json("b") + "," + shard_json("a") + "]")),
       "the manifest is damaged: shard a is out of order"},
      {envelope(payload_with("\"shards\":[" + shard_json("a") + "," + shard_json("a") + "]")),
       "the manifest is damaged: shard a is out of order"},
      {envelope(payload_with(R"("shards":[{"name":"a","digest":"sha256:AB"}])")),
       "the manifest is damaged: shard a has no digest"},
      {envelope(payload_with("\"shards\":[" + shard_json("a", "\"bytes\":5000000000") + "]")),
       "shard a has more than 4294967296 bytes"},
      {envelope(payload_with("\"shards\":[" +
                             shard_json("a", R"("sources":[{"name":"kev","coverage":"total"}])") +
                             "]")),
       "the manifest is damaged: an unknown coverage of kev"},
      {envelope(payload_with(R"("serial":1)"), R"({"sig":"?"})"),
       "the manifest is damaged: a signature is not base64: its length is not a multiple of four"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(error_of(text), error) << text;
}

TEST(ManifestTest, BoundsHold) {
  std::string signatures = R"({"sig":""})";
  for (uint64_t i = 0; i < limits::kSignaturesMax; ++i) signatures += R"(,{"sig":""})";
  EXPECT_EQ(error_of(envelope(payload_with(R"("serial":1)"), signatures)),
            "the manifest has more than 16 signatures");
  const std::string source = R"({"name":"s","coverage":"full"})";
  std::string sources = source;
  for (uint64_t i = 0; i < limits::kShardSourcesMax; ++i) sources += "," + source;
  EXPECT_EQ(error_of(envelope(payload_with(
                "\"shards\":[" + shard_json("a", "\"sources\":[" + sources + "]") + "]"))),
            "the manifest has more than 64 sources in shard a");
  const std::string large(limits::kDatabaseManifestBytesMax + 1, ' ');
  EXPECT_EQ(error_of(large), "the manifest has more than 16777216 bytes");
}

TEST(ManifestTest, FileNamesCarryTheDigest) {
  const Manifest manifest = example();
  ASSERT_NE(manifest.find("facts"), nullptr);
  EXPECT_EQ(manifest.find("facts")->file_name(), "shards/facts-e3b0c44298fc1c14.shard");
  EXPECT_EQ(manifest.find("debian"), nullptr);
}

TEST(ManifestTest, AFolderWithoutAManifestIsNotFound) {
  const auto missing = read_manifest(testing::TempDir() + "/vigil-no-such-folder", {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vigil::advisory
