// apk's database of installed packages (apk-package(5), "installed" in apk-tools' doc/): one line
// for each field, a letter, a colon and the value; an empty line between packages.
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/gap_list.h"
#include "decode/deb822.h"

namespace vigil::catalog {

namespace {

using image::Claim;
using image::ClaimKind;

// apk moved its database below usr in 2024.
constexpr Claim kDatabases[] = {
    {ClaimKind::kPath, "lib/apk/db/installed", limits::kPackageDatabaseBytesMax},
    {ClaimKind::kPath, "usr/lib/apk/db/installed", limits::kPackageDatabaseBytesMax},
};

constexpr size_t kSha1Bytes = 20;
constexpr size_t kSha256Bytes = 32;

// RFC 4648 §4; nothing where the text is not of that form.
std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  uint32_t bits = 0;
  int bits_count = 0;
  for (const char c : text) {
    static constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t value = kLetters.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xffffff;
    bits_count += 6;
    if (bits_count < 8) continue;
    bits_count -= 8;
    bytes += static_cast<char>(bits >> bits_count & 0xff);
  }
  return bytes;
}

// "Q1" and SHA-1 in base64, or "Q2" and SHA-256. The latter is cut to 160 bits in some versions,
// and then no digest that anything else can be compared with. A link's is that of its target's
// text.
std::string digest_of(std::string_view value) {
  if (value.size() < 2 || value.size() > 64 || value[0] != 'Q') return "";
  const std::optional<std::string> bytes = from_base64(value.substr(2));
  if (!bytes) return "";
  if (value[1] == '1' && bytes->size() == kSha1Bytes) return "sha1:" + to_hex(as_bytes(*bytes));
  if (value[1] == '2' && bytes->size() == kSha256Bytes) {
    return "sha256:" + to_hex(as_bytes(*bytes));
  }
  return "";
}

class Collector {
 public:
  explicit Collector(const CatalogInput& input) : input_(input), gaps_(std::string(input.path)) {}

  void take_line(std::string_view line) {
    if (line.empty()) {
      finish_package();
      return;
    }
    if (line.size() < 2 || line[1] != ':') {
      ++bad_lines_count_;
      return;
    }
    is_open_ = true;
    take_field(line[0], line.substr(2));
  }

  CatalogOutput finish() {
    finish_package();
    if (bad_lines_count_ > 0) {
      gaps_.add(GapKind::kMalformed, std::to_string(bad_lines_count_) + " lines that are no field");
    }
    output_.gaps = gaps_.finish();
    return std::move(output_);
  }

 private:
  void take_field(char name, std::string_view value) {
    switch (name) {
      case 'P':
        package_.name = bounded(value, "P");
        break;
      case 'V':
        take_version(value);
        break;
      case 'A':
        package_.arch = bounded(value, "A");
        break;
      case 'L':
        package_.licence = bounded(value, "L");
        break;
      case 'm':
        package_.maintainer = bounded(value, "m");
        break;
      case 'o':
        package_.source.name = bounded(value, "o");
        break;
      case 's':
        package_.origin = bounded(value, "s");
        break;
      case 'F':
        folder_ = value;
        last_file_ = nullptr;
        break;
      case 'R':
        take_file(value);
        break;
      case 'Z':
        if (last_file_ != nullptr) last_file_->digest = digest_of(value);
        break;
      default:
        break;
    }
  }

  std::string_view bounded(std::string_view value, std::string_view field) {
    if (value.size() <= limits::kNameBytesMax) return value;
    gaps_.add(GapKind::kLimit, "field " + std::string(field) + " is too long", "kNameBytesMax");
    return {};
  }

  void take_version(std::string_view value) {
    if (value.size() <= limits::kVersionBytesMax) {
      package_.version = value;
      return;
    }
    gaps_.add(GapKind::kLimit, "a version that is too long", "kVersionBytesMax");
    has_dropped_version_ = true;
  }

  void take_file(std::string_view name) {
    last_file_ = nullptr;
    if (!input_.files_wanted || name.empty()) return;
    const uint64_t bytes = folder_.size() + 1 + name.size();
    path_bytes_ += bytes;
    if (output_.files.size() >= limits::kOwnedFilesMax ||
        path_bytes_ > limits::kPackageDatabaseBytesMax) {
      if (!std::exchange(is_full_, true)) {
        gaps_.add(GapKind::kLimit, "more owned files than are read", "kOwnedFilesMax");
      }
      return;
    }
    if (bytes > limits::kPathBytesMax) {
      gaps_.add(GapKind::kLimit, "a path that is too long", "kPathBytesMax");
      return;
    }
    OwnedFile& file = output_.files.emplace_back();
    file.package = static_cast<uint32_t>(output_.packages.size());
    file.path.reserve(bytes);
    file.path = folder_;
    if (!folder_.empty()) file.path += '/';
    file.path += name;
    last_file_ = &file;
  }

  void finish_package() {
    folder_ = {};
    last_file_ = nullptr;
    Package package = std::exchange(package_, Package());
    const bool has_dropped_version = std::exchange(has_dropped_version_, false);
    if (!std::exchange(is_open_, false)) return;
    if (package.name.empty() || output_.packages.size() >= limits::kPackagesMax) {
      drop_files();
      if (package.name.empty()) {
        gaps_.add(GapKind::kMalformed, "a package without a name");
      } else {
        gaps_.add(GapKind::kLimit, "more packages than are read", "kPackagesMax");
      }
      return;
    }
    if (package.version.empty() && !has_dropped_version) {
      gaps_.add(GapKind::kMalformed, "package " + package.name + " has no version");
    }
    package.kind = PackageKind::kApk;
    package.location.path = input_.path;
    // All packages of an origin are built at once, so its version is theirs.
    if (package.source.name == package.name) package.source.name.clear();
    if (!package.source.name.empty()) package.source.version = package.version;
    output_.packages.push_back(std::move(package));
  }

  // Those of the package that is not taken.
  void drop_files() {
    while (!output_.files.empty() && output_.files.back().package == output_.packages.size()) {
      output_.files.pop_back();
    }
  }

  const CatalogInput& input_;
  GapList gaps_;
  CatalogOutput output_;
  Package package_;
  std::string_view folder_;
  OwnedFile* last_file_ = nullptr;  // Into output_.files, until the next is added.
  bool is_open_ = false;
  bool is_full_ = false;
  bool has_dropped_version_ = false;
  uint64_t path_bytes_ = 0;
  uint64_t bad_lines_count_ = 0;
};

Result<CatalogOutput> catalog_apk(const CatalogInput& input) {
  Collector collector(input);
  decode::each_line(input.content, [&](std::string_view line) { collector.take_line(line); });
  return collector.finish();
}

}  // namespace

extern const Cataloger apk_cataloger;
const Cataloger apk_cataloger = {
    .name = "apk",
    .version = 1,
    .databases = kDatabases,
    .support = {},
    .catalog = catalog_apk,
};

}  // namespace vigil::catalog
