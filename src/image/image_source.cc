#include "image/image.h"

namespace vigil::image {

#define SOURCE(name) extern const ImageSource name##_source;
#include "image/sources.def"
#undef SOURCE

namespace {
constexpr const ImageSource* kSources[] = {
#define SOURCE(name) &name##_source,
#include "image/sources.def"
#undef SOURCE
};
}  // namespace

std::span<const ImageSource* const> all_sources() {
  return kSources;
}

const ImageSource* find_source(TargetKind kind) {
  for (const ImageSource* source : kSources) {
    if (source->kind == kind) return source;
  }
  return nullptr;
}

}  // namespace vigil::image
