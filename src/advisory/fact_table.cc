// Writing and reading are one walk over the values (the `code` functions), done by a Writer or a
// Reader that have the same members; what one puts the other takes, so the two cannot drift apart.
//
// Columns are made to suit what the sources hold:
// - A text that came before in its column is its number there; a new one is written as the length
// of
//   the front it shares with the last new one, and the rest.
// - A CVE id is a year and the distance to the CVE before it: lists of CVEs are mostly sorted. An
//   advisory's id is often its only CVE too, which costs one number.
// - Numbers are LEB128 with the first byte apart from the others, which have another distribution.
// - A CVSS score follows from its vector. EPSS scores and percentiles have five decimals; a
// percentile
//   is the rank of the score before it was rounded, so its distance to the rounded score's rank is
//   written (measured: 264 KB instead of 608 KB for 313,089 CVEs).
#include "advisory/fact_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>
#include <type_traits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kMagic = "VIGILFT1";

// The order is the order in the body.
enum class Column : uint8_t {
  kCounts,
  kSourceShard,
  kSourceName,
  kSourceCoverage,
  kSourceDate,
  kKnownShard,
  kKnownSource,
  kKnownPackage,
  kShard,
  kId,
  kCvesCount,
  kCve,
  kAliasesCount,
  kAlias,
  kSource,
  kVendorSeverity,
  kPublished,
  kModified,
  kFlags,
  kUrl,
  kCvssCount,
  kVector,
  kCvssVersion,
  kCvssScore,
  kCvssSource,
  kCwesCount,
  kCwe,
  kAffectedCount,
  kPackage,
  kNameKind,
  kState,
  kRangesCount,
  kIntroduced,
  kFixed,
  kLastAffected,
  kVersionsCount,
  kVersion,
  kFixedAt,
  kPackageSeverity,
  kModule,
  kChannel,
  kRepository,
  kArchesCount,
  kArch,
  kNotice,
  kEpss,
  kPercentile,
  kKnownExploitedAt,
  kEpssDate,
  kDistro,
  kRelease,
  kCodename,
  kReleasedAt,
  kEndOfLife,
  kEndOfExtendedLife,
  kColumnsCount,
};
constexpr size_t kColumnsCount = static_cast<size_t>(Column::kColumnsCount);

// The parts of a column: plain numbers, and what belongs to new texts and to dates.
enum class Part : uint8_t { kNumber, kNumberRest, kShape, kShapeRest, kText, kPartsCount };
constexpr size_t kPartsCount = static_cast<size_t>(Part::kPartsCount);

constexpr size_t place(Column column, Part part) {
  return static_cast<size_t>(column) * kPartsCount + static_cast<size_t>(part);
}
constexpr Part rest_of(Part part) {
  return static_cast<Part>(static_cast<uint8_t>(part) + 1);
}

uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

struct Cve {
  uint32_t year = 0;
  uint32_t number = 0;
};

std::string text_of(const Cve& cve) {
  return fmt::format("CVE-{:04}-{:04}", cve.year, cve.number);
}

// Nothing where the text is not exactly what text_of gives back.
bool parse_cve(std::string_view text, Cve& cve) {
  constexpr size_t kBytesMax = 18;  // Nine digits.
  if (!is_cve(text) || text.size() > kBytesMax) return false;
  std::from_chars(text.data() + 4, text.data() + 8, cve.year);
  std::from_chars(text.data() + 9, text.data() + text.size(), cve.number);
  return text_of(cve) == text;
}

// How an id is written.
enum IdForm : uint64_t { kIdText = 0, kIdSame = 1, kIdSameYear = 2, kIdOtherYear = 3 };

constexpr double kDecimals = 100'000;

bool is_same(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

// The value in hundred-thousandths, where that is the whole of it.
bool to_decimals(double value, uint64_t& units) {
  if (!(value >= 0 && value <= 100)) return false;
  units = static_cast<uint64_t>(std::llround(value * kDecimals));
  return is_same(static_cast<double>(units) / kDecimals, value);
}

class Writer {
 public:
  static constexpr bool kReads = false;

  bool is_sound() const { return true; }
  void refuse() {}

  void number(Column column, uint64_t& value) { put(column, Part::kNumber, value); }

  void text(Column column, std::string& value) {
    Words& words = words_[static_cast<size_t>(column)];
    const auto [found, is_new] = words.numbers.emplace(value, words.numbers.size() + 1);
    put(column, Part::kNumber, is_new ? 0 : found->second);
    if (is_new) put_new(column, words.last, value);
  }

  void id(Column column, std::string& value) {
    Cve cve;
    if (value == last_id_) {
      put(column, Part::kNumber, kIdSame);
      return;
    }
    last_id_ = value;
    if (!parse_cve(value, cve)) {
      put(column, Part::kNumber, kIdText);
      put_new(column, words_[static_cast<size_t>(column)].last, value);
      return;
    }
    const bool is_same_year = cve.year == last_cve_.year;
    put(column, Part::kNumber, is_same_year ? kIdSameYear : kIdOtherYear);
    if (!is_same_year) put(column, Part::kShape, cve.year);
    put(column, Part::kShape,
        is_same_year ? zigzag(int64_t{cve.number} - last_cve_.number) : cve.number);
    last_cve_ = cve;
  }

  void date(Column column, UnixSeconds& value) {
    put(column, Part::kNumber, static_cast<uint64_t>(value) / 86400);
    put(column, Part::kShape, static_cast<uint64_t>(value) % 86400);
  }

  // 0: below zero, as what is not known. 1: the bits follow. Else the hundred-thousandths.
  void decimal(Column column, double& value) {
    uint64_t units = 0;
    if (is_same(value, -1)) {
      put(column, Part::kNumber, 0);
    } else if (to_decimals(value, units)) {
      put(column, Part::kNumber, units + 2);
    } else {
      put(column, Part::kNumber, 1);
      put(column, Part::kShape, std::bit_cast<uint64_t>(value));
    }
  }

  std::string body() const {
    std::string out;
    for (const std::string& part : parts_) append_varint(out, part.size());
    for (const std::string& part : parts_) out += part;
    return out;
  }

 private:
  struct Words {
    std::map<std::string, uint64_t, std::less<>> numbers;
    std::string last;
  };

  void put(Column column, Part part, uint64_t value) {
    std::string bytes;
    append_varint(bytes, value);
    parts_[place(column, part)] += bytes[0];
    parts_[place(column, rest_of(part))].append(bytes, 1);
  }

  void put_new(Column column, std::string& last, const std::string& value) {
    const size_t shared =
        static_cast<size_t>(std::ranges::mismatch(last, value).in2 - value.begin());
    put(column, Part::kShape, shared);
    put(column, Part::kShape, value.size() - shared);
    parts_[place(column, Part::kText)].append(value, shared);
    last = value;
  }

  std::array<std::string, kColumnsCount * kPartsCount> parts_;
  std::array<Words, kColumnsCount> words_;
  std::string last_id_;
  Cve last_cve_;
};

class Reader {
 public:
  static constexpr bool kReads = true;

  static Result<Reader> open(ByteView body) {
    Reader reader;
    ByteReader bytes(body);
    std::array<uint64_t, kColumnsCount * kPartsCount> lengths = {};
    for (uint64_t& length : lengths) length = TRY(bytes.varint());
    for (size_t i = 0; i < lengths.size(); ++i) {
      reader.parts_[i] = ByteReader(TRY(bytes.take(lengths[i])));
    }
    if (!bytes.at_end()) return fail(ErrorCode::kMalformed, "bytes after the last column");
    return reader;
  }

  // False once anything did not fit; from then on every value is empty.
  bool is_sound() const { return is_sound_; }
  void refuse() { is_sound_ = false; }
  bool is_at_end() const {
    return std::ranges::all_of(parts_, [](const ByteReader& part) { return part.at_end(); });
  }

  void number(Column column, uint64_t& value) { value = take(column, Part::kNumber); }

  void text(Column column, std::string& value) {
    Words& words = words_[static_cast<size_t>(column)];
    const uint64_t known = take(column, Part::kNumber);
    if (!is_sound_) return;
    if (known == 0) {
      value = take_new(column, words.last);
      words.texts.push_back(value);
    } else if (known <= words.texts.size()) {
      value = words.texts[known - 1];
      spend(value.size());
    } else {
      is_sound_ = false;
    }
  }

  void id(Column column, std::string& value) {
    const uint64_t form = take(column, Part::kNumber);
    if (form == kIdSame) {
      spend(last_id_.size());
    } else if (form == kIdText) {
      last_id_ = take_new(column, words_[static_cast<size_t>(column)].last);
    } else if (form <= kIdOtherYear) {
      const bool is_same_year = form == kIdSameYear;
      const uint64_t year = is_same_year ? last_cve_.year : take(column, Part::kShape);
      const uint64_t number = take(column, Part::kShape);
      const int64_t exact = is_same_year ? last_cve_.number + unzigzag(number >> 32 ? 0 : number)
                                         : static_cast<int64_t>(number);
      constexpr int64_t kNumberMax = 999'999'999;
      is_sound_ &= year <= 9999 && number >> 32 == 0 && exact >= 0 && exact <= kNumberMax;
      if (!is_sound_) return;
      last_cve_ = {static_cast<uint32_t>(year), static_cast<uint32_t>(exact)};
      last_id_ = text_of(last_cve_);
      spend(last_id_.size());
    } else {
      is_sound_ = false;
    }
    value = last_id_;
  }

  void date(Column column, UnixSeconds& value) {
    const uint64_t days = take(column, Part::kNumber);
    value = static_cast<UnixSeconds>(days * 86400 + take(column, Part::kShape));
  }

  void decimal(Column column, double& value) {
    const uint64_t units = take(column, Part::kNumber);
    if (units == 1) {
      value = std::bit_cast<double>(take(column, Part::kShape));
    } else {
      value = units == 0 ? -1 : static_cast<double>(units - 2) / kDecimals;
    }
  }

 private:
  struct Words {
    std::vector<std::string> texts;
    std::string last;
  };

  uint64_t take(Column column, Part part) {
    ByteReader& first = parts_[place(column, part)];
    ByteReader& rest = parts_[place(column, rest_of(part))];
    uint64_t value = take_byte(first);
    bool is_more = value >= 0x80;
    value &= 0x7f;
    for (int shift = 7; is_more && is_sound_; shift += 7) {
      const uint64_t byte = take_byte(rest);
      is_sound_ &= shift <= 63;
      if (is_sound_) value |= (byte & 0x7f) << shift;
      is_more = byte >= 0x80;
    }
    return is_sound_ ? value : 0;
  }

  uint8_t take_byte(ByteReader& part) {
    is_sound_ &= !part.at_end();
    return is_sound_ ? *part.little<uint8_t>() : 0;
  }

  std::string take_new(Column column, std::string& last) {
    const uint64_t shared = take(column, Part::kShape);
    const uint64_t own = take(column, Part::kShape);
    const Result<ByteView> bytes = parts_[place(column, Part::kText)].take(own);
    is_sound_ &= shared <= last.size() && bytes.has_value();
    if (!is_sound_) return "";
    last.resize(shared);
    last += as_text(*bytes);
    spend(last.size());
    return last;
  }

  // Few bytes may stand for many texts; their sum is bounded.
  void spend(size_t count) {
    spent_bytes_ += count;
    is_sound_ &= spent_bytes_ <= limits::kFactTableBytesMax;
  }

  // Parts have no default; an empty view is one.
  template <size_t... kIndex>
  static std::array<ByteReader, sizeof...(kIndex)> no_parts(std::index_sequence<kIndex...>) {
    return {((void)kIndex, ByteReader(ByteView{}))...};
  }

  std::array<ByteReader, kColumnsCount * kPartsCount> parts_ =
      no_parts(std::make_index_sequence<kColumnsCount * kPartsCount>());
  std::array<Words, kColumnsCount> words_;
  std::string last_id_;
  Cve last_cve_;
  uint64_t spent_bytes_ = 0;
  bool is_sound_ = true;
};

// A list as its length and its items. Each item takes at least a byte of some column, so a length
// that is a lie ends with the column.
template <typename Codec, typename T, typename Each>
void code_list(Codec& codec, Column column, std::vector<T>& items, Each each) {
  uint64_t count = items.size();
  codec.number(column, count);
  if constexpr (Codec::kReads) {
    for (uint64_t i = 0; i < count && codec.is_sound(); ++i) each(items.emplace_back());
  } else {
    for (T& item : items) each(item);
  }
}

template <typename Codec>
void code_texts(Codec& codec, Column count, Column column, std::vector<std::string>& texts) {
  code_list(codec, count, texts, [&](std::string& text) { codec.text(column, text); });
}

template <typename Codec>
void code_ids(Codec& codec, Column count, Column column, std::vector<std::string>& ids) {
  code_list(codec, count, ids, [&](std::string& id) { codec.id(column, id); });
}

template <typename Codec, typename T>
void code_enum(Codec& codec, Column column, T& value, T last) {
  uint64_t number = static_cast<uint64_t>(value);
  codec.number(column, number);
  if (number > static_cast<uint64_t>(last)) return codec.refuse();
  value = static_cast<T>(number);
}

template <typename Codec>
void code_coverage(Codec& codec, Coverage& coverage) {
  uint64_t bits = (coverage.is_fixed_only ? 1u : 0u) | (coverage.is_subset ? 2u : 0u) |
                  (coverage.is_partial ? 4u : 0u);
  codec.number(Column::kSourceCoverage, bits);
  coverage = {.is_fixed_only = (bits & 1) != 0,
              .is_subset = (bits & 2) != 0,
              .is_partial = (bits & 4) != 0};
}

template <typename Codec>
void code(Codec& codec, Cvss& cvss) {
  codec.text(Column::kVector, cvss.vector);
  codec.text(Column::kCvssVersion, cvss.version);
  codec.text(Column::kCvssSource, cvss.source);
  // A score of -1 stands for the one that follows from the vector.
  const Result<Cvss> computed = parse_cvss(cvss.vector);
  double score = computed && is_same(computed->score, cvss.score) ? -1 : cvss.score;
  codec.decimal(Column::kCvssScore, score);
  cvss.score = is_same(score, -1) && computed ? computed->score : score;
}

template <typename Codec>
void code(Codec& codec, Affected& affected) {
  codec.text(Column::kPackage, affected.package);
  code_enum(codec, Column::kNameKind, affected.name_kind, NameKind::kEither);
  code_enum(codec, Column::kState, affected.state, FixState::kUnderInvestigation);
  code_list(codec, Column::kRangesCount, affected.ranges, [&](AffectedRange& range) {
    codec.text(Column::kIntroduced, range.introduced);
    codec.text(Column::kFixed, range.fixed);
    codec.text(Column::kLastAffected, range.last_affected);
  });
  code_texts(codec, Column::kVersionsCount, Column::kVersion, affected.versions);
  codec.date(Column::kFixedAt, affected.fixed_at);
  codec.text(Column::kPackageSeverity, affected.vendor_severity);
  codec.text(Column::kModule, affected.module);
  codec.text(Column::kChannel, affected.channel);
  codec.text(Column::kRepository, affected.repository);
  code_texts(codec, Column::kArchesCount, Column::kArch, affected.arches);
  code_enum(codec, Column::kNotice, affected.notice, NoticeKind::kNotice);
}

template <typename Codec>
void code(Codec& codec, Advisory& advisory) {
  codec.id(Column::kId, advisory.id);
  code_ids(codec, Column::kCvesCount, Column::kCve, advisory.cves);
  code_ids(codec, Column::kAliasesCount, Column::kAlias, advisory.aliases);
  codec.text(Column::kSource, advisory.source);
  codec.text(Column::kVendorSeverity, advisory.vendor_severity);
  code_list(codec, Column::kCvssCount, advisory.cvss, [&](Cvss& cvss) { code(codec, cvss); });
  code_texts(codec, Column::kCwesCount, Column::kCwe, advisory.cwes);
  codec.date(Column::kPublished, advisory.published_at);
  codec.date(Column::kModified, advisory.modified_at);
  uint64_t is_withdrawn = advisory.is_withdrawn ? 1 : 0;
  codec.number(Column::kFlags, is_withdrawn);
  advisory.is_withdrawn = is_withdrawn != 0;
  codec.text(Column::kUrl, advisory.url);
  code_list(codec, Column::kAffectedCount, advisory.affected,
            [&](Affected& affected) { code(codec, affected); });
}

template <typename Codec>
void code(Codec& codec, CveFacts& facts) {
  codec.id(Column::kId, facts.cve);
  code_list(codec, Column::kCvssCount, facts.cvss, [&](Cvss& cvss) { code(codec, cvss); });
  code_texts(codec, Column::kCwesCount, Column::kCwe, facts.cwes);
  codec.decimal(Column::kEpss, facts.epss);
  uint64_t bits = (facts.is_known_exploited ? 1u : 0u) | (facts.is_ransomware_known ? 2u : 0u) |
                  (facts.is_rejected ? 4u : 0u);
  codec.number(Column::kFlags, bits);
  facts.is_known_exploited = (bits & 1) != 0;
  facts.is_ransomware_known = (bits & 2) != 0;
  facts.is_rejected = (bits & 4) != 0;
  codec.date(Column::kKnownExploitedAt, facts.known_exploited_at);
  codec.date(Column::kPublished, facts.published_at);
}

// 0: none. 1: the value itself follows. Else the distance to the rank of the rounded score.
template <typename Codec>
void code_percentiles(Codec& codec, std::vector<CveFacts>& facts) {
  std::vector<double> scores;
  for (const CveFacts& one : facts) {
    if (one.epss >= 0) scores.push_back(one.epss);
  }
  std::ranges::sort(scores);
  for (CveFacts& one : facts) {
    const int64_t rank = std::ranges::lower_bound(scores, one.epss) - scores.begin();
    const int64_t expected = scores.empty() ? 0
                                            : rank * static_cast<int64_t>(kDecimals) /
                                                  static_cast<int64_t>(scores.size());
    uint64_t units = 0;
    uint64_t form = 1;
    if (is_same(one.epss_percentile, -1)) {
      form = 0;
    } else if (to_decimals(one.epss_percentile, units)) {
      form = 2 + zigzag(static_cast<int64_t>(units) - expected);
    }
    codec.number(Column::kPercentile, form);
    if (form >> 32 != 0) return codec.refuse();
    if (form == 1) {
      codec.decimal(Column::kPercentile, one.epss_percentile);
    } else if (Codec::kReads) {
      one.epss_percentile =
          form == 0 ? -1 : static_cast<double>(expected + unzigzag(form - 2)) / kDecimals;
    }
  }
}

template <typename Codec>
void code(Codec& codec, FactRecorder& table) {
  code_list(codec, Column::kCounts, table.sources, [&](FactRecorder::Source& source) {
    codec.text(Column::kSourceShard, source.shard);
    codec.text(Column::kSourceName, source.name);
    code_coverage(codec, source.coverage);
    codec.date(Column::kSourceDate, source.as_of);
  });
  code_list(codec, Column::kCounts, table.known_packages, [&](FactRecorder::KnownPackage& known) {
    codec.text(Column::kKnownShard, known.shard);
    codec.text(Column::kKnownSource, known.source);
    codec.text(Column::kKnownPackage, known.package);
  });
  code_list(codec, Column::kCounts, table.records, [&](FactRecorder::Record& record) {
    codec.text(Column::kShard, record.shard);
    code(codec, record.advisory);
  });
  code_list(codec, Column::kCounts, table.facts, [&](CveFacts& facts) { code(codec, facts); });
  code_percentiles(codec, table.facts);
  code_list(codec, Column::kCounts, table.releases, [&](ReleaseLife& life) {
    codec.text(Column::kDistro, life.distro);
    codec.text(Column::kRelease, life.release);
    codec.text(Column::kCodename, life.codename);
    codec.date(Column::kReleasedAt, life.released_at);
    codec.date(Column::kEndOfLife, life.end_of_life_at);
    codec.date(Column::kEndOfExtendedLife, life.end_of_extended_life_at);
  });
  codec.date(Column::kEpssDate, table.epss_at);
}

// The head, and where the body begins.
Result<std::pair<FactTableHead, std::string_view>> read_head(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return fail(ErrorCode::kMalformed, "not a fact table");
  bytes.remove_prefix(kMagic.size());
  ByteReader reader(as_bytes(bytes));
  FactTableHead head;
  head.name = TRY(reader.sized_text());
  head.feed = TRY(reader.sized_text());
  head.licence = TRY(reader.sized_text());
  head.attribution = TRY(reader.sized_text());
  head.as_of = static_cast<UnixSeconds>(TRY(reader.varint()));
  return std::pair(std::move(head), bytes.substr(reader.offset()));
}

Result<FactRecorder> read_body(std::string_view bytes) {
  const std::string body = TRY(decode::inflate_text(bytes, limits::kFactTableBytesMax));
  Reader reader = TRY(Reader::open(as_bytes(body)));
  FactRecorder table;
  code(reader, table);
  if (!reader.is_sound() || !reader.is_at_end()) {
    return fail(ErrorCode::kMalformed, "its columns do not fit each other");
  }
  return table;
}

// The order of CVEs by number; others by their text, before them.
std::tuple<uint32_t, uint32_t, std::string_view> sort_key(const CveFacts& facts) {
  Cve cve;
  if (!parse_cve(facts.cve, cve)) cve = {};
  return {cve.year, cve.number, facts.cve};
}

}  // namespace

void FactRecorder::add(std::string_view shard, Advisory advisory) {
  records.push_back({std::string(shard), std::move(advisory)});
}

void FactRecorder::add_source(std::string_view shard, std::string_view source, Coverage coverage,
                              UnixSeconds as_of) {
  sources.push_back({std::string(shard), std::string(source), coverage, as_of});
}

void FactRecorder::add_known_package(std::string_view shard, std::string_view source,
                                     std::string_view package) {
  known_packages.push_back({std::string(shard), std::string(source), std::string(package)});
}

void FactRecorder::add_facts(CveFacts one) {
  facts.push_back(std::move(one));
}

void FactRecorder::add_release(ReleaseLife life) {
  releases.push_back(std::move(life));
}

void FactRecorder::add_epss_date(UnixSeconds scored_at) {
  epss_at = std::max(epss_at, scored_at);
}

void FactRecorder::skip(std::string_view reason) {
  ++skipped[std::string(reason)];
}

Result<std::string> write_fact_table(const FactTableHead& head, FactRecorder facts) {
  std::ranges::stable_sort(facts.records, {}, [](const FactRecorder::Record& record) {
    return std::tuple<std::string_view, std::string_view, std::string_view>(
        record.shard, record.advisory.source, record.advisory.id);
  });
  std::ranges::stable_sort(facts.facts, {}, sort_key);
  Writer writer;
  code(writer, facts);
  std::string out(kMagic);
  for (const std::string* text : {&head.name, &head.feed, &head.licence, &head.attribution}) {
    append_sized_text(out, *text);
  }
  append_varint(out, static_cast<uint64_t>(head.as_of));
  return out + TRY(decode::compress_xz(writer.body()));
}

Result<FactTableHead> read_fact_table_head(std::string_view bytes) {
  return TRY(read_head(bytes)).first;
}

Status read_fact_table(std::string_view bytes, AdvisorySink& sink) {
  const auto [head, body] = TRY(read_head(bytes));
  FactRecorder table = TRY(with_context(read_body(body), "fact table " + head.name));
  for (const FactRecorder::Source& source : table.sources) {
    sink.add_source(source.shard, source.name, source.coverage, source.as_of);
  }
  for (const FactRecorder::KnownPackage& known : table.known_packages) {
    sink.add_known_package(known.shard, known.source, known.package);
  }
  for (FactRecorder::Record& record : table.records) {
    sink.add(record.shard, std::move(record.advisory));
  }
  for (CveFacts& facts : table.facts) sink.add_facts(std::move(facts));
  for (ReleaseLife& life : table.releases) sink.add_release(std::move(life));
  if (table.epss_at != 0) sink.add_epss_date(table.epss_at);
  return {};
}

}  // namespace vigil::advisory
