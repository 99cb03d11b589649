#include "advisory/signature.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/digest.h"
#include "base/file.h"

namespace vigil::advisory {
namespace {

std::string bytes_of(std::string_view hex) {
  return from_hex(hex).value_or("not hexadecimal");
}

struct Rfc8032Vector {
  const char* secret_key;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032 section 7.1, tests 1 to 3.
constexpr Rfc8032Vector kVectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
     "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}};

TEST(SignatureTest, VectorsOfRfc8032Hold) {
  for (const Rfc8032Vector& vector : kVectors) {
    const PrivateKey key{bytes_of(vector.secret_key), ""};
    const std::string message = bytes_of(vector.message);
    const std::string signature = sign(key, message);
    EXPECT_EQ(to_hex(as_bytes(key.public_key().raw)), vector.public_key);
    EXPECT_EQ(to_hex(as_bytes(signature)), vector.signature);
    EXPECT_TRUE(is_signed_by(key.public_key(), message, signature));
  }
}

TEST(SignatureTest, AnyChangedBitIsNoSignature) {
  const PrivateKey key{bytes_of(kVectors[1].secret_key), ""};
  const PublicKey public_key = key.public_key();
  const std::string message = "a manifest";
  const std::string signature = sign(key, message);
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(is_signed_by(public_key, message, changed)) << bit;
  }
  EXPECT_FALSE(is_signed_by(public_key, "A manifest", signature));
  EXPECT_FALSE(is_signed_by(public_key, message, signature.substr(1)));
  EXPECT_FALSE(is_signed_by(public_key, message, ""));
  EXPECT_FALSE(is_signed_by(PublicKey{std::string(32, '\xff'), ""}, message, signature));
  EXPECT_FALSE(is_signed_by(PublicKey{}, message, signature));
}

TEST(SignatureTest, KeysAreOneLineOfText) {
  const PrivateKey key{bytes_of(kVectors[0].secret_key), "release key 1"};
  const PublicKey public_key = key.public_key();
  EXPECT_EQ(public_key.text(),
            "vigil-ed25519 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= release key 1\n");
  EXPECT_EQ(public_key.id(), "21fe31dfa154a261");
  const auto parsed = PublicKey::parse(public_key.text());
  ASSERT_TRUE(parsed.has_value()) << parsed.error().text();
  EXPECT_EQ(parsed->raw, public_key.raw);
  EXPECT_EQ(parsed->comment, "release key 1");
  const auto parsed_private = PrivateKey::parse(key.text());
  ASSERT_TRUE(parsed_private.has_value()) << parsed_private.error().text();
  EXPECT_EQ(parsed_private->raw, key.raw);
}

TEST(SignatureTest, OtherTextsAreNoKeysAndAreNotRepeated) {
  const PrivateKey key{bytes_of(kVectors[0].secret_key), ""};
  const std::string others[] = {"",
                                "vigil-ed25519",
                                "vigil-ed25519 AAAA",
                                key.public_key().text() + key.public_key().text(),
                                "vigil-ed25519 \x1b[2J",
                                "vigil-ed25519  " + std::string(43, 'A') + "=",
                                std::string(5000, 'A')};
  for (const std::string& text : others) {
    EXPECT_FALSE(PublicKey::parse(text)) << text;
  }
  const auto swapped = PublicKey::parse(key.text());
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().text(),
            "not a key of the form 'vigil-ed25519 BASE64 COMMENT': it is a private key");
  EXPECT_FALSE(PrivateKey::parse(key.public_key().text()));
}

TEST(SignatureTest, GeneratedKeysDiffer) {
  const auto one = PrivateKey::generate("a");
  const auto two = PrivateKey::generate("a");
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->raw, two->raw);
  EXPECT_FALSE(PrivateKey::generate("two\nlines"));
}

TEST(SignatureTest, FoldersOfKeysAreReadInOrderOfNames) {
  const std::string folder = testing::TempDir() + "/vigil-keys-" + std::to_string(getpid());
  ASSERT_TRUE(make_folders(folder));
  const auto one = PublicKey{bytes_of(kVectors[0].public_key), "one"};
  const auto two = PublicKey{bytes_of(kVectors[1].public_key), "two"};
  ASSERT_TRUE(write_atomically(folder + "/b.pub", one.text()));
  ASSERT_TRUE(write_atomically(folder + "/a.pub", two.text()));
  ASSERT_TRUE(write_atomically(folder + "/README", "no key"));
  const auto keys = read_public_keys(folder);
  ASSERT_TRUE(keys.has_value()) << keys.error().text();
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].comment, "two");
  EXPECT_EQ((*keys)[1].comment, "one");
  EXPECT_EQ(read_public_keys(folder + "/b.pub").value().size(), 1u);
  EXPECT_EQ(read_public_keys(folder + "/absent").value().size(), 0u);

  ASSERT_TRUE(write_atomically(folder + "/c.pub", "no key"));
  const auto failed = read_public_keys(folder);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().context, std::vector<std::string>{folder + "/c.pub"});
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vigil::advisory
