// How advisories, facts and releases are written as bytes, in shards and while one is being built.
// DB_FORMAT.md describes the forms under "Records". Hostile input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "model/advisory.h"

namespace vigil::advisory {

// Where texts are kept that occur several times; a record then holds a reference.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual std::optional<uint64_t> reference(std::string_view text) = 0;  // Nothing: written inline.
};
class TextSource {
 public:
  virtual ~TextSource() = default;
  virtual Result<std::string_view> referred(uint64_t reference) const = 0;
};

void append_text(std::string& out, std::string_view text, TextSink& texts);
void append_signed(std::string& out, int64_t value);
void append_advisory(std::string& out, const Advisory& advisory, TextSink& texts);  // No affected.
void append_affected(std::string& out, const Affected& affected, TextSink& texts);  // No package.
void append_facts(std::string& out, const CveFacts& facts, TextSink& texts);        // No cve.
void append_release(std::string& out, const ReleaseLife& life, TextSink& texts);

std::unexpected<Error> answer_too_large();

// The reading side. The first failure sticks: from then on every call gives an empty value, and
// status() says what it was. `budget` bounds the bytes that may be made of what is read, over all
// readers that share it: references make large answers of small records.
class RecordReader {
 public:
  RecordReader(ByteView bytes, const TextSource& texts, uint64_t& budget)
      : bytes_(bytes), texts_(texts), budget_(budget) {}

  bool is_good() const { return !error_; }
  bool has_more() const { return is_good() && offset_ < bytes_.size(); }
  Status status() const;

  uint64_t varint() {
    const bool is_short = has_more() && bytes_[offset_] < 0x80;
    return is_short ? bytes_[offset_++] : long_varint();
  }
  int64_t signed_varint();
  ByteView take(uint64_t count);
  std::string text();
  // The same without a copy: valid while the bytes and the source's are, and until the next call.
  std::string_view text_view();
  Advisory advisory();
  Affected affected();
  // The same over an old value, whose memory is used again.
  void read(Advisory& out);
  void read(Affected& out);
  CveFacts facts();
  void skip_facts();  // As facts(), for rows that nobody asked for.
  ReleaseLife release();
  void fail_with(Error error);

 private:
  uint64_t limited(uint64_t value, uint64_t max);  // Fails past `max`.
  double decimal(double scale);
  void skip_text();
  void skip_texts();
  void read(std::string& out);
  void read(Cvss& out);
  void read(AffectedRange& out);
  template <typename T>
  void read(std::vector<T>& out);
  // A part that is there only where its flag is set.
  template <typename T>
  void read_if(bool is_there, T& out);
  void malformed(std::string_view what);
  bool spend(uint64_t bytes) {
    if (error_ || bytes > budget_) return overspend();
    budget_ -= bytes;
    return true;
  }
  bool overspend();
  uint64_t long_varint();

  ByteView bytes_;
  size_t offset_ = 0;
  const TextSource& texts_;
  uint64_t& budget_;
  std::optional<Error> error_;
  std::string cve_;  // What text_view() made of a number.
};

// "CVE-2024-0123" as a number that sorts by year and number: year << 40 | number. Nothing for ids
// that are not written in the one usual way, or too large.
std::optional<uint64_t> cve_key(std::string_view cve);
std::string cve_of_key(uint64_t key);

}  // namespace vigil::advisory
