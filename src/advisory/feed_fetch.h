// Downloads the feeds' upstream files into a feeds folder, as `db build` reads it. What is there
// already is asked for only if it changed. Beside the feeds, OUT/.fetch keeps what the servers said
// of each file, and downloads that were interrupted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "advisory/feed.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::advisory {

struct FetchOptions {
  std::string out_folder;
  // An http or https address that serves a feeds folder: a file's address there is its path in the
  // folder. Where SHA256SUMS there lists what it has, every file of a feed is fetched under the
  // name it has ("epss_scores-2026-01-30.csv.gz"); else the publishers' names are tried. "": the
  // publishers' own addresses.
  std::string mirror;
  std::vector<std::string> feeds;  // Names; none: all.
};

// What a mirror lacks of a feed, by the publishers' names.
struct AbsentFiles {
  std::string_view feed;
  std::vector<std::string> paths;
  bool is_whole_feed = false;  // It has nothing of it.
  bool operator==(const AbsentFiles&) const = default;
};

struct FetchedFile {
  std::string path;  // In the feeds folder.
  bool is_unchanged = false;
  uint64_t bytes = 0;  // Of the file as it is now.
  Status status;       // Where it failed, the old file stays.
};

// Told how it goes on.
struct FetchProgress {
  FunctionRef<void(const std::string& path)> starts;
  FunctionRef<void(const FetchedFile&)> done;  // Fetched, unchanged or failed.
};

// One file that fails keeps no other from being fetched. What a mirror does not have is no failure,
// as long as it has something. An Error: nothing could be tried (an unknown feed, no folder, no
// libcurl), or the mirror has none of the feeds.
Result<std::vector<AbsentFiles>> fetch_feeds(const FetchOptions& options,
                                             const FetchProgress& progress);

// An address and the path it belongs to, with placeholders filled in.
struct FilledAddress {
  std::string url;
  std::string path;
};
// Each "{…}" of the address becomes `value`.
FilledAddress fill_address(const FeedAddress& address, std::string_view value);

}  // namespace vigil::advisory
