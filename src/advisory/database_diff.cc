#include "advisory/database_diff.h"

#include <map>
#include <optional>
#include <set>

#include "advisory/database_source.h"
#include "advisory/record_codec.h"
#include "advisory/shard.h"
#include "base/digest.h"

namespace vigil::advisory {

namespace {

// What a shard holds: a hash of each record, and which CVEs are known to be exploited.
struct Digest {
  std::map<RecordName, uint64_t> records;
  std::set<std::string> exploited;
};

// Writes every text where it stands, so that equal records have equal bytes.
class InlineTexts final : public TextSink {
 public:
  std::optional<uint64_t> reference(std::string_view) override { return std::nullopt; }
};

// An advisory comes once for each of its packages, in the same order each time.
void add_record(Digest& digest, RecordName name, std::string bytes) {
  uint64_t& hash = digest.records[std::move(name)];
  append_little(bytes, hash);
  hash = xxh3(as_bytes(bytes));
}

Status add_advisories(ByteView bytes, const std::string& shard_name, Digest& digest) {
  const std::unique_ptr<AdvisoryShard> shard = TRY(AdvisoryShard::open(bytes, shard_name));
  InlineTexts texts;
  return shard->each_package(
      [&](std::string_view package, const std::vector<Advisory>& advisories) -> Status {
        for (const Advisory& advisory : advisories) {
          std::string record;
          append_text(record, package, texts);
          append_advisory(record, advisory, texts);
          for (const Affected& affected : advisory.affected)
            append_affected(record, affected, texts);
          add_record(digest, {advisory.source, advisory.id}, std::move(record));
        }
        return {};
      });
}

Status add_facts(ByteView bytes, Digest& digest) {
  const std::unique_ptr<FactsShard> shard = TRY(FactsShard::open(bytes));
  InlineTexts texts;
  return shard->each([&](const CveFacts& facts) -> Status {
    CveFacts compared = facts;
    compared.epss = -1;
    compared.epss_percentile = -1;
    std::string record;
    append_facts(record, compared, texts);
    add_record(digest, {"", facts.cve}, std::move(record));
    if (facts.is_known_exploited) digest.exploited.insert(facts.cve);
    return {};
  });
}

Status add_releases(ByteView bytes, Digest& digest) {
  const std::unique_ptr<ReleasesShard> shard = TRY(ReleasesShard::open(bytes));
  InlineTexts texts;
  for (const ReleaseLife& life : TRY(shard->all())) {
    std::string record;
    append_release(record, life, texts);
    add_record(digest, {"", life.distro + " " + life.release}, std::move(record));
  }
  return {};
}

// Nothing where the database has no such shard.
Result<Digest> digest_of(const DatabaseSource& source, const ManifestShard* shard) {
  Digest digest;
  if (shard == nullptr) return digest;
  const MappedShard mapped = TRY(source.map(*shard));
  Status status;
  switch (shard_kind(shard->name)) {
    case ShardKind::kAdvisories:
      status = add_advisories(mapped.bytes(), shard->name, digest);
      break;
    case ShardKind::kFacts:
      status = add_facts(mapped.bytes(), digest);
      break;
    case ShardKind::kReleases:
      status = add_releases(mapped.bytes(), digest);
      break;
  }
  TRY(std::move(status));
  return digest;
}

ShardDiff compare(std::string name, const Digest& before, const Digest& after) {
  ShardDiff diff;
  diff.name = std::move(name);
  for (const auto& [record, hash] : after.records) {
    const auto old = before.records.find(record);
    if (old == before.records.end()) {
      diff.added.push_back(record);
    } else if (old->second != hash) {
      diff.changed.push_back(record);
    }
  }
  for (const auto& [record, hash] : before.records) {
    if (!after.records.contains(record)) diff.removed.push_back(record);
  }
  for (const std::string& cve : after.exploited) {
    if (!before.exploited.contains(cve)) diff.newly_exploited.push_back(cve);
  }
  return diff;
}

}  // namespace

Result<DatabaseDiff> diff_databases(const std::string& before, const std::string& after) {
  const DatabaseSource old = TRY(DatabaseSource::open(before, {}));
  const DatabaseSource now = TRY(DatabaseSource::open(after, {}));
  DatabaseDiff diff{.before = old.manifest(), .after = now.manifest(), .shards = {}};
  std::set<std::string> names;
  for (const ManifestShard& shard : diff.before.shards) names.insert(shard.name);
  for (const ManifestShard& shard : diff.after.shards) names.insert(shard.name);
  for (const std::string& name : names) {
    const ManifestShard* then = diff.before.find(name);
    const ManifestShard* here = diff.after.find(name);
    if (then != nullptr && here != nullptr && then->digest == here->digest) continue;
    diff.shards.push_back(compare(name, TRY(digest_of(old, then)), TRY(digest_of(now, here))));
  }
  return diff;
}

}  // namespace vigil::advisory
