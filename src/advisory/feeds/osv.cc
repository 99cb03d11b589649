// OSV: an archive of records for each ecosystem, as its bucket has them, or a folder of records.
#include "advisory/osv.h"

#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"osv/*/all.zip", "osv/*/*.json"};

// Debian, Ubuntu, Alpine, Wolfi and Red Hat publish more of their own than they do here.
constexpr std::string_view kEcosystems =
    "PyPI,npm,Go,Maven,crates.io,RubyGems,Packagist,NuGet,Pub,Hex,Hackage,CRAN,SwiftURL,"
    "GitHub Actions,Bitnami,AlmaLinux,Rocky Linux,SUSE,openSUSE,Azure Linux";
constexpr FeedAddress kAddresses[] = {
    {"https://storage.googleapis.com/osv-vulnerabilities/{ecosystem}/all.zip",
     "osv/{ecosystem}/all.zip", kEcosystems},
};

// "PyPI" of "osv/PyPI/all.zip".
std::string_view folder_of(std::string_view path) {
  const size_t start = path.find('/') + 1;
  return path.substr(start, path.find('/', start) - start);
}

Status parse(const FeedFile& file, AdvisorySink& sink) {
  const OsvEcosystem* ecosystem = find_osv_ecosystem(folder_of(file.path));
  if (ecosystem == nullptr) {
    sink.skip("osv: a file of an ecosystem that is not matched");
    return {};
  }
  OsvReader reader(*ecosystem, file, sink);
  if (file.path.ends_with(".zip")) {
    const auto read = [&](std::string_view name, std::string_view content) -> Status {
      if (name.ends_with(".json") && !reader.add(content))
        sink.skip("osv: a record that is no JSON");
      return {};
    };
    TRY(decode::each_member(file.absolute_path, read));
  } else {
    const std::string text =
        TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
    TRY(with_context(reader.add(text), file.path));
  }
  reader.finish();
  return {};
}

}  // namespace

extern const Feed osv_feed;
const Feed osv_feed = {
    .name = "osv",
    .patterns = kPatterns,
    .addresses = kAddresses,
    .coverage = {.is_fixed_only = false, .is_subset = false},
    .licence =
        "CC-BY-4.0 (PyPA, Go, GitHub), CC0-1.0 (RustSec), Apache-2.0 (Bitnami), MIT "
        "(AlmaLinux); others as their publishers say",
    .attribution =
        "PyPA Advisory Database, Go Vulnerability Database and GitHub Advisory Database, "
        "CC-BY-4.0; "
        "RustSec, CC0-1.0; Bitnami Vulnerability Database, Apache-2.0; AlmaLinux OSV database, MIT",
    .is_embeddable = true,
    .parse = parse,
};

}  // namespace vigil::advisory
