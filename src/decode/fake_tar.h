// A tar archive written entry by entry, right or wrong as asked. Tests only.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace vigil::decode {

class FakeTar {
 public:
  // A header block as it is, with its checksum made right, and the content after it.
  struct Entry {
    std::string path;
    char type = '0';
    std::string content;
    std::string link;
    std::string size_field;  // 12 bytes as they are; "" for the content's size in octal.
    bool is_gnu = false;
    bool has_checksum = true;
  };

  FakeTar& add(const Entry& entry) {
    bytes_ += header(entry);
    bytes_ += entry.content;
    bytes_.resize((bytes_.size() + 511) / 512 * 512, '\0');
    return *this;
  }
  FakeTar& file(std::string_view path, std::string_view content) {
    return add({.path = std::string(path),
                .type = '0',
                .content = std::string(content),
                .link = "",
                .size_field = ""});
  }
  FakeTar& folder(std::string_view path) { return node(path, '5', ""); }
  FakeTar& symlink(std::string_view path, std::string_view target) {
    return node(path, '2', target);
  }
  FakeTar& hard_link(std::string_view path, std::string_view target) {
    return node(path, '1', target);
  }
  FakeTar& node(std::string_view path, char type, std::string_view link) {
    return add({.path = std::string(path),
                .type = type,
                .content = "",
                .link = std::string(link),
                .size_field = ""});
  }
  FakeTar& long_name(std::string_view path) { return meta('L', path); }
  FakeTar& long_link(std::string_view path) { return meta('K', path); }
  FakeTar& pax(std::string_view records, char type = 'x') {
    return add({.path = "pax",
                .type = type,
                .content = std::string(records),
                .link = "",
                .size_field = ""});
  }
  FakeTar& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }

  const std::string& unfinished() const { return bytes_; }
  std::string finished() const { return bytes_ + std::string(1024, '\0'); }

  // "LENGTH KEY=VALUE\n".
  static std::string record(std::string_view key, std::string_view value) {
    const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
    size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) {
      length = std::to_string(length).size() + rest.size();
    }
    return std::to_string(length) + rest;
  }

  static std::string header(const Entry& entry) {
    std::string block(512, '\0');
    const auto put = [&](size_t at, std::string_view text, size_t bytes) {
      block.replace(at, std::min(text.size(), bytes), text.substr(0, bytes));
    };
    char number[32];
    put(0, entry.path, 100);
    put(100, "0000644", 8);
    put(108, "0000000", 8);
    put(116, "0000000", 8);
    std::snprintf(number, sizeof(number), "%011zo", entry.content.size());
    put(124, entry.size_field.empty() ? std::string_view(number) : entry.size_field, 12);
    put(136, "00000000000", 12);
    block[156] = entry.type;
    put(157, entry.link, 100);
    put(257, entry.is_gnu ? std::string_view("ustar  \0", 8) : std::string_view("ustar\00000", 8),
        8);
    if (!entry.has_checksum) return block;
    return with_checksum(block);
  }
  static std::string with_checksum(std::string block) {
    block.replace(148, 8, "        ");
    unsigned sum = 0;
    for (const char byte : block) sum += static_cast<uint8_t>(byte);
    char number[32];
    std::snprintf(number, sizeof(number), "%06o", sum);
    block.replace(148, 7, std::string_view(number, 7));
    return block;
  }
  // Makes every header right that begins at a whole block, so that changed archives are read on.
  static std::string with_checksums(std::string tar) {
    for (size_t at = 0; at + 512 <= tar.size(); at += 512) {
      if (tar.compare(at + 257, 5, "ustar") != 0) continue;
      tar.replace(at, 512, with_checksum(tar.substr(at, 512)));
    }
    return tar;
  }

 private:
  FakeTar& meta(char type, std::string_view text) {
    return add({.path = "././@LongLink",
                .type = type,
                .content = std::string(text) + '\0',
                .link = "",
                .size_field = "",
                .is_gnu = true});
  }

  std::string bytes_;
};

}  // namespace vigil::decode
