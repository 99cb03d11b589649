// Hackage: Data.Version of GHC's base, a list of numbers compared by value, where 1.0 is below
// 1.0.0. Tags behind '-' are gone from the language; they are read as further parts. Other text: a
// part that is no number is below every number.
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) {
  do {
    if (take_digits(version).empty()) return false;
  } while (take_char(version, '.'));
  return version.empty();
}

}  // namespace

extern const Scheme hackage_scheme;
const Scheme hackage_scheme = {
    .name = "hackage",
    .reference = "Haskell base, Data.Version; PVP, https://pvp.haskell.org",
    .is_valid = is_valid,
    .compare = compare_number_lists};

}  // namespace vigil::version
