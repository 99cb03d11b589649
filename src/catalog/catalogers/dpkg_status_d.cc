// The database of images put together from Debian packages without dpkg, as the distroless ones:
// a stanza for each package in a file of its own (named after the package, or its name in base64 or
// hexadecimal), and beside it the package's own .md5sums.
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/dpkg_copyright.h"
#include "catalog/dpkg_database.h"

namespace vigil::catalog {

namespace {

using image::Claim;
using image::ClaimKind;

constexpr Claim kDatabases[] = {
    {ClaimKind::kUnderFolder, "var/lib/dpkg/status.d/", limits::kPackageListBytesMax},
};

constexpr Claim kSupport[] = {copyright_claim()};

// What else a Debian package's control archive holds (deb-md5sums(5) and its neighbours).
constexpr std::string_view kControlFiles[] = {
    ".md5sums", ".list",     ".conffiles", ".preinst", ".postinst",  ".prerm",    ".postrm",
    ".config",  ".triggers", ".shlibs",    ".symbols", ".templates", ".copyright"};

bool is_other_control_file(std::string_view path) {
  for (const std::string_view ending : kControlFiles) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

std::vector<OwnedFile> read_files(const CatalogInput& input, GapList& gaps) {
  std::vector<OwnedFile> files;
  const std::string path = std::string(input.path) + ".md5sums";
  const Result<std::string> text = input.fs.read(path, limits::kPackageListBytesMax);
  if (!text) {
    gaps.add_at(path, GapKind::kUnreadable, "no list of the package's files");
    return files;
  }
  std::vector<DpkgDigest> digests;
  read_md5sums(*text, digests);
  sort_digests(digests);
  for (const auto& [name, digest] : digests) {
    if (name.size() > limits::kPathBytesMax) {
      gaps.add_at(path, GapKind::kLimit, "a path that is too long", "kPathBytesMax");
      continue;
    }
    files.push_back({0, std::string(name), md5_digest(digest), {}});
  }
  return files;
}

Result<CatalogOutput> catalog_status_d(const CatalogInput& input) {
  if (is_other_control_file(input.path)) return CatalogOutput{};
  CatalogOutput output;
  GapList gaps{std::string(input.path)};
  decode::Deb822Reader reader(input.content);
  while (reader.next_stanza()) {
    std::optional<DpkgEntry> entry = read_dpkg_entry(reader, gaps);
    if (!entry || !entry->is_installed) continue;
    if (output.packages.size() >= limits::kPackagesMax) {
      gaps.add(GapKind::kLimit, "more packages than are read", "kPackagesMax");
      break;
    }
    entry->package.location.path = input.path;
    output.packages.push_back(std::move(entry->package));
  }
  if (reader.bad_lines_count() > 0) {
    gaps.add(GapKind::kMalformed,
             std::to_string(reader.bad_lines_count()) + " lines that are no field");
  }
  if (output.packages.size() > 1) {
    gaps.add(GapKind::kMalformed, "more than one package in a file of one");
  }
  if (input.files_wanted && output.packages.size() == 1) output.files = read_files(input, gaps);
  Copyrights copyrights(input.fs, gaps);
  for (Package& package : output.packages) {
    if (input.files_wanted) package.licence = copyrights.licence_of(package.name);
  }
  output.gaps = gaps.finish();
  return output;
}

}  // namespace

extern const Cataloger dpkg_status_d_cataloger;
const Cataloger dpkg_status_d_cataloger = {
    .name = "dpkg-status-d",
    .version = 2,
    .databases = kDatabases,
    .support = kSupport,
    .catalog = catalog_status_d,
};

}  // namespace vigil::catalog
