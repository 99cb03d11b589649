// The way of an advisory: add() writes it with references into the pool of all texts, so that
// nothing is kept twice. write() reads it back, counts how often each text is used in this shard,
// gives the frequent ones a place in the shard's section of texts, and writes the record again.
#include "advisory/shard_writer.h"

#include <algorithm>
#include <tuple>

#include "advisory/record_codec.h"
#include "base/check.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr size_t kGroupRows = 16;  // CVEs that one entry of the facts' index stands for.
// What a reference takes, about; a text that is not shorter so is written inline.
constexpr uint64_t kReferenceBytes = 3;

class PoolSink : public TextSink {
 public:
  explicit PoolSink(BytePool& pool) : pool_(pool) {}
  std::optional<uint64_t> reference(std::string_view text) override { return pool_.add(text); }

 private:
  BytePool& pool_;
};

class PoolSource : public TextSource {
 public:
  explicit PoolSource(const BytePool& pool) : pool_(pool) {}
  Result<std::string_view> referred(uint64_t reference) const override {
    CHECK(reference < pool_.size());
    return pool_.at(static_cast<uint32_t>(reference));
  }

 private:
  const BytePool& pool_;
};

class NoSink : public TextSink {
 public:
  std::optional<uint64_t> reference(std::string_view) override { return std::nullopt; }
};

// Counts while records are written for nothing; after settle() it gives references.
class TextTable : public TextSink {
 public:
  explicit TextTable(const BytePool& pool) : pool_(pool), uses_(pool.size()) {}

  std::optional<uint64_t> reference(std::string_view text) override {
    const std::optional<uint32_t> number = pool_.find(text);
    CHECK(number.has_value());
    if (offsets_.empty()) {
      ++uses_[*number];
      return std::nullopt;
    }
    const uint64_t offset = offsets_[*number];
    return offset == kNowhere ? std::nullopt : std::optional<uint64_t>(offset);
  }

  // The section's bytes: the texts used most come first, their references are the shortest.
  std::string settle() {
    std::vector<uint32_t> numbers;
    for (uint32_t number = 0; number < uses_.size(); ++number) {
      const uint64_t inline_bytes = pool_.at(number).size() + 1;
      if (uses_[number] * inline_bytes > uses_[number] * kReferenceBytes + inline_bytes) {
        numbers.push_back(number);
      }
    }
    std::ranges::sort(numbers, [&](uint32_t a, uint32_t b) {
      return uses_[a] != uses_[b] ? uses_[a] > uses_[b] : pool_.at(a) < pool_.at(b);
    });
    offsets_.assign(uses_.size() + 1, kNowhere);
    std::string section;
    for (const uint32_t number : numbers) {
      offsets_[number] = section.size();
      append_sized_text(section, pool_.at(number));
    }
    return section;
  }

 private:
  static constexpr uint64_t kNowhere = UINT64_MAX;
  const BytePool& pool_;
  std::vector<uint64_t> uses_;
  std::vector<uint64_t> offsets_;  // Empty while counting.
};

// What this program wrote itself is read back without bounds.
template <typename Read>
auto read_back(std::string_view bytes, const BytePool& texts, Read read) {
  const PoolSource source(texts);
  uint64_t budget = UINT64_MAX;
  RecordReader reader(as_bytes(bytes), source, budget);
  auto value = read(reader);
  CHECK(reader.status().has_value());
  return value;
}

Advisory advisory_back(std::string_view bytes, const BytePool& texts) {
  return read_back(bytes, texts, [](RecordReader& reader) { return reader.advisory(); });
}

Affected affected_back(std::string_view bytes, const BytePool& texts) {
  return read_back(bytes, texts, [](RecordReader& reader) { return reader.affected(); });
}

CveFacts facts_back(std::string_view bytes, const BytePool& texts) {
  return read_back(bytes, texts, [](RecordReader& reader) { return reader.facts(); });
}

std::string encode_meta(const ShardMeta& meta) {
  NoSink none;
  std::string out;
  append_text(out, meta.name, none);
  append_varint(out, meta.sources.size());
  for (size_t i = 0; i < meta.sources.size(); ++i) {
    const ShardSource& source = meta.sources[i];
    append_text(out, source.name, none);
    append_varint(out, (source.coverage.is_fixed_only ? kFixedOnlyBit : 0) |
                           (source.coverage.is_subset ? kSubsetBit : 0) |
                           (source.coverage.is_partial ? kPartialBit : 0));
    append_signed(out, source.as_of);
    append_varint(out, meta.records_counts[i]);
  }
  append_varint(out, meta.records_count);
  append_varint(out, meta.withdrawn_count);
  return out;
}

std::string& section_of(ShardSections& sections, Section section) {
  return sections[static_cast<size_t>(section)];
}

// Offsets inside a section are kept in 32 bits.
Result<WrittenShard> finish(ShardKind kind, ShardMeta meta, ShardSections sections) {
  section_of(sections, Section::kMeta) = encode_meta(meta);
  for (const std::string& section : sections) {
    if (section.size() > UINT32_MAX) {
      return fail(ErrorCode::kTooLarge,
                  "a section of the shard " + meta.name + " is larger than its offsets can say");
    }
  }
  return WrittenShard{.bytes = write_shard_file(kind, sections), .meta = std::move(meta)};
}

}  // namespace

// --- Sources ----------------------------------------------------------------------------------

void SourceList::add(std::string_view name, Coverage coverage, UnixSeconds as_of) {
  ShardSource& source = sources_[{std::string(name), coverage.text()}];
  source.name = name;
  source.coverage = coverage;
  source.as_of = std::max(source.as_of, as_of);
}

void SourceList::count(std::string_view name, uint64_t records_count) {
  counts_[std::string(name)] += records_count;
}

Result<ShardMeta> SourceList::meta(std::string_view shard) const {
  ShardMeta meta;
  meta.name = shard;
  for (const auto& [key, source] : sources_) {
    const auto counted = counts_.find(source.name);
    meta.sources.push_back(source);
    meta.records_counts.push_back(counted == counts_.end() ? 0 : counted->second);
  }
  for (const auto& [name, count] : counts_) {
    if (std::ranges::find(meta.sources, name, &ShardSource::name) == meta.sources.end()) {
      return fail(ErrorCode::kMalformed, "the source " + name + " has records in the shard " +
                                             std::string(shard) +
                                             " and does not say how much it covers");
    }
  }
  if (meta.sources.size() > limits::kShardSourcesMax) {
    return fail(ErrorCode::kTooLarge,
                "the shard " + std::string(shard) + " has more sources than kShardSourcesMax");
  }
  return meta;
}

// --- Advisories -------------------------------------------------------------------------------

void AdvisoryCollector::add(Advisory advisory) {
  PoolSink sink(texts_);
  std::string bytes;
  append_advisory(bytes, advisory, sink);
  Row row;
  row.advisory = advisories_.add(bytes);
  for (const Affected& affected : advisory.affected) {
    bytes.clear();
    append_affected(bytes, affected, sink);
    row.affected = affected_.add(bytes);
    row.package = texts_.add(affected.package);
    rows_.push_back(row);
  }
}

void AdvisoryCollector::add_known_package(std::string_view source, std::string_view package) {
  known_.emplace_back(texts_.add(package), source);
}

Result<WrittenShard> AdvisoryCollector::write() const {
  // Which advisory comes where, and how often each text is used.
  struct Place {
    uint32_t number = 0;  // In advisories_.
    std::string source;
    std::string id;
    uint64_t offset = 0;
  };
  SourceList sources = sources_;
  TextTable table(texts_);
  std::string scratch;
  std::vector<Place> places;
  uint64_t withdrawn_count = 0;
  for (uint32_t number = 0; number < advisories_.size(); ++number) {
    Advisory advisory = advisory_back(advisories_.at(number), texts_);
    append_advisory(scratch, advisory, table);
    scratch.clear();
    sources.count(advisory.source, 1);
    withdrawn_count += advisory.is_withdrawn ? 1 : 0;
    places.push_back({number, std::move(advisory.source), std::move(advisory.id), 0});
  }
  for (uint32_t number = 0; number < affected_.size(); ++number) {
    append_affected(scratch, affected_back(affected_.at(number), texts_), table);
    scratch.clear();
  }
  ShardMeta meta = TRY(sources.meta(name_));
  meta.records_count = advisories_.size();
  meta.withdrawn_count = withdrawn_count;

  // From here the texts have their places; then the advisories, by source and id.
  ShardSections sections;
  section_of(sections, Section::kTexts) = table.settle();
  std::ranges::sort(places, [](const Place& a, const Place& b) {
    return std::tie(a.source, a.id, a.number) < std::tie(b.source, b.id, b.number);
  });
  std::vector<const Place*> place_of(places.size());
  for (Place& place : places) {
    append_advisory(scratch, advisory_back(advisories_.at(place.number), texts_), table);
    place.offset = section_of(sections, Section::kAdvisories).size();
    append_sized_text(section_of(sections, Section::kAdvisories), scratch);
    scratch.clear();
    place_of[place.number] = &place;
  }

  // Affected entries that many rows share are written once.
  std::vector<uint64_t> uses(affected_.size());
  for (const Row& row : rows_) ++uses[row.affected];
  std::vector<std::string> affected_bytes(affected_.size());
  std::vector<uint32_t> shared;
  for (uint32_t number = 0; number < affected_.size(); ++number) {
    append_affected(affected_bytes[number], affected_back(affected_.at(number), texts_), table);
    const uint64_t inline_bytes = affected_bytes[number].size() + 1;
    if (uses[number] * inline_bytes > uses[number] * kReferenceBytes + inline_bytes) {
      shared.push_back(number);
    }
  }
  std::ranges::sort(shared, [&](uint32_t a, uint32_t b) {
    return uses[a] != uses[b] ? uses[a] > uses[b] : affected_bytes[a] < affected_bytes[b];
  });
  std::vector<std::string> heads(affected_.size());  // How a row says its entry.
  for (const uint32_t number : shared) {
    append_varint(heads[number], section_of(sections, Section::kStatements).size() << 1 | 1);
    append_sized_text(section_of(sections, Section::kStatements), affected_bytes[number]);
  }
  for (uint32_t number = 0; number < affected_.size(); ++number) {
    if (!heads[number].empty()) continue;
    append_varint(heads[number], affected_bytes[number].size() << 1);
    heads[number] += affected_bytes[number];
  }

  // The packages by name, each with its rows in the order of the advisories.
  struct PackageRows {
    uint64_t known_by = 0;  // Bits of sources.
    std::vector<Row> rows;
  };
  const auto bits_of = [&](std::string_view source) {
    uint64_t bits = 0;
    for (size_t i = 0; i < meta.sources.size(); ++i) {
      const bool is_it = meta.sources[i].coverage.is_subset && meta.sources[i].name == source;
      if (is_it) bits |= uint64_t{1} << i;
    }
    return bits;
  };
  std::map<std::string_view, PackageRows> packages;
  for (const Row& row : rows_) {
    PackageRows& package = packages[texts_.at(row.package)];
    package.rows.push_back(row);
    package.known_by |= bits_of(place_of[row.advisory]->source);
  }
  for (const auto& [package, source] : known_)
    packages[texts_.at(package)].known_by |= bits_of(source);
  std::string names;
  std::string name_ends;
  std::string row_ends;
  std::string& rows = section_of(sections, Section::kRows);
  for (auto& [name, package] : packages) {
    std::ranges::stable_sort(package.rows, {},
                             [&](const Row& row) { return place_of[row.advisory]->offset; });
    append_varint(rows, package.known_by);
    uint64_t next = UINT64_MAX;  // So that the first distance is one more than its offset.
    for (const Row& row : package.rows) {
      const uint64_t offset = place_of[row.advisory]->offset;
      append_varint(rows, offset - next);
      next = offset;
      rows += heads[row.affected];
    }
    names += name;
    append_little<uint32_t>(name_ends, static_cast<uint32_t>(names.size()));
    append_little<uint32_t>(row_ends, static_cast<uint32_t>(rows.size()));
  }
  std::string& index = section_of(sections, Section::kIndex);
  append_little<uint32_t>(index, static_cast<uint32_t>(packages.size()));
  index += name_ends + row_ends + names;
  return finish(ShardKind::kAdvisories, std::move(meta), std::move(sections));
}

// --- Facts ------------------------------------------------------------------------------------

bool FactsCollector::add(const CveFacts& facts) {
  const std::optional<uint64_t> key = cve_key(facts.cve);
  if (!key) return false;
  PoolSink sink(texts_);
  std::string bytes;
  append_facts(bytes, facts, sink);
  entries_.push_back({*key, facts_.add(bytes)});
  return true;
}

Result<WrittenShard> FactsCollector::write() const {
  // By CVE; those of one CVE in the order they came.
  std::vector<Entry> entries = entries_;
  std::ranges::stable_sort(entries, {}, &Entry::key);
  const auto next_of = [&](size_t at) {
    size_t next = at + 1;
    while (next < entries.size() && entries[next].key == entries[at].key) ++next;
    return next;
  };
  const auto merged = [&](size_t at) {
    CveFacts facts = facts_back(facts_.at(entries[at].facts), texts_);
    for (size_t i = at + 1; i < next_of(at); ++i) {
      facts = merge_facts(std::move(facts), facts_back(facts_.at(entries[i].facts), texts_));
    }
    return facts;
  };
  TextTable table(texts_);
  std::string scratch;
  ShardMeta meta = TRY(sources_.meta(kFactsShard));
  for (size_t at = 0; at < entries.size(); at = next_of(at)) {
    append_facts(scratch, merged(at), table);
    scratch.clear();
    ++meta.records_count;
  }

  ShardSections sections;
  section_of(sections, Section::kTexts) = table.settle();
  std::string& index = section_of(sections, Section::kIndex);
  std::string& rows = section_of(sections, Section::kRows);
  uint64_t previous = 0;
  size_t rows_count = 0;
  for (size_t at = 0; at < entries.size(); at = next_of(at)) {
    const uint64_t key = entries[at].key;
    if (rows_count % kGroupRows == 0) {
      if (rows_count != 0) append_little<uint32_t>(index, static_cast<uint32_t>(rows.size()));
      append_little<uint64_t>(index, key);
      previous = key;
    }
    append_varint(rows, key - previous);
    append_facts(rows, merged(at), table);
    previous = key;
    ++rows_count;
  }
  if (rows_count != 0) append_little<uint32_t>(index, static_cast<uint32_t>(rows.size()));
  return finish(ShardKind::kFacts, std::move(meta), std::move(sections));
}

CveFacts merge_facts(CveFacts earlier, CveFacts later) {
  CveFacts out = std::move(earlier);
  for (Cvss& cvss : later.cvss) {
    if (std::ranges::find(out.cvss, cvss) == out.cvss.end()) out.cvss.push_back(std::move(cvss));
  }
  for (std::string& cwe : later.cwes) {
    if (std::ranges::find(out.cwes, cwe) == out.cwes.end()) out.cwes.push_back(std::move(cwe));
  }
  if (later.epss >= 0) {
    out.epss = later.epss;
    out.epss_percentile = later.epss_percentile;
  }
  out.is_known_exploited |= later.is_known_exploited;
  out.is_ransomware_known |= later.is_ransomware_known;
  if (later.known_exploited_at != 0) out.known_exploited_at = later.known_exploited_at;
  if (later.published_at != 0) out.published_at = later.published_at;
  out.is_rejected |= later.is_rejected;
  return out;
}

// --- Releases ---------------------------------------------------------------------------------

Result<WrittenShard> ReleasesCollector::write() const {
  ShardMeta meta = TRY(sources_.meta(kReleasesShard));
  meta.records_count = lives_.size();
  std::vector<ReleaseLife> lives = lives_;
  std::ranges::stable_sort(lives, [](const ReleaseLife& a, const ReleaseLife& b) {
    return std::tie(a.distro, a.release) < std::tie(b.distro, b.release);
  });
  ShardSections sections;
  NoSink none;
  for (const ReleaseLife& life : lives) {
    append_release(section_of(sections, Section::kRows), life, none);
  }
  return finish(ShardKind::kReleases, std::move(meta), std::move(sections));
}

}  // namespace vigil::advisory
