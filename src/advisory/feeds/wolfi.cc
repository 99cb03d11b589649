// The secdb of Wolfi and of Chainguard's images. Both are rolling: one file, one shard each.
#include "advisory/feed.h"
#include "advisory/secdb.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"wolfi/security.json", "chainguard/security.json"};

constexpr FeedAddress kAddresses[] = {
    {"https://packages.wolfi.dev/os/security.json", "wolfi/security.json", ""},
    {"https://packages.cgr.dev/chainguard/security.json", "chainguard/security.json", ""},
};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const std::string text =
      TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  const SecdbDocument document = TRY(parse_secdb(text));
  // Both say the same of themselves, so that only the place tells them apart.
  const std::string_view shard = file.path.starts_with("chainguard/") ? "chainguard" : "wolfi";
  sink.add_source(shard, shard, file.coverage, file.as_of);
  add_secdb(document, shard, shard, sink);
  return {};
}

}  // namespace

extern const Feed wolfi_feed;
const Feed wolfi_feed = {
    .name = "wolfi",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = true, .is_subset = false},
    .licence = "Apache-2.0 up to 2025-05-07; later data: for the user's own use only",
    .attribution = "Wolfi security advisories, Chainguard, Apache-2.0",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
