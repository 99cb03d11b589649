// CISA's enrichment of CVE records: a tree of files, one per CVE, or an archive of it.
#include <algorithm>

#include "advisory/cve_facts.h"
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"vulnrichment/vulnrichment-*.tar.*",
                                          "vulnrichment/*/*/CVE-*.json"};

constexpr FeedAddress kAddresses[] = {
    {"https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.tar.gz",
     "vulnrichment/vulnrichment-develop.tar.gz", ""},
};

bool is_record(std::string_view path) {
  return path.substr(path.rfind('/') + 1).starts_with("CVE-") && path.ends_with(".json");
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  UnixSeconds newest = 0;
  const auto add = [&](std::string_view name, std::string_view content) -> Status {
    if (!is_record(name)) return {};
    newest = std::max(newest, TRY(with_context(add_cve_record(content, sink), name)));
    return {};
  };
  if (is_record(file.path)) {
    const std::string text =
        TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
    TRY(add(file.path, text));
  } else {
    TRY(decode::each_member(file.absolute_path, add));
  }
  sink.add_source(kFactsShard, "vulnrichment", file.coverage,
                  file.as_of != 0 ? file.as_of : newest);
  return {};
}

}  // namespace

extern const Feed vulnrichment_feed;
const Feed vulnrichment_feed = {
    .name = "vulnrichment",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence = "CC0-1.0",
    .attribution = "Vulnrichment, CISA, CC0-1.0",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
