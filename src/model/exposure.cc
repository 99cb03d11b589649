#include "model/exposure.h"

#include <array>
#include <utility>

namespace vigil {

namespace {

template <typename Enum, size_t kCount>
std::string_view name_of(Enum value, const std::array<std::string_view, kCount>& names) {
  const size_t index = static_cast<size_t>(value);
  return index < kCount ? names[index] : "unknown";
}

constexpr std::pair<Facet, std::string_view> kFacets[] = {
    {kListening, "listening"},   {kExposed, "exposed"},          {kAccepted, "accepted"},
    {kPrivileged, "privileged"}, {kStartupOnly, "startup-only"},
};

}  // namespace

std::string_view to_string(EventKind kind) {
  return name_of(kind, std::to_array<std::string_view>({"unknown", "exec", "map", "open", "fork",
                                                        "exit", "listen", "accept", "connect"}));
}

std::string_view to_string(Runtime runtime) {
  return name_of(runtime, std::to_array<std::string_view>({"unknown", "host", "podman", "docker",
                                                           "containerd", "cri-o", "runc"}));
}

std::string_view to_string(Tier tier) {
  return name_of(tier, std::to_array<std::string_view>(
                           {"installed", "opened", "loaded", "executed", "called"}));
}

std::string_view to_string(UseVerdict verdict) {
  return name_of(verdict, std::to_array<std::string_view>({"in_use", "not_observed", "unknown"}));
}

std::string_view to_string(Attach attach) {
  return name_of(attach, std::to_array<std::string_view>({"none", "from_start", "snapshot"}));
}

std::vector<std::string_view> facet_names(uint8_t facets) {
  std::vector<std::string_view> names;
  for (const auto& [facet, name] : kFacets) {
    if (facets & facet) names.push_back(name);
  }
  return names;
}

}  // namespace vigil
