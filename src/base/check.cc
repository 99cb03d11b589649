#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace vigil::internal {

void check_failed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "vigil: internal error at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace vigil::internal
