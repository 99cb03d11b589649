// Patterns of names and paths, as ignore files write them.
#pragma once

#include <string_view>

#include "base/result.h"

namespace vigil {

// Whether the whole text fits: "*" is any run without a slash, "?" one character but a slash, "**"
// any run, and "**/" any run of whole folders, also none. All else stands for itself.
bool glob_matches(std::string_view pattern, std::string_view text);

// kUnsupported where the pattern has what other programs give a meaning and this one does not
// ("[", "{" and "\"); kTooLarge past limits::kGlobBytesMax.
Status check_glob(std::string_view pattern);

}  // namespace vigil
