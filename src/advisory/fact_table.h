// What a feed told an AdvisorySink, in a few bytes: the form in which the starter database lies in
// the tree. Ids, aliases, packages, ranges, scores and dates are kept exactly; prose never came.
//
// A table is:
//   "VIGILFT1"
//   name, feed, licence, attribution   sized texts (varint length, bytes)
//   as_of                              varint, UnixSeconds
//   body                               an .xz file
// The body is one column for each kind of value (fact_table.cc lists them): the lengths of all
// columns as varints, then the columns. Alike values lie together, so that they compress well.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "advisory/feed.h"

namespace vigil::advisory {

struct FactTableHead {
  std::string name;  // "osv-pypi", as its file is named.
  std::string feed;  // The name of the Feed that read it.
  std::string licence;
  std::string attribution;  // Text to show; "" where none is asked.
  UnixSeconds as_of = 0;    // The newest date among its sources.
  bool operator==(const FactTableHead&) const = default;
};

// Keeps what a feed says until it is written.
class FactRecorder : public AdvisorySink {
 public:
  struct Source {
    std::string shard;
    std::string name;
    Coverage coverage;
    UnixSeconds as_of = 0;
    bool operator==(const Source&) const = default;
  };
  struct KnownPackage {
    std::string shard;
    std::string source;
    std::string package;
    bool operator==(const KnownPackage&) const = default;
  };
  struct Record {
    std::string shard;
    Advisory advisory;
    bool operator==(const Record&) const = default;
  };

  void add(std::string_view shard, Advisory advisory) override;
  void add_source(std::string_view shard, std::string_view source, Coverage coverage,
                  UnixSeconds as_of) override;
  void add_known_package(std::string_view shard, std::string_view source,
                         std::string_view package) override;
  void add_facts(CveFacts one) override;
  void add_release(ReleaseLife life) override;
  void add_epss_date(UnixSeconds scored_at) override;
  void skip(std::string_view reason) override;

  std::vector<Source> sources;
  std::vector<KnownPackage> known_packages;
  std::vector<Record> records;
  std::vector<CveFacts> facts;
  std::vector<ReleaseLife> releases;
  UnixSeconds epss_at = 0;
  std::map<std::string, uint64_t> skipped;  // Is not written.
};

// Advisories are written sorted by shard, source and id, facts by CVE; the same content gives the
// same bytes. Fails only where the system has no memory.
Result<std::string> write_fact_table(const FactTableHead& head, FactRecorder facts);

// Hostile input, as the next: kMalformed, and kTooLarge past limits::kFactTableBytesMax.
Result<FactTableHead> read_fact_table_head(std::string_view bytes);

// Tells `sink` all that is in the table: sources first. Nothing is told of a table that is damaged.
Status read_fact_table(std::string_view bytes, AdvisorySink& sink);

}  // namespace vigil::advisory
