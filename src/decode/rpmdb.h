// rpm's package database: from the bytes of its file to the headers of the installed packages.
// Hostile input throughout: every offset is checked, every loop bounded, no file is opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "model/package.h"

namespace vigil::decode {

enum class RpmdbFormat : uint8_t { kBdb, kNdb, kSqlite };

// By the magic numbers; nothing where the bytes are none of the three.
std::optional<RpmdbFormat> recognise_rpmdb(ByteView bytes);

// Takes the number rpm gave the package (it grows with each installation) and its header.
using RpmBlobVisitor = FunctionRef<void(uint32_t number, ByteView header)>;

// What could not be read of a database whose rest was visited: one sentence each, at most
// kRpmdbProblemsMax. Empty: everything was read.
using RpmdbProblems = std::vector<std::string>;
constexpr size_t kRpmdbProblemsMax = 20;

// Visits every header in the file's own order. An Error only where nothing can be read at all.
// The headers together are never larger than the file: more is a lie, and ends the reading.
Result<RpmdbProblems> read_rpmdb(ByteView bytes, RpmBlobVisitor visit);

// The three formats; called through read_rpmdb.
// Berkeley DB 4 and 5: hash and btree, either byte order.
Result<RpmdbProblems> read_rpmdb_bdb(ByteView bytes, RpmBlobVisitor visit);
// rpm's own Packages.db (its source: lib/backend/ndb/rpmpkg.c).
Result<RpmdbProblems> read_rpmdb_ndb(ByteView bytes, RpmBlobVisitor visit);
// rpmdb.sqlite. The only file that includes SQLite.
Result<RpmdbProblems> read_rpmdb_sqlite(ByteView bytes, RpmBlobVisitor visit);

struct RpmFile {
  std::string path;    // Without the leading slash.
  std::string digest;  // "sha256:…"; "" for links, ghosts and where none is recorded.
  bool operator==(const RpmFile&) const = default;
};

// The tags of a header that a scanner wants.
struct RpmHeader {
  std::string name;
  uint32_t epoch = 0;  // rpm orders a missing epoch as zero.
  std::string version;
  std::string release;
  std::string arch;
  std::string source_rpm;  // "bash-5.1-2.src.rpm".
  std::string vendor;
  std::string packager;
  std::string licence;
  std::string module;  // MODULARITYLABEL.
  int64_t installed_at = 0;
  // Owned files in the header's order. Directories are left out (many packages share them), and so
  // are files marked as replaced or of the wrong colour: what lies there is another package's.
  // Ghosts (%ghost: made at run time) stay, without a digest.
  std::vector<RpmFile> files;
  bool operator==(const RpmHeader&) const = default;

  std::string full_version() const;  // "epoch:version-release", a zero epoch left out.
};

enum class RpmFiles : uint8_t { kSkip, kRead };

// A header as the database stores it: counts, index, data; without the lead and magic of a package
// file. kMalformed also where the name, version or release is missing.
Result<RpmHeader> parse_rpm_header(ByteView bytes, RpmFiles files);

// Name and version of the source package from the name of its file, "bash-5.1-2.src.rpm" or
// "bash-5.1-2"; that name has no epoch, so `epoch` ("" or a number) is the binary's. Nothing where
// the text is not of that form ("(none)").
std::optional<SourcePackage> parse_source_rpm(std::string_view file_name, std::string_view epoch);

}  // namespace vigil::decode
