// CRAN: R's package_version, numbers between '.' and '-', at least two of them. They are compared
// by value, and 1.0 is below 1.0.0. Other text: a part that is no number is below every number.
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) {
  int count = 0;
  do {
    if (take_digits(version).empty()) return false;
    ++count;
  } while (take_char(version, '.') || take_char(version, '-'));
  return version.empty() && count >= 2;
}

}  // namespace

extern const Scheme cran_scheme;
const Scheme cran_scheme = {.name = "cran",
                            .reference = "R, ?package_version",
                            .is_valid = is_valid,
                            .compare = compare_number_lists};

}  // namespace vigil::version
