#include "image/image_name.h"

#include <string>

#include "image/claim_table.h"

namespace vigil::image {

namespace {

// A name as Docker completes it (github.com/distribution/reference, "normalized names"): "app" is
// docker.io/library/app:latest, and podman writes that where Docker writes "app:latest".
std::string full_name(std::string_view name) {
  std::string full(name);
  const size_t slash = full.find('/');
  const std::string_view first = name.substr(0, slash == std::string::npos ? 0 : slash);
  const bool has_host = first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
  if (!has_host) full.insert(0, slash == std::string::npos ? "docker.io/library/" : "docker.io/");
  if (name_of(full).find(':') == std::string_view::npos) full += ":latest";
  return full;
}

}  // namespace

bool is_named(std::string_view name, std::string_view typed) {
  const size_t colon = name.rfind(':');
  const bool is_tag = colon != std::string_view::npos && name.substr(colon + 1) == typed;
  return is_tag || full_name(name) == full_name(typed);
}

}  // namespace vigil::image
