// The licences of a Debian package, from the copyright file that each has to install
// (usr/share/doc/PACKAGE/copyright, Debian Policy §12.5).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "catalog/gap_list.h"
#include "image/image.h"

namespace vigil::catalog {

// Of both of dpkg's kinds of database.
constexpr image::Claim copyright_claim() {
  return {image::ClaimKind::kInFolders, "usr/share/doc/*/copyright", limits::kCopyrightBytesMax};
}

// Each licence once, sorted. From the machine-readable form
// (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/) the License fields' first
// lines: "GPL-2+", "Expat or GPL-2". From free text the names of the files of
// /usr/share/common-licenses that it refers to: "GPL-2". Hostile input.
std::vector<std::string> read_copyright(std::string_view text);

// The files of one root. Many packages have a link to another's folder; each file is read once.
class Copyrights {
 public:
  Copyrights(const image::ImageFs& fs, GapList& gaps) : fs_(fs), gaps_(gaps) {}

  // The licences of the package as one text, "A AND B"; "" where there is no such file, or it names
  // none. Minimal images leave these files out, so that is no gap.
  std::string licence_of(const std::string& package);

 private:
  std::string read(const std::string& path);

  const image::ImageFs& fs_;
  GapList& gaps_;
  std::unordered_map<std::string, std::string> known_;  // By the file's real path.
  uint64_t bytes_ = 0;
};

}  // namespace vigil::catalog
