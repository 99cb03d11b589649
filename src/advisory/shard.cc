#include "advisory/shard.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <unordered_map>

#include "advisory/record_codec.h"
#include "base/check.h"
#include "base/limits.h"

namespace vigil::advisory {

namespace {

constexpr uint64_t kGroupEntryBytes = 12;  // Of the facts' index: key, end of the rows.

std::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::kMalformed, std::move(message));
}

// Requires: the bytes hold a T at the offset.
template <typename T>
T little_at(ByteView bytes, uint64_t offset) {
  CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string context_of(std::string_view name) {
  return "shard " + std::string(name);
}

template <typename T>
Result<T> in_shard(std::string_view name, Result<T> result) {
  if (!result) result.error().context.push_back(context_of(name));
  return result;
}

// References of records lead into the section of texts.
class SectionTexts : public TextSource {
 public:
  explicit SectionTexts(const ShardFile& file) : file_(file) {}
  Result<std::string_view> referred(uint64_t reference) const override {
    return as_text(TRY(file_.sized_piece(Section::kTexts, reference)));
  }

 private:
  const ShardFile& file_;
};

Result<ShardMeta> read_meta(const ShardFile& file) {
  ShardMeta meta;
  const SectionTexts texts(file);
  uint64_t budget = limits::kLookupBytesMax;
  RecordReader reader(TRY(file.whole(Section::kMeta)), texts, budget);
  meta.name = reader.text();
  const uint64_t sources_count = reader.varint();
  for (uint64_t i = 0; i < sources_count && reader.has_more(); ++i) {
    ShardSource source;
    source.name = reader.text();
    const uint64_t coverage = reader.varint();
    source.coverage = {.is_fixed_only = (coverage & kFixedOnlyBit) != 0,
                       .is_subset = (coverage & kSubsetBit) != 0,
                       .is_partial = (coverage & kPartialBit) != 0};
    source.as_of = reader.signed_varint();
    meta.sources.push_back(std::move(source));
    meta.records_counts.push_back(reader.varint());
  }
  meta.records_count = reader.varint();
  meta.withdrawn_count = reader.varint();
  TRY(reader.status());
  if (meta.sources.size() != sources_count || sources_count > limits::kShardSourcesMax) {
    return malformed("its list of sources is malformed");
  }
  return meta;
}

// Requires: the index holds the word, which opening the shard has checked.
uint32_t index_word(ByteView words, uint64_t number) {
  return little_at<uint32_t>(words, number * sizeof(uint32_t));
}

struct OpenedFile {
  std::unique_ptr<ShardFile> file;
  ShardMeta meta;
};

// The container and what it says of itself; a shard under another's name is refused.
Result<OpenedFile> open_file(ByteView bytes, ShardKind kind, std::string_view name) {
  OpenedFile out;
  out.file = TRY(ShardFile::open(bytes, kind, std::string(name)));
  out.meta = TRY(in_shard(name, read_meta(*out.file)));
  if (out.meta.name != name) {
    return in_shard<OpenedFile>(name, malformed("it is the shard '" + out.meta.name + "'"));
  }
  return out;
}

}  // namespace

ShardKind shard_kind(std::string_view name) {
  if (name == kFactsShard) return ShardKind::kFacts;
  if (name == kReleasesShard) return ShardKind::kReleases;
  return ShardKind::kAdvisories;
}

// --- Advisories -------------------------------------------------------------------------------

struct AdvisoryShard::Row {
  uint64_t advisory = 0;              // Offset in the section of advisories.
  std::optional<uint64_t> statement;  // Offset in the section of statements, or
  ByteView affected;                  // the entry itself.
};

Result<std::unique_ptr<AdvisoryShard>> AdvisoryShard::open(ByteView bytes, std::string_view name) {
  OpenedFile opened = TRY(open_file(bytes, ShardKind::kAdvisories, name));
  std::unique_ptr<AdvisoryShard> shard(new AdvisoryShard);
  shard->file_ = std::move(opened.file);
  shard->meta_ = std::move(opened.meta);
  shard->has_subsets_ = std::ranges::any_of(
      shard->meta_.sources, [](const ShardSource& source) { return source.coverage.is_subset; });
  const ByteView words = TRY(in_shard(name, shard->index()));
  ByteReader head(words);
  shard->packages_count_ = TRY(in_shard(name, head.little<uint32_t>()));
  const uint64_t words_count = 1 + uint64_t{2} * shard->packages_count_;
  if (words_count * sizeof(uint32_t) > words.size()) {
    return in_shard<std::unique_ptr<AdvisoryShard>>(name, malformed("its index is cut short"));
  }
  return shard;
}

// The index is the number of packages, the ends of their names, the ends of their rows, the names.
// A look-up reads some dozens of its words, so it is taken as a whole.
Result<ByteView> AdvisoryShard::index() const {
  return file_->whole(Section::kIndex);
}

Result<std::string_view> AdvisoryShard::package_name(ByteView words, uint32_t number) const {
  const uint64_t names = (1 + uint64_t{2} * packages_count_) * sizeof(uint32_t);
  const uint32_t start = number == 0 ? 0 : index_word(words, number);
  const uint32_t end = index_word(words, uint64_t{1} + number);
  if (end < start || end > words.size() - names) return malformed("its index is malformed");
  return as_text(words.subspan(names + start, end - start));
}

Result<ByteView> AdvisoryShard::package_rows(uint32_t number) const {
  const ByteView words = TRY(index());
  const uint64_t ends = uint64_t{1} + packages_count_;
  const uint32_t start = number == 0 ? 0 : index_word(words, ends + number - 1);
  const uint32_t end = index_word(words, ends + number);
  if (end < start) return malformed("its index is malformed");
  return file_->piece(Section::kRows, start, end - start);
}

Result<std::optional<uint32_t>> AdvisoryShard::find_package(std::string_view package) const {
  const ByteView words = TRY(index());
  uint32_t low = 0;
  uint32_t high = packages_count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const int order = TRY(package_name(words, middle)).compare(package);
    if (order == 0) return middle;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return std::nullopt;
}

Result<Advisory> AdvisoryShard::advisory_at(uint64_t offset, uint64_t& budget) const {
  const SectionTexts texts(*file_);
  RecordReader reader(TRY(file_->sized_piece(Section::kAdvisories, offset)), texts, budget);
  Advisory advisory = reader.advisory();
  TRY(reader.status());
  return advisory;
}

// A package's rows: a mask of the subset sources that know it; then, for each Affected entry, how
// far its advisory lies behind the one before (0: the same one) and the entry or where it is.
template <typename Visit>
Status AdvisoryShard::each_row(ByteView rows, uint64_t& budget, Visit visit) const {
  const SectionTexts texts(*file_);
  RecordReader reader(rows, texts, budget);
  reader.varint();
  Row row;
  bool is_first = true;
  while (reader.has_more()) {
    const uint64_t distance = reader.varint();
    const uint64_t head = reader.varint();
    if (is_first && distance == 0) return malformed("a row has no advisory");
    if (distance != 0) row.advisory += is_first ? distance - 1 : distance;
    is_first = false;
    row.statement.reset();
    if ((head & 1) != 0) {
      row.statement = head >> 1;
    } else {
      row.affected = reader.take(head >> 1);
    }
    if (!reader.is_good()) break;
    TRY(visit(row, distance != 0));
  }
  return reader.status();
}

Result<ByteView> AdvisoryShard::bytes_of(const Row& row) const {
  if (!row.statement) return row.affected;
  return file_->sized_piece(Section::kStatements, *row.statement);
}

Status AdvisoryShard::each_of(uint32_t number, std::list<Affected>& kept, Visitor visit) const {
  // A kernel has thousands of rows with a hundred statements: each is read once.
  struct Statement {
    AffectedEntry entry;
    uint64_t bytes = 0;  // Of the budget: spent for every row, as each may become a copy.
  };
  const SectionTexts texts(*file_);
  const ByteView words = TRY(index());
  const std::string_view package = TRY(package_name(words, number));
  const ByteView rows = TRY(package_rows(number));
  uint64_t budget = limits::kLookupBytesMax;
  Advisory advisory;
  std::vector<AffectedEntry> entries;
  std::unordered_map<uint64_t, Statement> statements;  // By offset.
  std::list<Affected> own;                             // Up to own_end it is in use.
  auto own_end = own.begin();

  const auto pass_on = [&] {
    const bool is_kept = !entries.empty() && visit(advisory, entries);
    if (is_kept) kept.splice(kept.end(), own, own.begin(), own_end);
    own_end = own.begin();
    entries.clear();
  };
  const auto read_affected = [&](const Row& row, Affected& affected) -> Status {
    RecordReader reader(TRY(bytes_of(row)), texts, budget);
    reader.read(affected);
    affected.package = package;
    return reader.status();
  };
  const auto read = [&](const Row& row, bool is_new) -> Status {
    if (is_new) {
      pass_on();
      RecordReader reader(TRY(file_->sized_piece(Section::kAdvisories, row.advisory)), texts,
                          budget);
      reader.read(advisory);
      TRY(reader.status());
    }
    if (!row.statement) {
      if (own_end == own.end()) own_end = own.emplace(own_end);
      TRY(read_affected(row, *own_end));
      entries.push_back({&*own_end++, {}});
      return {};
    }
    const auto [at, is_unread] = statements.try_emplace(*row.statement);
    Statement& statement = at->second;
    if (is_unread) {
      const uint64_t before = budget;
      TRY(read_affected(row, kept.emplace_back()));
      const auto count = static_cast<uint32_t>(statements.size());
      statement = {.entry = {&kept.back(), count - 1}, .bytes = before - budget};
    } else if (statement.bytes > budget) {
      return answer_too_large();
    } else {
      budget -= statement.bytes;
    }
    entries.push_back(statement.entry);
    return {};
  };
  TRY(each_row(rows, budget, read));
  pass_on();
  return {};
}

Status AdvisoryShard::each(std::string_view package, std::list<Affected>& kept,
                           Visitor visit) const {
  const std::optional<uint32_t> number = TRY(in_shard(meta_.name, find_package(package)));
  if (!number) return {};
  const auto pass_on = [&](Advisory& advisory, std::span<const AffectedEntry> entries) {
    return !advisory.is_withdrawn && visit(advisory, entries);
  };
  return in_shard(meta_.name, each_of(*number, kept, pass_on));
}

uint64_t AdvisoryShard::bytes_about(std::string_view package) const {
  const Result<std::optional<uint32_t>> number = find_package(package);
  if (!number || !*number) return 0;
  const Result<ByteView> rows = package_rows(**number);
  return rows ? rows->size() : 0;
}

Result<Knowledge> AdvisoryShard::knowledge(std::string_view package) const {
  uint64_t mask = 0;
  if (has_subsets_) {
    const auto read_mask = [&]() -> Result<uint64_t> {
      const std::optional<uint32_t> number = TRY(find_package(package));
      if (!number) return 0;
      ByteReader reader(TRY(package_rows(*number)));
      return reader.varint();
    };
    mask = TRY(in_shard(meta_.name, read_mask()));
  }
  Knowledge known = Knowledge::kNone;
  for (size_t i = 0; i < meta_.sources.size(); ++i) {
    const Coverage& coverage = meta_.sources[i].coverage;
    if (coverage.is_partial || (coverage.is_subset && (mask >> i & 1) == 0)) continue;
    known = std::max(known, coverage.is_fixed_only ? Knowledge::kFixedOnly : Knowledge::kFull);
  }
  return known;
}

Result<std::vector<Advisory>> AdvisoryShard::find_id(std::string_view id) const {
  return in_shard(meta_.name, search_id(id));
}

Result<std::vector<Advisory>> AdvisoryShard::search_id(std::string_view id) const {
  std::map<uint64_t, Advisory> found;  // By offset, which is the order of sources and ids.
  ByteReader all(TRY(file_->whole(Section::kAdvisories)));
  while (!all.at_end()) {
    const uint64_t offset = all.offset();
    uint64_t own_budget = limits::kLookupBytesMax;
    Advisory advisory = TRY(advisory_at(offset, own_budget));
    const auto is_it = [&](std::string_view other) { return is_same_id(other, id); };
    const bool is_wanted = is_it(advisory.id) || std::ranges::any_of(advisory.cves, is_it) ||
                           std::ranges::any_of(advisory.aliases, is_it);
    if (is_wanted) found.emplace(offset, std::move(advisory));
    TRY(all.sized_text());
  }
  if (found.empty()) return std::vector<Advisory>();

  const SectionTexts texts(*file_);
  uint64_t budget = limits::kLookupBytesMax;
  const ByteView words = TRY(index());
  for (uint32_t number = 0; number < packages_count_; ++number) {
    const std::string package(TRY(package_name(words, number)));
    const auto keep = [&](const Row& row, bool) -> Status {
      const auto at = found.find(row.advisory);
      if (at == found.end()) return {};
      RecordReader reader(TRY(bytes_of(row)), texts, budget);
      at->second.affected.push_back(reader.affected());
      at->second.affected.back().package = package;
      return reader.status();
    };
    const ByteView rows = TRY(package_rows(number));
    TRY(each_row(rows, budget, keep));
  }
  std::vector<Advisory> out;
  for (auto& [offset, advisory] : found) out.push_back(std::move(advisory));
  return out;
}

Status AdvisoryShard::each_package(
    FunctionRef<Status(std::string_view, const std::vector<Advisory>&)> visit) const {
  const ByteView words = TRY(in_shard(meta_.name, index()));
  for (uint32_t number = 0; number < packages_count_; ++number) {
    const std::string_view package = TRY(in_shard(meta_.name, package_name(words, number)));
    std::vector<Advisory> advisories;
    std::list<Affected> kept;
    const auto keep = [&](Advisory& advisory, std::span<const AffectedEntry> entries) {
      advisories.push_back(with_entries(advisory, entries));
      return false;
    };
    TRY(in_shard(meta_.name, each_of(number, kept, keep)));
    TRY(visit(package, advisories));
  }
  return {};
}

// --- Facts ------------------------------------------------------------------------------------

Result<std::unique_ptr<FactsShard>> FactsShard::open(ByteView bytes) {
  OpenedFile opened = TRY(open_file(bytes, ShardKind::kFacts, kFactsShard));
  std::unique_ptr<FactsShard> shard(new FactsShard);
  shard->file_ = std::move(opened.file);
  shard->meta_ = std::move(opened.meta);
  shard->groups_count_ = shard->file_->section_bytes(Section::kIndex) / kGroupEntryBytes;
  return shard;
}

// The index as a whole: a look-up reads a dozen of its entries.
uint64_t FactsShard::first_key(ByteView index, uint64_t group) {
  return little_at<uint64_t>(index, group * kGroupEntryBytes);
}

Result<ByteView> FactsShard::group_rows(ByteView index, uint64_t group) const {
  const auto end_of = [&](uint64_t one) {
    return little_at<uint32_t>(index, one * kGroupEntryBytes + sizeof(uint64_t));
  };
  const uint32_t start = group == 0 ? 0 : end_of(group - 1);
  const uint32_t end = end_of(group);
  if (end < start) return malformed("its index is malformed");
  return file_->piece(Section::kRows, start, end - start);
}

template <typename Visit>
Status FactsShard::each_row(ByteView index, uint64_t group, Visit visit) const {
  const SectionTexts texts(*file_);
  uint64_t budget = limits::kLookupBytesMax;
  uint64_t key = first_key(index, group);
  RecordReader reader(TRY(group_rows(index, group)), texts, budget);
  while (reader.has_more()) {
    key += reader.varint();
    if (!visit(key, reader)) break;
  }
  return reader.status();
}

Result<std::optional<CveFacts>> FactsShard::find(std::string_view cve) const {
  const std::optional<uint64_t> wanted = cve_key(cve);
  if (!wanted) return std::nullopt;
  const ByteView index = TRY(in_shard(kFactsShard, file_->whole(Section::kIndex)));
  uint64_t low = 0;  // The first group that begins behind it.
  uint64_t high = groups_count_;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (first_key(index, middle) <= *wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  std::optional<CveFacts> found;
  const auto keep = [&](uint64_t key, RecordReader& reader) {
    if (key == *wanted) {
      found = reader.facts();
    } else {
      reader.skip_facts();
    }
    return key < *wanted;
  };
  TRY(in_shard(kFactsShard, each_row(index, low - 1, keep)));
  if (found) found->cve = cve;
  return found;
}

Status FactsShard::each(FunctionRef<Status(const CveFacts&)> visit) const {
  const ByteView index = TRY(in_shard(kFactsShard, file_->whole(Section::kIndex)));
  for (uint64_t group = 0; group < groups_count_; ++group) {
    Status visited;
    const auto pass_on = [&](uint64_t key, RecordReader& reader) {
      CveFacts facts = reader.facts();
      facts.cve = cve_of_key(key);
      if (reader.is_good()) visited = visit(facts);
      return visited.has_value();
    };
    TRY(in_shard(kFactsShard, each_row(index, group, pass_on)));
    TRY(std::move(visited));
  }
  return {};
}

// --- Releases ---------------------------------------------------------------------------------

Result<std::unique_ptr<ReleasesShard>> ReleasesShard::open(ByteView bytes) {
  OpenedFile opened = TRY(open_file(bytes, ShardKind::kReleases, kReleasesShard));
  std::unique_ptr<ReleasesShard> shard(new ReleasesShard);
  shard->file_ = std::move(opened.file);
  shard->meta_ = std::move(opened.meta);
  return shard;
}

Result<std::vector<ReleaseLife>> ReleasesShard::all() const {
  const SectionTexts texts(*file_);
  uint64_t budget = limits::kLookupBytesMax;
  std::vector<ReleaseLife> lives;
  RecordReader reader(TRY(in_shard(kReleasesShard, file_->whole(Section::kRows))), texts, budget);
  while (reader.has_more()) lives.push_back(reader.release());
  TRY(in_shard(kReleasesShard, reader.status()));
  return lives;
}

// --- Any kind ---------------------------------------------------------------------------------

Result<ShardMeta> read_shard_meta(ByteView bytes, std::string_view name) {
  OpenedFile opened = TRY(open_file(bytes, shard_kind(name), name));
  return std::move(opened.meta);
}

Status check_shard(ByteView bytes, std::string_view name) {
  const OpenedFile opened = TRY(open_file(bytes, shard_kind(name), name));
  TRY(opened.file->check_all_blocks());
  switch (shard_kind(name)) {
    case ShardKind::kAdvisories: {
      const std::unique_ptr<AdvisoryShard> shard = TRY(AdvisoryShard::open(bytes, name));
      return shard->each_package(
          [](std::string_view, const std::vector<Advisory>&) -> Status { return {}; });
    }
    case ShardKind::kFacts: {
      const std::unique_ptr<FactsShard> shard = TRY(FactsShard::open(bytes));
      return shard->each([](const CveFacts&) -> Status { return {}; });
    }
    case ShardKind::kReleases: {
      const std::unique_ptr<ReleasesShard> shard = TRY(ReleasesShard::open(bytes));
      TRY(shard->all());
      return {};
    }
  }
  return {};
}

}  // namespace vigil::advisory
