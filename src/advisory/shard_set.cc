#include "advisory/shard_set.h"

#include <algorithm>
#include <optional>

#include "advisory/manifest.h"
#include "base/thread_pool.h"

namespace vigil::advisory {

void ShardSet::begin_file(std::string_view feed, Coverage coverage, UnixSeconds as_of) {
  feed_ = feed;
  coverage_ = coverage;
  as_of_ = as_of;
  counts_ = {};
  facts_count_ = 0;
  releases_count_ = 0;
  announced_.clear();
}

// Counts the records for the source announced; without any, the feed speaks in its own name.
void ShardSet::count_own(std::string_view shard, uint64_t records_count, SourceList& sources) {
  if (records_count == 0) return;
  if (!announced_.contains(shard)) add_source(shard, feed_, coverage_, as_of_);
  sources.count(announced_.find(shard)->second, records_count);
}

ShardSet::FileCounts ShardSet::end_file() {
  count_own(kFactsShard, facts_count_, facts_.sources());
  count_own(kReleasesShard, releases_count_, releases_.sources());
  return std::move(counts_);
}

AdvisoryCollector* ShardSet::at(std::string_view shard) {
  const auto found = shards_.find(shard);
  if (found != shards_.end()) return &found->second;
  if (!is_shard_name(shard) || shard_kind(shard) != ShardKind::kAdvisories) {
    skip("of a release whose name cannot be a shard's");
    return nullptr;
  }
  const std::string name(shard);
  return &shards_.try_emplace(name, name, texts_).first->second;
}

void ShardSet::add(std::string_view shard, Advisory advisory) {
  AdvisoryCollector* collector = at(shard);
  if (collector == nullptr) return;
  ++counts_.records;
  counts_.withdrawn += advisory.is_withdrawn ? 1 : 0;
  collector->add(std::move(advisory));
}

void ShardSet::add_source(std::string_view shard, std::string_view source, Coverage coverage,
                          UnixSeconds as_of) {
  SourceList* sources = nullptr;
  switch (shard_kind(shard)) {
    case ShardKind::kFacts:
      sources = &facts_.sources();
      break;
    case ShardKind::kReleases:
      sources = &releases_.sources();
      break;
    case ShardKind::kAdvisories:
      AdvisoryCollector* collector = at(shard);
      if (collector == nullptr) return;
      sources = &collector->sources();
      break;
  }
  sources->add(source, coverage, as_of);
  announced_.insert_or_assign(std::string(shard), std::string(source));
}

void ShardSet::add_known_package(std::string_view shard, std::string_view source,
                                 std::string_view package) {
  AdvisoryCollector* collector = at(shard);
  if (collector != nullptr) collector->add_known_package(source, package);
}

void ShardSet::add_facts(CveFacts facts) {
  if (!facts_.add(facts)) {
    skip("facts of a CVE whose number is malformed");
    return;
  }
  ++counts_.records;
  ++facts_count_;
}

void ShardSet::add_release(ReleaseLife life) {
  releases_.add(std::move(life));
  ++counts_.records;
  ++releases_count_;
}

void ShardSet::add_epss_date(UnixSeconds scored_at) {
  epss_at_ = std::max(epss_at_, scored_at);
}

void ShardSet::skip(std::string_view reason) {
  ++counts_.skipped[std::string(reason)];
}

Result<std::vector<WrittenShard>> ShardSet::write(size_t threads_count) const {
  std::vector<const AdvisoryCollector*> collectors;
  for (const auto& [name, collector] : shards_) collectors.push_back(&collector);
  const size_t count = collectors.size() + 2;
  std::vector<std::optional<Result<WrittenShard>>> written(count);
  parallel_for(count, threads_count, [&](size_t index) {
    // The facts first: they take longest.
    if (index == 0 && !facts_.is_empty()) written[index] = facts_.write();
    if (index == 1 && !releases_.is_empty()) written[index] = releases_.write();
    if (index > 1) written[index] = collectors[index - 2]->write();
  });
  std::vector<WrittenShard> out;
  for (std::optional<Result<WrittenShard>>& one : written) {
    if (one) out.push_back(TRY(*std::move(one)));
  }
  std::ranges::sort(out, {}, [](const WrittenShard& shard) { return shard.meta.name; });
  return out;
}

}  // namespace vigil::advisory
