#include "advisory/starter_tables.h"

#include <algorithm>

#include <fmt/format.h>

#include "advisory/feeds_folder.h"
#include "base/check.h"

namespace vigil::advisory {

namespace {

constexpr StarterSource kSources[] = {
    {"debian", "debian-tracker", "debian/derived/tracker-shaped-*.json.gz",
     "facts, from the changelogs of Debian's packages", "Debian, https://www.debian.org", ""},
    {"eol", "eol", "eol/*.csv", "ISC", "distro-info-data, the Debian and Ubuntu developers", ""},
    {"eol-alpine", "eol", "eol/alpine.json", "facts",
     "Alpine Linux, https://alpinelinux.org/releases", ""},
    {"epss", "epss", "epss/*", "free use, attribution asked",
     "See EPSS at https://www.first.org/epss", ""},
    {"kev", "kev", "kev/*", "CC0-1.0", "Known Exploited Vulnerabilities Catalog, CISA", ""},
    {"osv-almalinux", "osv", "osv/AlmaLinux/*", "MIT",
     "AlmaLinux OSV database, AlmaLinux OS Foundation", ""},
    {"osv-bitnami", "osv", "osv/Bitnami/*", "Apache-2.0",
     "Bitnami Vulnerability Database, Broadcom", ""},
    {"osv-crates", "osv", "osv/crates.io/*", "CC0-1.0; records imported from GitHub CC-BY-4.0",
     "RustSec Advisory Database, RustSec contributors", ""},
    {"osv-go", "osv", "osv/Go/*", "CC-BY-4.0", "Go Vulnerability Database, the Go authors", ""},
    {"osv-maven", "osv", "osv/Maven/*", "CC-BY-4.0", "GitHub Advisory Database, GitHub, Inc.", ""},
    {"osv-pypi", "osv", "osv/PyPI/*", "CC-BY-4.0",
     "PyPA Advisory Database, Python Packaging Authority", ""},
    {"redhat", "redhat", "redhat/*", "CC-BY-4.0", "Red Hat security data, Red Hat, Inc.", ""},
    {"vulnrichment", "vulnrichment", "vulnrichment/*", "CC0-1.0", "Vulnrichment, CISA", ""},
    {"wolfi", "wolfi", "wolfi/security.json", "Apache-2.0",
     "Wolfi security advisories, Chainguard, Inc.", "2025-05-07"},
};

const Feed& feed_of(const StarterSource& source) {
  const auto found = std::ranges::find(all_feeds(), source.feed, &Feed::name);
  CHECK(found != all_feeds().end());
  CHECK((*found)->is_embeddable);
  return **found;
}

Status check_licence(const StarterSource& source, UnixSeconds as_of) {
  if (source.free_until.empty()) return {};
  if (as_of != 0 && format_date(as_of) <= source.free_until) return {};
  return fail(
      ErrorCode::kDenied,
      fmt::format("{} of after {} may not be passed on, and coverage.json dates this one {}",
                  source.name, source.free_until, as_of == 0 ? "not at all" : format_date(as_of)));
}

Result<StarterTable> make_table(const StarterSource& source, const std::vector<FeedFile>& files) {
  FactRecorder facts;
  StarterTable table;
  table.head = {.name = std::string(source.name),
                .feed = std::string(source.feed),
                .licence = std::string(source.licence),
                .attribution = std::string(source.attribution),
                .as_of = 0};
  for (const FeedFile& file : files) {
    TRY(check_licence(source, file.as_of));
    TRY(with_context(feed_of(source).parse(file, facts), file.path));
    table.head.as_of = std::max(table.head.as_of, file.as_of);
  }
  for (const FactRecorder::Source& one : facts.sources) {
    table.head.as_of = std::max(table.head.as_of, one.as_of);
  }
  table.records_count = facts.records.size() + facts.facts.size() + facts.releases.size();
  table.skipped = facts.skipped;
  table.bytes = TRY(write_fact_table(table.head, std::move(facts)));
  return table;
}

}  // namespace

std::span<const StarterSource> starter_sources() {
  return kSources;
}

Result<std::vector<StarterTable>> make_starter_tables(const std::string& feeds_folder) {
  const FeedsFolder folder = TRY(FeedsFolder::open(feeds_folder));
  std::vector<StarterTable> tables;
  uint64_t bytes = 0;
  for (const StarterSource& source : starter_sources()) {
    std::vector<FeedFile> files = folder.files_of(feed_of(source));
    std::erase_if(files, [&](const FeedFile& file) {
      return !matches_pattern(std::string(source.pattern), file.path);
    });
    if (files.empty()) continue;
    tables.push_back(TRY(make_table(source, files)));
    bytes += tables.back().bytes.size();
  }
  if (bytes > kStarterTablesBytesMax) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("the starter's tables take {} bytes, more than {}", bytes,
                            kStarterTablesBytesMax));
  }
  return tables;
}

std::string starter_attribution(std::span<const StarterTable> tables) {
  std::string out =
      "# Where the starter's data come from\n\n"
      "The tables in this folder hold facts out of the sources below: ids, aliases, packages,\n"
      "version ranges, states, scores and dates, no prose. `vigil db starter` makes them and this\n"
      "file. Each is as complete and as old as its source was.\n\n"
      "| table | records | bytes | as of | source | licence |\n|---|---:|---:|---|---|---|\n";
  uint64_t bytes = 0;
  for (const StarterTable& table : tables) {
    bytes += table.bytes.size();
    out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", table.file_name(),
                       table.records_count, table.bytes.size(), format_date(table.head.as_of),
                       table.head.attribution, table.head.licence);
  }
  return out + fmt::format("\n{} bytes in {} tables.\n", bytes, tables.size());
}

}  // namespace vigil::advisory
