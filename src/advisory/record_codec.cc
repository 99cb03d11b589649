#include "advisory/record_codec.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>

namespace vigil::advisory {

namespace {

// The two lowest bits of a text's head.
constexpr uint64_t kInline = 0;    // Then the length, and the bytes.
constexpr uint64_t kReferred = 1;  // Then a reference.
constexpr uint64_t kCve = 2;       // Then number << 7 | year - kFirstYear.
constexpr uint64_t kFirstYear = 1980;
constexpr unsigned kYearBits = 7;
constexpr unsigned kNumberBits = 40;
constexpr uint64_t kNumberMask = (uint64_t{1} << kNumberBits) - 1;

constexpr int64_t kDaySeconds = 86'400;

// Which parts an advisory has.
enum AdvisoryFlag : uint64_t {
  kWithdrawn = 1 << 0,
  kIsItsCve = 1 << 1,  // Its CVEs are its id.
  kCves = 1 << 2,
  kSeverity = 1 << 3,
  kCvss = 1 << 4,
  kPublished = 1 << 5,
  kModified = 1 << 6,
  kCwes = 1 << 7,
  kAliases = 1 << 8,
  kUrl = 1 << 9,
};

// An affected entry: three bits of state, two of the name's kind, two of the ranges' form, then
// which parts it has.
constexpr uint64_t kStateMask = 7;
constexpr unsigned kNameShift = 3;
constexpr unsigned kRangesShift = 5;
enum RangesForm : uint64_t { kNoRange = 0, kAllVersions = 1, kBelowFix = 2, kRangeList = 3 };
enum AffectedFlag : uint64_t {
  kVersions = 1 << 7,
  kFixedAt = 1 << 8,
  kOwnSeverity = 1 << 9,
  kModule = 1 << 10,
  kChannel = 1 << 11,
  kRepository = 1 << 12,
  kArches = 1 << 13,
  kNotice = 1 << 14,
};

enum FactFlag : uint64_t {
  kEpss = 1 << 0,
  kExploited = 1 << 1,
  kRansomware = 1 << 2,
  kRejected = 1 << 3,
  kFactCvss = 1 << 4,
  kFactCwes = 1 << 5,
  kFactPublished = 1 << 6,
};
constexpr double kEpssScale = 100'000;  // FIRST publishes five decimals.
constexpr double kScoreScale = 10;

uint64_t flag_if(bool condition, uint64_t flag) {
  return condition ? flag : 0;
}

uint64_t to_zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t from_zigzag(uint64_t zigzag) {
  return static_cast<int64_t>(zigzag >> 1) ^ -static_cast<int64_t>(zigzag & 1);
}

// Dates are mostly whole days.
void append_time(std::string& out, UnixSeconds time) {
  const bool is_day = time % kDaySeconds == 0;
  const int64_t value = is_day ? time / kDaySeconds : time;
  append_varint(out, to_zigzag(value) << 1 | (is_day ? 0 : 1));
}

// A number of few decimals exactly; others by their bits.
void append_decimal(std::string& out, double value, double scale) {
  const double scaled = std::round(value * scale);
  if (scaled >= 0 && scaled < 1e15 && scaled / scale == value && !std::signbit(value)) {
    append_varint(out, static_cast<uint64_t>(scaled) << 1);
    return;
  }
  append_varint(out, 1);
  append_little<uint64_t>(out, std::bit_cast<uint64_t>(value));
}

void append_texts(std::string& out, const std::vector<std::string>& list, TextSink& texts) {
  append_varint(out, list.size());
  for (const std::string& text : list) append_text(out, text, texts);
}

// A score is one text: the same vectors come back in thousands of records.
void append_cvss(std::string& out, const std::vector<Cvss>& list, TextSink& texts) {
  append_varint(out, list.size());
  for (const Cvss& cvss : list) {
    std::string one;
    append_sized_text(one, cvss.vector);
    append_sized_text(one, cvss.version);
    append_sized_text(one, cvss.source);
    append_decimal(one, cvss.score, kScoreScale);
    append_text(out, one, texts);
  }
}

RangesForm form_of(const std::vector<AffectedRange>& ranges) {
  if (ranges.empty()) return kNoRange;
  const AffectedRange& first = ranges.front();
  if (ranges.size() > 1 || !first.introduced.empty() || !first.last_affected.empty()) {
    return kRangeList;
  }
  return first.fixed.empty() ? kAllVersions : kBelowFix;
}

}  // namespace

std::optional<uint64_t> cve_key(std::string_view cve) {
  if (!is_cve(cve)) return std::nullopt;
  uint64_t year = 0;
  uint64_t number = 0;
  std::from_chars(cve.data() + 4, cve.data() + 8, year);
  const auto parsed = std::from_chars(cve.data() + 9, cve.data() + cve.size(), number);
  const bool is_usual = cve.size() == 13 || cve[9] != '0';
  if (parsed.ec != std::errc() || !is_usual || number >> kNumberBits != 0) return std::nullopt;
  return year << kNumberBits | number;
}

std::string cve_of_key(uint64_t key) {
  // Written from its end.
  char text[48];
  char* at = std::end(text);
  const auto write = [&](uint64_t number) {
    const char* const padded = at - 4;
    for (; number != 0 || at > padded; number /= 10) *--at = static_cast<char>('0' + number % 10);
  };
  write(key & kNumberMask);
  *--at = '-';
  write(key >> kNumberBits);
  at -= 4;
  std::memcpy(at, "CVE-", 4);
  return {at, std::end(text)};
}

void append_text(std::string& out, std::string_view text, TextSink& texts) {
  if (const std::optional<uint64_t> key = cve_key(text)) {
    const uint64_t year = *key >> kNumberBits;
    const uint64_t number = *key & kNumberMask;
    if (year >= kFirstYear && year < kFirstYear + (1 << kYearBits)) {
      append_varint(out, (number << kYearBits | (year - kFirstYear)) << 2 | kCve);
      return;
    }
  }
  if (!text.empty()) {
    if (const std::optional<uint64_t> reference = texts.reference(text)) {
      append_varint(out, *reference << 2 | kReferred);
      return;
    }
  }
  append_varint(out, text.size() << 2 | kInline);
  out += text;
}

void append_signed(std::string& out, int64_t value) {
  append_varint(out, to_zigzag(value));
}

void append_advisory(std::string& out, const Advisory& advisory, TextSink& texts) {
  const bool is_its_cve = advisory.cves.size() == 1 && advisory.cves[0] == advisory.id;
  append_varint(
      out,
      flag_if(advisory.is_withdrawn, kWithdrawn) | flag_if(is_its_cve, kIsItsCve) |
          flag_if(!is_its_cve && !advisory.cves.empty(), kCves) |
          flag_if(!advisory.vendor_severity.empty(), kSeverity) |
          flag_if(!advisory.cvss.empty(), kCvss) | flag_if(advisory.published_at != 0, kPublished) |
          flag_if(advisory.modified_at != 0, kModified) | flag_if(!advisory.cwes.empty(), kCwes) |
          flag_if(!advisory.aliases.empty(), kAliases) | flag_if(!advisory.url.empty(), kUrl));
  append_text(out, advisory.id, texts);
  append_text(out, advisory.source, texts);
  if (!is_its_cve && !advisory.cves.empty()) append_texts(out, advisory.cves, texts);
  if (!advisory.vendor_severity.empty()) append_text(out, advisory.vendor_severity, texts);
  if (!advisory.cvss.empty()) append_cvss(out, advisory.cvss, texts);
  if (advisory.published_at != 0) append_time(out, advisory.published_at);
  if (advisory.modified_at != 0) append_time(out, advisory.modified_at);
  if (!advisory.cwes.empty()) append_texts(out, advisory.cwes, texts);
  if (!advisory.aliases.empty()) append_texts(out, advisory.aliases, texts);
  if (!advisory.url.empty()) append_text(out, advisory.url, texts);
}

void append_affected(std::string& out, const Affected& affected, TextSink& texts) {
  const RangesForm form = form_of(affected.ranges);
  append_varint(out, static_cast<uint64_t>(affected.state) |
                         static_cast<uint64_t>(affected.name_kind) << kNameShift |
                         static_cast<uint64_t>(form) << kRangesShift |
                         flag_if(!affected.versions.empty(), kVersions) |
                         flag_if(affected.fixed_at != 0, kFixedAt) |
                         flag_if(!affected.vendor_severity.empty(), kOwnSeverity) |
                         flag_if(!affected.module.empty(), kModule) |
                         flag_if(!affected.channel.empty(), kChannel) |
                         flag_if(!affected.repository.empty(), kRepository) |
                         flag_if(!affected.arches.empty(), kArches) |
                         flag_if(affected.notice != NoticeKind::kNone, kNotice));
  if (form == kBelowFix) append_text(out, affected.ranges[0].fixed, texts);
  if (form == kRangeList) {
    append_varint(out, affected.ranges.size());
    for (const AffectedRange& range : affected.ranges) {
      append_text(out, range.introduced, texts);
      append_text(out, range.fixed, texts);
      append_text(out, range.last_affected, texts);
    }
  }
  if (!affected.versions.empty()) append_texts(out, affected.versions, texts);
  if (affected.fixed_at != 0) append_time(out, affected.fixed_at);
  if (!affected.vendor_severity.empty()) append_text(out, affected.vendor_severity, texts);
  if (!affected.module.empty()) append_text(out, affected.module, texts);
  if (!affected.channel.empty()) append_text(out, affected.channel, texts);
  if (!affected.repository.empty()) append_text(out, affected.repository, texts);
  if (!affected.arches.empty()) append_texts(out, affected.arches, texts);
  if (affected.notice != NoticeKind::kNone) {
    append_varint(out, static_cast<uint64_t>(affected.notice));
  }
}

void append_facts(std::string& out, const CveFacts& facts, TextSink& texts) {
  const bool has_epss = facts.epss >= 0 || facts.epss_percentile >= 0;
  const bool is_exploited = facts.is_known_exploited || facts.known_exploited_at != 0;
  append_varint(out, flag_if(has_epss, kEpss) | flag_if(is_exploited, kExploited) |
                         flag_if(facts.is_ransomware_known, kRansomware) |
                         flag_if(facts.is_rejected, kRejected) |
                         flag_if(!facts.cvss.empty(), kFactCvss) |
                         flag_if(!facts.cwes.empty(), kFactCwes) |
                         flag_if(facts.published_at != 0, kFactPublished));
  if (has_epss) {
    // Equal scores have equal percentiles: the pair is one text that many CVEs share.
    std::string pair;
    append_decimal(pair, facts.epss, kEpssScale);
    append_decimal(pair, facts.epss_percentile, kEpssScale);
    append_text(out, pair, texts);
  }
  if (is_exploited) {
    append_varint(out, facts.is_known_exploited ? 1 : 0);
    append_time(out, facts.known_exploited_at);
  }
  if (!facts.cvss.empty()) append_cvss(out, facts.cvss, texts);
  if (!facts.cwes.empty()) append_texts(out, facts.cwes, texts);
  if (facts.published_at != 0) append_time(out, facts.published_at);
}

void append_release(std::string& out, const ReleaseLife& life, TextSink& texts) {
  append_text(out, life.distro, texts);
  append_text(out, life.release, texts);
  append_text(out, life.codename, texts);
  append_time(out, life.released_at);
  append_time(out, life.end_of_life_at);
  append_time(out, life.end_of_extended_life_at);
}

// --- Reading ----------------------------------------------------------------------------------

std::unexpected<Error> answer_too_large() {
  return fail(ErrorCode::kTooLarge, "the answer is larger than kLookupBytesMax");
}

Status RecordReader::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

void RecordReader::fail_with(Error error) {
  if (!error_) error_ = std::move(error);
}

void RecordReader::malformed(std::string_view what) {
  fail_with({ErrorCode::kMalformed, "a record is malformed: " + std::string(what), {}});
}

bool RecordReader::overspend() {
  fail_with(answer_too_large().error());
  return false;
}

uint64_t RecordReader::long_varint() {
  if (error_) return 0;
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && offset_ < bytes_.size(); shift += 7) {
    const uint8_t byte = bytes_[offset_++];
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  malformed("a number is cut short");
  return 0;
}

int64_t RecordReader::signed_varint() {
  return from_zigzag(varint());
}

ByteView RecordReader::take(uint64_t count) {
  if (error_) return {};
  if (count > bytes_.size() - offset_) {
    malformed("a text is cut short");
    return {};
  }
  const ByteView taken = bytes_.subspan(offset_, count);
  offset_ += count;
  return taken;
}

uint64_t RecordReader::limited(uint64_t value, uint64_t max) {
  if (value <= max) return value;
  malformed("a kind is unknown");
  return 0;
}

std::string RecordReader::text() {
  std::string out;
  read(out);
  return out;
}

void RecordReader::read(std::string& out) {
  const std::string_view view = text_view();
  out = spend(view.size()) ? view : std::string_view();
}

std::string_view RecordReader::text_view() {
  const uint64_t head = varint();
  if (error_) return {};
  const uint64_t value = head >> 2;
  switch (head & 3) {
    case kInline:
      return as_text(take(value));
    case kReferred: {
      const Result<std::string_view> found = texts_.referred(value);
      if (found) return *found;
      fail_with(found.error());
      return {};
    }
    case kCve: {
      const uint64_t number = limited(value >> kYearBits, kNumberMask);
      const uint64_t year = (value & ((1 << kYearBits) - 1)) + kFirstYear;
      cve_ = cve_of_key(year << kNumberBits | number);
      return cve_;
    }
    default:
      malformed("a text's kind is unknown");
      return {};
  }
}

namespace {

struct NoTexts : TextSource {
  Result<std::string_view> referred(uint64_t) const override {
    return fail(ErrorCode::kMalformed, "a reference stands where none may");
  }
};

}  // namespace

// Every element takes a byte at least, so that a list is never longer than what is left.
template <typename T>
void RecordReader::read(std::vector<T>& out) {
  const uint64_t count = varint();
  if (count > bytes_.size() - offset_) {
    malformed("a list is longer than its record");
    return;
  }
  if (!spend(count * sizeof(T))) return;
  out.resize(count);
  for (uint64_t i = 0; i < count && is_good(); ++i) read(out[i]);
}

template <typename T>
void RecordReader::read_if(bool is_there, T& out) {
  out.clear();
  if (is_there) read(out);
}

double RecordReader::decimal(double scale) {
  const uint64_t head = varint();
  if ((head & 1) == 0) return static_cast<double>(head >> 1) / scale;
  ByteReader bits(take(sizeof(uint64_t)));
  const Result<uint64_t> value = bits.little<uint64_t>();
  return value ? std::bit_cast<double>(*value) : 0;
}

void RecordReader::read(Cvss& out) {
  static const NoTexts none;
  RecordReader inner(as_bytes(text_view()), none, budget_);
  out.vector = as_text(inner.take(inner.varint()));
  out.version = as_text(inner.take(inner.varint()));
  out.source = as_text(inner.take(inner.varint()));
  out.score = inner.decimal(kScoreScale);
  if (inner.error_) fail_with(*inner.error_);
  spend(out.vector.size() + out.version.size() + out.source.size());
}

void RecordReader::read(AffectedRange& out) {
  read(out.introduced);
  read(out.fixed);
  read(out.last_affected);
}

namespace {

UnixSeconds time_of(RecordReader& reader) {
  const uint64_t head = reader.varint();
  const int64_t value = from_zigzag(head >> 1);
  if ((head & 1) != 0) return value;
  constexpr int64_t kDaysMax = INT64_MAX / kDaySeconds;
  return std::clamp<int64_t>(value, -kDaysMax, kDaysMax) * kDaySeconds;
}

}  // namespace

Advisory RecordReader::advisory() {
  Advisory out;
  read(out);
  return out;
}

Affected RecordReader::affected() {
  Affected out;
  read(out);
  return out;
}

void RecordReader::read(Advisory& out) {
  if (!spend(sizeof(out))) return;
  const uint64_t flags = varint();
  out.is_withdrawn = (flags & kWithdrawn) != 0;
  read(out.id);
  read(out.source);
  read_if((flags & kCves) != 0, out.cves);
  if ((flags & kIsItsCve) != 0) out.cves.push_back(out.id);
  read_if((flags & kSeverity) != 0, out.vendor_severity);
  read_if((flags & kCvss) != 0, out.cvss);
  out.published_at = (flags & kPublished) != 0 ? time_of(*this) : 0;
  out.modified_at = (flags & kModified) != 0 ? time_of(*this) : 0;
  read_if((flags & kCwes) != 0, out.cwes);
  read_if((flags & kAliases) != 0, out.aliases);
  read_if((flags & kUrl) != 0, out.url);
}

void RecordReader::read(Affected& out) {
  if (!spend(sizeof(out))) return;
  const uint64_t flags = varint();
  out.state = static_cast<FixState>(
      limited(flags & kStateMask, static_cast<uint64_t>(FixState::kUnderInvestigation)));
  out.name_kind = static_cast<NameKind>(
      limited(flags >> kNameShift & 3, static_cast<uint64_t>(NameKind::kEither)));
  switch (static_cast<RangesForm>(flags >> kRangesShift & 3)) {
    case kNoRange:
      out.ranges.clear();
      break;
    case kAllVersions:
      out.ranges.assign(1, {});
      break;
    case kBelowFix:
      out.ranges.resize(1);
      out.ranges[0].introduced.clear();
      read(out.ranges[0].fixed);
      out.ranges[0].last_affected.clear();
      break;
    case kRangeList:
      read(out.ranges);
  }
  read_if((flags & kVersions) != 0, out.versions);
  out.fixed_at = (flags & kFixedAt) != 0 ? time_of(*this) : 0;
  read_if((flags & kOwnSeverity) != 0, out.vendor_severity);
  read_if((flags & kModule) != 0, out.module);
  read_if((flags & kChannel) != 0, out.channel);
  read_if((flags & kRepository) != 0, out.repository);
  read_if((flags & kArches) != 0, out.arches);
  out.notice = NoticeKind::kNone;
  if ((flags & kNotice) != 0) {
    out.notice =
        static_cast<NoticeKind>(limited(varint(), static_cast<uint64_t>(NoticeKind::kNotice)));
  }
}

CveFacts RecordReader::facts() {
  CveFacts out;
  const uint64_t flags = varint();
  if ((flags & kEpss) != 0) {
    static const NoTexts none;
    RecordReader pair(as_bytes(text_view()), none, budget_);
    out.epss = pair.decimal(kEpssScale);
    out.epss_percentile = pair.decimal(kEpssScale);
    if (pair.error_) fail_with(*pair.error_);
  }
  if ((flags & kExploited) != 0) {
    out.is_known_exploited = varint() != 0;
    out.known_exploited_at = time_of(*this);
  }
  out.is_ransomware_known = (flags & kRansomware) != 0;
  out.is_rejected = (flags & kRejected) != 0;
  read_if((flags & kFactCvss) != 0, out.cvss);
  read_if((flags & kFactCwes) != 0, out.cwes);
  if ((flags & kFactPublished) != 0) out.published_at = time_of(*this);
  return out;
}

void RecordReader::skip_text() {
  const uint64_t head = varint();
  if ((head & 3) == kInline) take(head >> 2);
}

void RecordReader::skip_texts() {
  const uint64_t count = varint();
  for (uint64_t i = 0; i < count && has_more(); ++i) skip_text();
}

void RecordReader::skip_facts() {
  const uint64_t flags = varint();
  if ((flags & kEpss) != 0) skip_text();
  if ((flags & kExploited) != 0) {
    varint();
    varint();
  }
  if ((flags & kFactCvss) != 0) skip_texts();
  if ((flags & kFactCwes) != 0) skip_texts();
  if ((flags & kFactPublished) != 0) varint();
}

ReleaseLife RecordReader::release() {
  ReleaseLife out;
  out.distro = text();
  out.release = text();
  out.codename = text();
  out.released_at = time_of(*this);
  out.end_of_life_at = time_of(*this);
  out.end_of_extended_life_at = time_of(*this);
  return out;
}

}  // namespace vigil::advisory
