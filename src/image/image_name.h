// What an image is called, and whether somebody means it.
#pragma once

#include <string_view>

namespace vigil::image {

// Whether `typed` means the image that is stored as `name`: a tag ("3.17"), a name ("alpine:3.17")
// or a name completed as Docker does it. `name` may be a tag alone.
bool is_named(std::string_view name, std::string_view typed);

}  // namespace vigil::image
