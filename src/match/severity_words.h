// The severity words of each vendor, and what they mean here. docs/matching.md shows the table.
#pragma once

#include <optional>
#include <string_view>

#include "model/severity.h"

namespace vigil::match {

// The word of an advisory of this shard; nothing where the vendor's table does not have it, or has
// it as "not judged yet", so that CVSS decides.
std::optional<Severity> severity_of_word(std::string_view shard, std::string_view word);

}  // namespace vigil::match
