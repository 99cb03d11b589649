// What somebody typed as a target, taken apart. Nothing is read here but whether a path is there:
// what a file holds is hostile, and recognised in the parsing child.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/sbom.h"

namespace vigil::scan {

// Where its bytes are.
enum class TargetPlace : uint8_t { kPath, kStandardInput, kTyped };

struct TypedTarget {
  std::optional<TargetKind> kind;  // Forced by a prefix; else recognised by its content.
  TargetPlace place = TargetPlace::kPath;
  std::string path;      // For kPath.
  std::string selector;  // Of an image: a tag, or "sha256:…".
  std::string text;      // For kTyped: the purl.
  std::string name;      // What results call it: as typed, without the prefix.
  uint32_t pid = 0;      // A process whose root it is; 0: it is no running root.
  bool operator==(const TypedTarget&) const = default;
};

// Forms: docker-archive:FILE, oci-archive:FILE, oci-dir:FOLDER (images take :TAG or @sha256:DIGEST
// after the path), dir:FOLDER, sbom:FILE, sbom:-, purl:PURL, purl:FILE, purl:-, pkg:…, or a path,
// or "-" (an SBOM or purls); container:NAME and pid:N, the root that a running container or process
// sees. A path that is there as typed is that path, whatever colons it has; else what follows its
// last colon is the selector. An Error says what to type instead.
Result<TypedTarget> parse_target(std::string_view typed);

}  // namespace vigil::scan
