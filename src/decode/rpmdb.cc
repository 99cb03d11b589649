#include "decode/rpmdb.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/limits.h"

namespace vigil::decode {

namespace {

// rpm's own bounds (lib/header.c: hdrchkTags, hdrchkData).
constexpr uint32_t kHeaderEntriesMax = 0xffff;
constexpr uint32_t kHeaderDataBytesMax = 0x0fffffff;

// Tags and types of rpm's lib/rpmtag.h.
enum Tag : uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kInstallTime = 1008,
  kVendor = 1011,
  kLicence = 1014,
  kPackager = 1015,
  kArch = 1022,
  kOldFileNames = 1027,
  kFileStates = 1029,
  kFileModes = 1030,
  kFileDigests = 1035,
  kFileFlags = 1037,
  kSourceRpm = 1044,
  kDirIndexes = 1116,
  kBaseNames = 1117,
  kDirNames = 1118,
  kFileDigestAlgorithm = 5011,
  kModularityLabel = 5096,
};
enum Type : uint32_t {
  kChar = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kString = 6,
  kBin = 7,
  kStringArray = 8,
  kI18nString = 9,
};

constexpr uint32_t kGhostFlag = 1 << 6;  // RPMFILE_GHOST.
constexpr uint8_t kStateReplaced = 1;    // RPMFILE_STATE_REPLACED.
constexpr uint8_t kStateWrongColour = 4;

struct Entry {
  uint32_t tag = 0;
  uint32_t type = 0;
  uint32_t count = 0;
  ByteView bytes;  // From the entry's offset to the end of the data.
};

// The index over one header. Entries of other tags than wanted are not looked at: rpm itself adds
// new ones with every version.
class Index {
 public:
  static Result<Index> parse(ByteView bytes) {
    ByteReader reader(bytes);
    const uint32_t entries_count = TRY(reader.big<uint32_t>());
    const uint32_t data_bytes = TRY(reader.big<uint32_t>());
    if (entries_count == 0 || entries_count > kHeaderEntriesMax ||
        data_bytes > kHeaderDataBytesMax) {
      return fail(ErrorCode::kMalformed, "an rpm header with impossible counts");
    }
    ByteReader entries(TRY(reader.take(size_t{entries_count} * 16)));
    const ByteView data = TRY(reader.take(data_bytes));
    Index index;
    for (uint32_t i = 0; i < entries_count; ++i) {
      Entry entry;
      entry.tag = TRY(entries.big<uint32_t>());
      entry.type = TRY(entries.big<uint32_t>());
      const uint32_t offset = TRY(entries.big<uint32_t>());
      entry.count = TRY(entries.big<uint32_t>());
      if (!is_wanted(entry.tag)) continue;
      if (offset > data.size()) return fail(ErrorCode::kMalformed, "an rpm tag outside its header");
      entry.bytes = data.subspan(offset);
      index.entries_.push_back(entry);
    }
    return index;
  }

  // An entry behind the signed region replaces one of the same tag in it, as rpm reads it: the last
  // one counts.
  const Entry* find(uint32_t tag) const {
    for (size_t i = entries_.size(); i > 0; --i) {
      if (entries_[i - 1].tag == tag) return &entries_[i - 1];
    }
    return nullptr;
  }

  // The first string: of an internationalised one that is the C locale's. "" where absent.
  Result<std::string> text(uint32_t tag) const {
    const Entry* entry = find(tag);
    if (entry == nullptr || entry->count == 0) return std::string();
    if (entry->type != kString && entry->type != kStringArray && entry->type != kI18nString) {
      return fail(ErrorCode::kMalformed, "an rpm tag of the wrong type");
    }
    const std::string_view view = as_text(entry->bytes);
    const size_t end = view.find('\0');
    if (end == std::string_view::npos)
      return fail(ErrorCode::kMalformed, "an rpm string without end");
    if (end > limits::kNameBytesMax) return fail(ErrorCode::kTooLarge, "past kNameBytesMax");
    return std::string(view.substr(0, end));
  }

  Result<std::vector<std::string_view>> texts(uint32_t tag) const {
    std::vector<std::string_view> out;
    const Entry* entry = find(tag);
    if (entry == nullptr) return out;
    if (entry->type != kStringArray && !(entry->type == kString && entry->count == 1)) {
      return fail(ErrorCode::kMalformed, "an rpm tag of the wrong type");
    }
    // Each string has at least its terminator.
    if (entry->count > entry->bytes.size())
      return fail(ErrorCode::kMalformed, "an rpm count that lies");
    std::string_view rest = as_text(entry->bytes);
    out.reserve(entry->count);
    for (uint32_t i = 0; i < entry->count; ++i) {
      const size_t end = rest.find('\0');
      if (end == std::string_view::npos) {
        return fail(ErrorCode::kMalformed, "an rpm string without end");
      }
      out.push_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return out;
  }

  template <typename T>
  Result<std::vector<T>> numbers(uint32_t tag) const {
    std::vector<T> out;
    const Entry* entry = find(tag);
    if (entry == nullptr) return out;
    const bool fits = sizeof(T) == 1   ? entry->type == kChar || entry->type == kInt8
                      : sizeof(T) == 2 ? entry->type == kInt16
                                       : entry->type == kInt32;
    if (!fits) return fail(ErrorCode::kMalformed, "an rpm tag of the wrong type");
    if (entry->count > entry->bytes.size() / sizeof(T)) {
      return fail(ErrorCode::kMalformed, "an rpm count that lies");
    }
    ByteReader reader(entry->bytes);
    out.reserve(entry->count);
    for (uint32_t i = 0; i < entry->count; ++i) out.push_back(TRY(reader.big<T>()));
    return out;
  }

  Result<uint32_t> number(uint32_t tag) const {
    const std::vector<uint32_t> all = TRY(numbers<uint32_t>(tag));
    return all.empty() ? 0 : all[0];
  }

 private:
  static bool is_wanted(uint32_t tag) {
    static constexpr std::array<uint32_t, 20> kWanted = {kName,
                                                         kVersion,
                                                         kRelease,
                                                         kEpoch,
                                                         kInstallTime,
                                                         kVendor,
                                                         kLicence,
                                                         kPackager,
                                                         kArch,
                                                         kOldFileNames,
                                                         kFileStates,
                                                         kFileModes,
                                                         kFileDigests,
                                                         kFileFlags,
                                                         kSourceRpm,
                                                         kDirIndexes,
                                                         kBaseNames,
                                                         kDirNames,
                                                         kFileDigestAlgorithm,
                                                         kModularityLabel};
    return std::find(kWanted.begin(), kWanted.end(), tag) != kWanted.end();
  }

  std::vector<Entry> entries_;
};

struct DigestAlgorithm {
  uint32_t number;
  std::string_view name;
  size_t digits;
};

// RFC 4880 §9.4; packages without the tag use MD5.
constexpr std::array<DigestAlgorithm, 6> kAlgorithms = {{{1, "md5", 32},
                                                         {2, "sha1", 40},
                                                         {8, "sha256", 64},
                                                         {9, "sha384", 96},
                                                         {10, "sha512", 128},
                                                         {11, "sha224", 56}}};

std::string digest_text(const DigestAlgorithm* algorithm, std::string_view hex) {
  if (algorithm == nullptr || hex.size() != algorithm->digits) return "";
  for (const char c : hex) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return "";
  }
  return std::string(algorithm->name) + ":" + std::string(hex);
}

// Full names, from the three compressed arrays or, in packages of rpm 3, from one.
Result<std::vector<std::string>> file_paths(const Index& index) {
  std::vector<std::string> paths;
  const std::vector<std::string_view> base_names = TRY(index.texts(kBaseNames));
  if (base_names.empty()) {
    for (const std::string_view name : TRY(index.texts(kOldFileNames))) paths.emplace_back(name);
  } else {
    const std::vector<std::string_view> dir_names = TRY(index.texts(kDirNames));
    const std::vector<uint32_t> dir_indexes = TRY(index.numbers<uint32_t>(kDirIndexes));
    if (dir_indexes.size() != base_names.size()) {
      return fail(ErrorCode::kMalformed, "rpm file lists of different lengths");
    }
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < base_names.size(); ++i) {
      if (dir_indexes[i] >= dir_names.size()) {
        return fail(ErrorCode::kMalformed, "an rpm directory index that lies");
      }
      const std::string_view dir = dir_names[dir_indexes[i]];
      total_bytes += dir.size() + base_names[i].size();
      // One long folder named by very many files.
      if (total_bytes > limits::kPackageListBytesMax) {
        return fail(ErrorCode::kTooLarge, "an rpm file list past kPackageListBytesMax");
      }
      paths.push_back(std::string(dir) + std::string(base_names[i]));
    }
  }
  for (std::string& path : paths) {
    if (path.size() > limits::kPathBytesMax) {
      return fail(ErrorCode::kTooLarge, "an rpm file name past kPathBytesMax");
    }
    path.erase(0, path.find_first_not_of('/'));
  }
  return paths;
}

Result<std::vector<RpmFile>> read_files(const Index& index) {
  std::vector<std::string> paths = TRY(file_paths(index));
  const std::vector<std::string_view> digests = TRY(index.texts(kFileDigests));
  const std::vector<uint16_t> modes = TRY(index.numbers<uint16_t>(kFileModes));
  const std::vector<uint32_t> flags = TRY(index.numbers<uint32_t>(kFileFlags));
  const std::vector<uint8_t> states = TRY(index.numbers<uint8_t>(kFileStates));
  const uint32_t algorithm_number = TRY(index.number(kFileDigestAlgorithm));
  const DigestAlgorithm* algorithm = nullptr;
  for (const DigestAlgorithm& known : kAlgorithms) {
    if (known.number == (algorithm_number == 0 ? 1 : algorithm_number)) algorithm = &known;
  }
  std::vector<RpmFile> files;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) continue;
    if (i < modes.size() && S_ISDIR(modes[i])) continue;
    if (i < states.size() && (states[i] == kStateReplaced || states[i] == kStateWrongColour))
      continue;
    const bool is_ghost = i < flags.size() && (flags[i] & kGhostFlag) != 0;
    RpmFile file;
    if (i < digests.size() && !is_ghost) file.digest = digest_text(algorithm, digests[i]);
    file.path = std::move(paths[i]);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

std::string RpmHeader::full_version() const {
  return (epoch == 0 ? "" : std::to_string(epoch) + ":") + version + "-" + release;
}

Result<RpmHeader> parse_rpm_header(ByteView bytes, RpmFiles files) {
  const Index index = TRY(Index::parse(bytes));
  RpmHeader header;
  header.name = TRY(index.text(kName));
  header.version = TRY(index.text(kVersion));
  header.release = TRY(index.text(kRelease));
  if (header.name.empty() || header.version.empty() || header.release.empty()) {
    return fail(ErrorCode::kMalformed, "an rpm header without name, version or release");
  }
  header.epoch = TRY(index.number(kEpoch));
  header.arch = TRY(index.text(kArch));
  header.source_rpm = TRY(index.text(kSourceRpm));
  header.vendor = TRY(index.text(kVendor));
  header.packager = TRY(index.text(kPackager));
  header.licence = TRY(index.text(kLicence));
  header.module = TRY(index.text(kModularityLabel));
  header.installed_at = TRY(index.number(kInstallTime));
  if (files == RpmFiles::kRead) {
    header.files = TRY(with_context(read_files(index), header.name));
  }
  return header;
}

std::optional<SourcePackage> parse_source_rpm(std::string_view file_name, std::string_view epoch) {
  for (const std::string_view suffix : {".src.rpm", ".nosrc.rpm"}) {
    if (file_name.ends_with(suffix)) file_name.remove_suffix(suffix.size());
  }
  const size_t release = file_name.rfind('-');
  if (release == std::string_view::npos || release == 0) return std::nullopt;
  const size_t version = file_name.rfind('-', release - 1);
  if (version == std::string_view::npos || version == 0 || version + 1 == release ||
      release + 1 == file_name.size()) {
    return std::nullopt;
  }
  SourcePackage source;
  source.name = file_name.substr(0, version);
  if (!epoch.empty() && epoch != "0") source.version = std::string(epoch) + ":";
  source.version += file_name.substr(version + 1);
  return source;
}

std::optional<RpmdbFormat> recognise_rpmdb(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with(std::string_view("SQLite format 3\0", 16))) return RpmdbFormat::kSqlite;
  if (text.starts_with("RpmP")) return RpmdbFormat::kNdb;
  if (text.size() < 16) return std::nullopt;
  const std::string_view magic = text.substr(12, 4);
  for (const std::string_view known :
       {std::string_view("\x61\x15\x06\x00", 4), std::string_view("\x00\x06\x15\x61", 4),
        std::string_view("\x62\x31\x05\x00", 4), std::string_view("\x00\x05\x31\x62", 4)}) {
    if (magic == known) return RpmdbFormat::kBdb;
  }
  return std::nullopt;
}

Result<RpmdbProblems> read_rpmdb(ByteView bytes, RpmBlobVisitor visit) {
  if (bytes.size() > limits::kPackageDatabaseBytesMax) {
    return fail(ErrorCode::kTooLarge, "an rpm database past kPackageDatabaseBytesMax");
  }
  const std::optional<RpmdbFormat> format = recognise_rpmdb(bytes);
  if (!format) return fail(ErrorCode::kMalformed, "not an rpm database");
  switch (*format) {
    case RpmdbFormat::kBdb:
      return read_rpmdb_bdb(bytes, visit);
    case RpmdbFormat::kNdb:
      return read_rpmdb_ndb(bytes, visit);
    case RpmdbFormat::kSqlite:
      return read_rpmdb_sqlite(bytes, visit);
  }
  return fail(ErrorCode::kUnsupported, "a format of rpm database without a reader");
}

}  // namespace vigil::decode
