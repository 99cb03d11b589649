// The fact tables in data/starter, from which the starter database in the program is made: which
// sources may lie there, and how they get there. Only sources whose licence lets anybody pass them
// on, or that state facts only, are in the list.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/fact_table.h"
#include "base/result.h"

namespace vigil::advisory {

// All tables together, in the tree.
constexpr uint64_t kStarterTablesBytesMax = 4'000'000;

struct StarterSource {
  std::string_view name;  // Of the table: "osv-pypi".
  std::string_view feed;
  std::string_view pattern;  // Which of the feed's files, by fnmatch(3) with FNM_PATHNAME.
  std::string_view licence;
  std::string_view attribution;
  // What the publisher says after this day may not be passed on; "" where there is no such day.
  std::string_view free_until;
};
std::span<const StarterSource> starter_sources();  // Sorted by name.

struct StarterTable {
  FactTableHead head;
  std::string bytes;           // As write_fact_table makes them.
  uint64_t records_count = 0;  // Advisories (once per shard), facts and releases.
  std::map<std::string, uint64_t> skipped;

  std::string file_name() const { return head.name + ".facts"; }
};

// Reads the sources from a folder of feeds. Sources without a file there are left out. The same
// files give the same bytes. Fails where a file cannot be read, where a source is from after its
// free_until or does not say from when it is, and past kStarterTablesBytesMax.
Result<std::vector<StarterTable>> make_starter_tables(const std::string& feeds_folder);

// ATTRIBUTION.md beside the tables.
std::string starter_attribution(std::span<const StarterTable> tables);

}  // namespace vigil::advisory
