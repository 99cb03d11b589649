// Which layer introduced each package.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/cataloger.h"

namespace vigil::catalog {

// A database of the whole image.
struct FoundDatabase {
  const Cataloger* cataloger;
  std::string path;                // Canonical.
  std::vector<std::string> names;  // Every claimed path that leads to it, sorted.
  // Its packages' place among all.
  size_t packages_start = 0;
  size_t packages_count = 0;
};

// Whether one of the cataloger's databases has this path.
bool is_database(const Cataloger& cataloger, std::string_view path);

// Sets location.layer of `packages`: the layer since which a package of the same name, version and
// architecture has been in some database of the same cataloger. So one that goes and comes back is
// the later layer's, and a database that moves takes its packages along. Returns the gaps: layers
// past the bounds are not looked at.
std::vector<Gap> attribute_to_layers(const image::Image& image,
                                     std::span<const FoundDatabase> databases,
                                     std::span<Package> packages);

}  // namespace vigil::catalog
