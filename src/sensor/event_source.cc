#include "sensor/event_source.h"

namespace vigil::sensor {

#define EVENT_SOURCE(name) extern const EventSourceKind name##_event_source;
#include "sensor/event_sources.def"
#undef EVENT_SOURCE

namespace {
// "bpf" sorts before "proc" and "replay", which happens to be best first.
constexpr const EventSourceKind* kEventSources[] = {
#define EVENT_SOURCE(name) &name##_event_source,
#include "sensor/event_sources.def"
#undef EVENT_SOURCE
};
}  // namespace

std::span<const EventSourceKind* const> all_event_sources() {
  return kEventSources;
}

const EventSourceKind* find_event_source(std::string_view name) {
  for (const EventSourceKind* source : kEventSources) {
    if (source->name == name) return source;
  }
  return nullptr;
}

}  // namespace vigil::sensor
