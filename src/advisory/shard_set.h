// All shards of one build, collected from feeds. One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/feed.h"
#include "advisory/shard_writer.h"

namespace vigil::advisory {

class ShardSet : public AdvisorySink {
 public:
  // What one file of a feed brought.
  struct FileCounts {
    uint64_t records = 0;    // Advisories, facts of CVEs, releases; once per shard.
    uint64_t withdrawn = 0;  // Of these.
    std::map<std::string, uint64_t> skipped;
  };

  // From here until end_file(), all that comes is of this file. Facts and releases are the feed's,
  // where no source is announced for their shard.
  void begin_file(std::string_view feed, Coverage coverage, UnixSeconds as_of);
  FileCounts end_file();

  void add(std::string_view shard, Advisory advisory) override;
  void add_source(std::string_view shard, std::string_view source, Coverage coverage,
                  UnixSeconds as_of) override;
  void add_known_package(std::string_view shard, std::string_view source,
                         std::string_view package) override;
  void add_facts(CveFacts facts) override;
  void add_release(ReleaseLife life) override;
  void add_epss_date(UnixSeconds scored_at) override;
  void skip(std::string_view reason) override;

  UnixSeconds epss_at() const { return epss_at_; }
  // Sorted by name. Writing takes most of a build's time after reading; threads share it by shard.
  Result<std::vector<WrittenShard>> write(size_t threads_count) const;

 private:
  AdvisoryCollector* at(std::string_view shard);  // Null where the name is none.
  void count_own(std::string_view shard, uint64_t records_count, SourceList& sources);

  BytePool texts_;
  std::map<std::string, AdvisoryCollector, std::less<>> shards_;
  FactsCollector facts_{texts_};
  ReleasesCollector releases_;
  UnixSeconds epss_at_ = 0;

  // Of the file that is being read.
  std::string feed_;
  Coverage coverage_;
  UnixSeconds as_of_ = 0;
  FileCounts counts_;
  uint64_t facts_count_ = 0;
  uint64_t releases_count_ = 0;
  std::map<std::string, std::string, std::less<>> announced_;  // Source by shard, the last one.
};

}  // namespace vigil::advisory
