// The numbers of Debian's and Ubuntu's releases, whose feeds speak of codenames only.
#pragma once

#include <string>
#include <string_view>

namespace vigil::advisory {

// "debian-12" for "bookworm", "ubuntu-20.04" for "focal"; "" for a codename that is not known.
std::string shard_of_codename(std::string_view codename);

}  // namespace vigil::advisory
