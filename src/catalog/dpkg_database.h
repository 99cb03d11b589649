// What dpkg's two kinds of database share: a stanza of the status file (dpkg(1), deb-control(5),
// "dpkg internals" in deb-md5sums(5)), and the files beside it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/gap_list.h"
#include "decode/deb822.h"
#include "model/package.h"

namespace vigil::catalog {

struct DpkgEntry {
  Package package;  // Without location and purl.
  // Whether its files are there: every state but "not-installed" and "config-files". A stanza
  // without a Status, as distroless images have them, is of an installed package.
  bool is_installed = true;
  bool is_multi_arch_same = false;
  std::string_view conffiles;  // The field's value, a view into the database.
};

// Reads the present stanza. Nothing where it has no usable name, which is then a gap. A version
// that is missing or past its bound is a gap too; the package stays, without a version.
std::optional<DpkgEntry> read_dpkg_entry(decode::Deb822Reader& reader, GapList& gaps);

// Path (without leading slash) and the 32 digits of its MD5 digest, as they stand there. Views into
// the text they were read from.
struct DpkgDigest {
  std::string_view path;
  std::string_view digits;
};
// "md5:" and the digits in lower case.
std::string md5_digest(std::string_view digits);
// Adds the lines "DIGEST  PATH" of an .md5sums file.
void read_md5sums(std::string_view text, std::vector<DpkgDigest>& digests);
// Adds the lines "/PATH DIGEST [obsolete|remove-on-upgrade]" of a Conffiles field. A digest
// "newconffile" means that none is recorded yet.
void read_conffiles(std::string_view value, std::vector<DpkgDigest>& digests);
// Sorts by path. The first digest of a path counts, the others go.
void sort_digests(std::vector<DpkgDigest>& digests);

// Where packages' files really are: path to its diversion, both without leading slash.
struct Diversion {
  std::string to;
  // The package whose file stays; "" for the administrator, then no package's does.
  std::string by;
};
using Diversions = std::unordered_map<std::string, Diversion>;
// From var/lib/dpkg/diversions: three lines each, from, to, and the package or ":".
Diversions read_diversions(std::string_view text);

}  // namespace vigil::catalog
