// Feeds: what publishers serve, turned into advisories. Each is one file in feeds/, one line in
// feeds.def, one test, one fuzz target. Feeds are hostile input: an unreadable file is an Error, a
// record that is not understood is skipped and counted with a reason, never guessed at.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/advisory.h"

namespace vigil::advisory {

// Where a feed puts what it reads. One thread.
class AdvisorySink {
 public:
  virtual ~AdvisorySink() = default;
  // `shard` is "debian-12", "pypi", …; every Affected in the advisory belongs to it. An upstream
  // record that speaks of several shards is added once to each.
  virtual void add(std::string_view shard, Advisory advisory) = 0;
  // Says that the source (a feed's name) speaks for this shard, how much it knows, and from when.
  // Call it once per shard and file, also where the file holds no record.
  virtual void add_source(std::string_view shard, std::string_view source, Coverage coverage,
                          UnixSeconds as_of) = 0;
  // For subset sources: a package it knows although no record names it.
  virtual void add_known_package(std::string_view shard, std::string_view source,
                                 std::string_view package) = 0;
  virtual void add_facts(CveFacts facts) = 0;  // Facts of one CVE from several feeds are merged.
  virtual void add_release(ReleaseLife life) = 0;
  virtual void add_epss_date(UnixSeconds scored_at) = 0;  // Of the scores added; the newest counts.
  virtual void skip(std::string_view reason) = 0;         // Constant text: counted per reason.
};

// A file of the feeds folder that the feed's patterns chose.
struct FeedFile {
  std::string path;  // Relative to the feeds folder, with '/': "osv/PyPI/all.zip".
  std::string absolute_path;
  Coverage coverage;      // From coverage.json, else the feed's built-in statement.
  UnixSeconds as_of = 0;  // From coverage.json; 0: take the newest date found in the file.
};

struct FeedAddress {
  // Upstream. "{ecosystem}", "{release}" and the like are listed in `values`.
  std::string_view url;
  std::string_view path;  // Where `db fetch` puts it in the feeds folder; same placeholders.
  // "a,b,c" for the placeholder; "" where there is none. "@URL": its one value is the first word of
  // what is served there.
  std::string_view values;
};

struct Feed {
  std::string_view name;                       // "osv", "debian-tracker", "kev", …
  std::span<const std::string_view> patterns;  // fnmatch(3) with FNM_PATHNAME, relative.
  std::span<const FeedAddress> addresses;
  Coverage coverage;             // The feed's own statement, where coverage.json is absent.
  std::string_view licence;      // SPDX id or the words of feeds/README.md.
  std::string_view attribution;  // Text to show; "" where none is asked.
  bool is_embeddable;            // May be shipped inside the program.
  // Reads one file. Called for each matching file in path order, one at a time.
  Status (*parse)(const FeedFile& file, AdvisorySink& sink);
};

std::span<const Feed* const> all_feeds();  // Sorted by name.

}  // namespace vigil::advisory
