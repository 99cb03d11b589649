#include "match/matcher.h"

namespace vigil::match {

#define VIGIL_MATCHER(name) extern const Matcher name##_matcher;
#include "match/matchers.def"
#undef VIGIL_MATCHER

namespace {

constexpr const Matcher* kMatchers[] = {
#define VIGIL_MATCHER(name) &name##_matcher,
#include "match/matchers.def"
#undef VIGIL_MATCHER
};

}  // namespace

std::span<const Matcher* const> all_matchers() {
  return kMatchers;
}

const Matcher* find_matcher(const Package& package, const Distro& distro) {
  for (const Matcher* matcher : kMatchers) {
    if (matcher->owns(package, distro)) return matcher;
  }
  return nullptr;
}

}  // namespace vigil::match
