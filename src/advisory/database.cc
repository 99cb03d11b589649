#include "advisory/database.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "advisory/database_source.h"
#include "advisory/shard.h"

namespace vigil::advisory {

namespace {

// One shard of the manifest. It is opened by the first who asks; call_once makes others wait.
struct Slot {
  const ManifestShard* stated = nullptr;
  std::once_flag once;
  std::atomic<bool> is_asked = false;
  MappedShard bytes;
  Status status;  // Of opening it.
  std::unique_ptr<AdvisoryShard> advisories;
  std::unique_ptr<FactsShard> facts;
  std::vector<ReleaseLife> releases;
};

Status open_slot(Slot& slot, const DatabaseSource& source) {
  slot.bytes = TRY(source.map(*slot.stated));
  const ByteView bytes = slot.bytes.bytes();
  switch (shard_kind(slot.stated->name)) {
    case ShardKind::kAdvisories:
      slot.advisories = TRY(AdvisoryShard::open(bytes, slot.stated->name));
      break;
    case ShardKind::kFacts:
      slot.facts = TRY(FactsShard::open(bytes));
      break;
    case ShardKind::kReleases: {
      const std::unique_ptr<ReleasesShard> shard = TRY(ReleasesShard::open(bytes));
      slot.releases = TRY(shard->all());
      break;
    }
  }
  return {};
}

UnixSeconds oldest(const std::vector<ShardSource>& sources) {
  UnixSeconds out = 0;
  for (const ShardSource& source : sources) {
    if (source.as_of != 0 && (out == 0 || source.as_of < out)) out = source.as_of;
  }
  return out;
}

// "full" where all sources agree, else "debian: subset, fixed-only; debian-lists: fixed-only".
std::string coverage_text(const std::vector<ShardSource>& sources) {
  const bool is_one = std::ranges::all_of(sources, [&](const ShardSource& source) {
    return source.coverage == sources.front().coverage;
  });
  if (!sources.empty() && is_one) return sources.front().coverage.text();
  std::string out;
  for (const ShardSource& source : sources) {
    out += (out.empty() ? "" : "; ") + source.name + ": " + source.coverage.text();
  }
  return out;
}

class MappedDatabase : public Database {
 public:
  MappedDatabase(DatabaseSource source, DatabaseUse use)
      : source_(std::move(source)), use_(std::move(use)) {
    const std::vector<ManifestShard>& shards = source_.manifest().shards;
    slots_ = std::make_unique<Slot[]>(shards.size());
    for (size_t i = 0; i < shards.size(); ++i) {
      slots_[i].stated = &shards[i];
      if (shards[i].name == kFactsShard) facts_ = &slots_[i];
    }
  }

  Result<const Shard*> shard(std::string_view name) const override {
    if (shard_kind(name) != ShardKind::kAdvisories) return nullptr;
    const Slot* slot = TRY(opened(name));
    return slot == nullptr ? nullptr : slot->advisories.get();
  }

  std::vector<std::string> shard_names() const override {
    std::vector<std::string> names;
    for (const ManifestShard& shard : source_.manifest().shards) {
      if (shard_kind(shard.name) == ShardKind::kAdvisories) names.push_back(shard.name);
    }
    return names;
  }

  Result<std::optional<CveFacts>> facts(std::string_view cve) const override {
    if (facts_ == nullptr) return std::nullopt;
    TRY(open_once(*facts_));
    return facts_->facts->find(cve);
  }

  Result<std::optional<ReleaseLife>> release_life(std::string_view distro,
                                                  std::string_view release) const override {
    const Slot* slot = TRY(opened(kReleasesShard));
    if (slot == nullptr) return std::nullopt;
    for (const ReleaseLife& life : slot->releases) {
      if (life.distro == distro && life.release == release) return life;
    }
    return std::nullopt;
  }

  DatabaseUse use() const override {
    DatabaseUse use = use_;
    for (size_t i = 0; i < source_.manifest().shards.size(); ++i) {
      if (!slots_[i].is_asked) continue;
      const ManifestShard& shard = *slots_[i].stated;
      const UnixSeconds date = oldest(shard.sources);
      use.shards.push_back({.name = shard.name,
                            .source_date = format_date(date),
                            .coverage = coverage_text(shard.sources),
                            .digest = shard.digest});
      const bool is_older = date != 0 && (use.oldest_source_at == 0 || date < use.oldest_source_at);
      if (is_older) use.oldest_source_at = date;
    }
    return use;
  }

  UnixSeconds epss_at() const override { return source_.manifest().epss_at; }

 private:
  // Null where the database has no such shard; an Error where it is damaged.
  Result<const Slot*> opened(std::string_view name) const {
    const ManifestShard* stated = source_.manifest().find(name);
    if (stated == nullptr) return nullptr;
    Slot& slot = slots_[stated - source_.manifest().shards.data()];
    TRY(open_once(slot));
    return &slot;
  }

  Status open_once(Slot& slot) const {
    std::call_once(slot.once, [&] {
      slot.status = open_slot(slot, source_);
      slot.is_asked = true;
    });
    return slot.status;
  }

  DatabaseSource source_;
  DatabaseUse use_;                // Without shards.
  std::unique_ptr<Slot[]> slots_;  // In the order of the manifest.
  Slot* facts_ = nullptr;          // Of them; asked for once a finding.
};

// "almalinux" of "almalinux-9".
std::string_view family_of(std::string_view shard) {
  const size_t dash = shard.rfind('-');
  return dash == std::string_view::npos ? shard : shard.substr(0, dash);
}

std::string listed(const std::set<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

// From when the starter is, what it lacks, how to get more.
std::string starter_notice(const Manifest& manifest) {
  std::set<std::string_view> whole;
  std::set<std::string_view> partial;
  std::vector<ShardSource> sources;
  for (const ManifestShard& shard : manifest.shards) {
    sources.insert(sources.end(), shard.sources.begin(), shard.sources.end());
    if (shard_kind(shard.name) != ShardKind::kAdvisories) continue;
    const bool is_subset = std::ranges::all_of(
        shard.sources, [](const ShardSource& source) { return source.coverage.is_subset; });
    (is_subset ? partial : whole).insert(family_of(shard.name));
  }
  const std::string remedy = "; 'vigil db fetch' and 'vigil db build' make a full one";
  if (sources.empty()) return "the embedded starter database is empty" + remedy;
  const UnixSeconds newest =
      std::ranges::max(sources, {}, [](const ShardSource& source) { return source.as_of; }).as_of;
  return "the starter is of " + format_date(oldest(sources)) + " to " + format_date(newest) +
         " and knows " + listed(whole) + ", a part of " + listed(partial) + ", and nothing else" +
         remedy;
}

// What a user must know of where the answers come from.
std::string notice_of(const DatabaseSource& source, UnixSeconds now) {
  const Manifest& manifest = source.manifest();
  std::vector<std::string> lines = source.damage();
  if (source.is_starter()) {
    lines.push_back(starter_notice(manifest));
  } else if (source.signer().empty()) {
    lines.push_back(source.has_signatures()
                        ? "the database is signed by a key that is not trusted here; trust it with "
                          "--key or /etc/vigil/keys"
                        : "the database is not signed");
  }
  if (manifest.expires_at != 0 && now >= manifest.expires_at) {
    lines.push_back("the database expired on " + format_date(manifest.expires_at) +
                    "; renew it with 'vigil db update'");
  }
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "; ") + line;
  return out;
}

}  // namespace

Advisory with_entries(Advisory& advisory, std::span<const AffectedEntry> entries) {
  Advisory out = std::move(advisory);
  for (const AffectedEntry& one : entries) out.affected.push_back(*one.affected);
  return out;
}

Result<std::vector<Advisory>> Shard::find(std::string_view package) const {
  std::vector<Advisory> found;
  std::list<Affected> kept;
  TRY(each(package, kept, [&](Advisory& advisory, std::span<const AffectedEntry> entries) {
    found.push_back(with_entries(advisory, entries));
    return false;
  }));
  return found;
}

Result<std::unique_ptr<Database>> open_database(const OpenDatabaseOptions& options) {
  std::vector<PublicKey> trusted;
  for (const std::string& text : options.trusted_keys) {
    trusted.push_back(TRY(PublicKey::parse(text)));
  }
  DatabaseSource source = TRY(DatabaseSource::open(options.folder, trusted));
  DatabaseUse use;
  use.path = source.is_starter() ? "embedded starter" : options.folder;
  use.is_starter = source.is_starter();
  use.is_signed = !source.signer().empty();
  use.signer = source.signer();
  use.serial = source.manifest().serial;
  use.built = format_time(source.manifest().built_at);
  use.notice = notice_of(source, options.now);
  return std::make_unique<MappedDatabase>(std::move(source), std::move(use));
}

}  // namespace vigil::advisory
