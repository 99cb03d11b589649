// rpm's database in its three formats and all places it has lived in.
#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "catalog/cataloger.h"
#include "decode/rpmdb.h"

namespace vigil::catalog {

namespace {

using image::Claim;
using image::ClaimKind;

constexpr uint64_t kBytesMax = limits::kPackageDatabaseBytesMax;

// Folders that are often links to others of the list come last, formats in the order of rpm's
// preference. Fedora and SUSE moved the database to usr/lib/sysimage and left a link in var.
constexpr Claim kDatabases[] = {
    {ClaimKind::kPath, "usr/lib/sysimage/rpm/rpmdb.sqlite", kBytesMax},
    {ClaimKind::kPath, "usr/lib/sysimage/rpm/Packages.db", kBytesMax},
    {ClaimKind::kPath, "usr/lib/sysimage/rpm/Packages", kBytesMax},
    {ClaimKind::kPath, "usr/share/rpm/rpmdb.sqlite", kBytesMax},
    {ClaimKind::kPath, "usr/share/rpm/Packages.db", kBytesMax},
    {ClaimKind::kPath, "usr/share/rpm/Packages", kBytesMax},
    {ClaimKind::kPath, "var/lib/rpm/rpmdb.sqlite", kBytesMax},
    {ClaimKind::kPath, "var/lib/rpm/Packages.db", kBytesMax},
    {ClaimKind::kPath, "var/lib/rpm/Packages", kBytesMax},
};

// SQLite's write-ahead logs: only looked at to say that one was left behind.
constexpr Claim kSupport[] = {
    {ClaimKind::kPath, "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", kBytesMax},
    {ClaimKind::kPath, "usr/share/rpm/rpmdb.sqlite-wal", kBytesMax},
    {ClaimKind::kPath, "var/lib/rpm/rpmdb.sqlite-wal", kBytesMax},
};
constexpr size_t kWalHeaderBytes = 32;

constexpr size_t kGapsMax = 100;

// rpm keeps imported signing keys as packages of this name; they are none.
constexpr std::string_view kPublicKey = "gpg-pubkey";

bool is_database_path(std::string_view path) {
  return std::any_of(std::begin(kDatabases), std::end(kDatabases),
                     [&](const Claim& claim) { return claim.text == path; });
}

bool holds_packages(const image::ImageFs& fs, const std::string& path) {
  const Result<std::string> content = fs.read(path, kBytesMax);
  if (!content) return false;
  bool is_any = false;
  static_cast<void>(
      decode::read_rpmdb(as_bytes(*content), [&](uint32_t, ByteView) { is_any = true; }));
  return is_any;
}

// Whether another file is the one rpm reads: the same file by its own path, or a database of a
// later format in the same folder, beside which this one was left behind.
bool is_superseded(const CatalogInput& input) {
  const std::string real_path = input.fs.real_path(input.path);
  if (real_path != input.path && is_database_path(real_path) &&
      input.fs.read(real_path, kBytesMax)) {
    return true;
  }
  const size_t slash = input.path.rfind('/');
  const std::string folder(input.path.substr(0, slash + 1));
  for (const std::string_view preferred : {"rpmdb.sqlite", "Packages.db"}) {
    if (input.path.substr(slash + 1) == preferred) return false;
    if (holds_packages(input.fs, folder + std::string(preferred))) return true;
  }
  return false;
}

class Collector {
 public:
  explicit Collector(const CatalogInput& input) : input_(input) {}

  void add(uint32_t number, ByteView blob) {
    const auto wanted = input_.files_wanted ? decode::RpmFiles::kRead : decode::RpmFiles::kSkip;
    Result<decode::RpmHeader> header = decode::parse_rpm_header(blob, wanted);
    if (!header) {
      add_gap(GapKind::kMalformed,
              "package number " + std::to_string(number) + ": " + header.error().text());
      // A broken list of files does not hide the package.
      header = decode::parse_rpm_header(blob, decode::RpmFiles::kSkip);
      if (!header) return;
    }
    if (header->name == kPublicKey) return;
    if (output_.packages.size() >= limits::kPackagesMax) {
      add_gap(GapKind::kLimit, "more packages than are read", "kPackagesMax");
      return;
    }
    add_files(*header);
    order_.emplace_back(header->installed_at, number, order_.size());
    output_.packages.push_back(make_package(*std::move(header)));
  }

  void add_gap(GapKind kind, std::string reason, std::string limit = "") {
    if (output_.gaps.size() >= kGapsMax) return;
    if (output_.gaps.size() + 1 == kGapsMax) reason = "further packages that cannot be read";
    Gap gap{kind, std::string(input_.path), std::move(reason), std::move(limit)};
    if (output_.gaps.empty() || output_.gaps.back() != gap) output_.gaps.push_back(std::move(gap));
  }

  CatalogOutput finish() {
    std::sort(order_.begin(), order_.end());
    int32_t position = 0;
    for (const auto& [time, number, index] : order_) {
      output_.packages[index].install_order = position++;
    }
    return std::move(output_);
  }

 private:
  Package make_package(decode::RpmHeader header) const {
    Package package;
    package.kind = PackageKind::kRpm;
    package.version = header.full_version();
    const std::string epoch = std::to_string(header.epoch);
    if (auto source = decode::parse_source_rpm(header.source_rpm, epoch)) {
      if (source->name != header.name || source->version != package.version) {
        package.source = *std::move(source);
      }
    }
    package.name = std::move(header.name);
    package.arch = std::move(header.arch);
    package.maintainer = std::move(header.vendor);
    package.origin = std::move(header.packager);
    package.licence = std::move(header.licence);
    package.module = std::move(header.module);
    package.installed_at = header.installed_at;
    package.location.path = input_.path;
    return package;
  }

  void add_files(decode::RpmHeader& header) {
    const auto package = static_cast<uint32_t>(output_.packages.size());
    for (decode::RpmFile& file : header.files) {
      path_bytes_ += file.path.size();
      if (output_.files.size() >= limits::kOwnedFilesMax || path_bytes_ > kBytesMax) {
        add_gap(GapKind::kLimit, "more owned files than are read", "kOwnedFilesMax");
        return;
      }
      OwnedFile owned;
      owned.package = package;
      owned.path = std::move(file.path);
      owned.digest = std::move(file.digest);
      output_.files.push_back(std::move(owned));
    }
  }

  const CatalogInput& input_;
  CatalogOutput output_;
  // When installed, rpm's number (which breaks ties), index of the package.
  std::vector<std::tuple<int64_t, uint32_t, size_t>> order_;
  uint64_t path_bytes_ = 0;
};

Result<CatalogOutput> catalog_rpm(const CatalogInput& input) {
  // An empty file is what a removed database of an older format leaves behind.
  if (input.content.empty() || is_superseded(input)) return CatalogOutput{};
  Collector collector(input);
  const decode::RpmdbProblems problems =
      TRY(decode::read_rpmdb(as_bytes(input.content),
                             [&](uint32_t number, ByteView blob) { collector.add(number, blob); }));
  for (const std::string& problem : problems) collector.add_gap(GapKind::kMalformed, problem);
  const Result<std::string> log = input.fs.read(std::string(input.path) + "-wal", kBytesMax);
  const bool is_unseen_log =
      log ? log->size() > kWalHeaderBytes : log.error().code == ErrorCode::kTooLarge;
  if (is_unseen_log) {
    collector.add_gap(GapKind::kUnsupported,
                      "changes in SQLite's write-ahead log beside it are not read");
  }
  return collector.finish();
}

}  // namespace

extern const Cataloger rpm_cataloger;
const Cataloger rpm_cataloger = {
    .name = "rpm",
    .version = 1,
    .databases = kDatabases,
    .support = kSupport,
    .catalog = catalog_rpm,
};

}  // namespace vigil::catalog
