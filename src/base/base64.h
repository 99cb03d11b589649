// Base64 (RFC 4648 section 4), with padding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil {

std::string to_base64(std::string_view bytes);
// Takes the alphabet of section 5 ("-", "_") too. Anything else, missing padding or bits behind the
// last byte are kMalformed: one text for each value of an alphabet.
Result<std::string> from_base64(std::string_view text);

}  // namespace vigil
