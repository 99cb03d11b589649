// Catalogers turn package databases into packages. Each is one file in catalogers/, one line in
// catalogers.def, one test. A cataloger sees bytes and an ImageFs, opens nothing, and runs in the
// parsing child; its input is hostile.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "model/package.h"
#include "model/sbom.h"

namespace vigil::catalog {

struct CatalogInput {
  std::string_view path;     // The package database: a file that matched a primary claim.
  std::string_view content;  // Its bytes.
  const image::ImageFs& fs;  // The view it is part of, for its support files.
  bool files_wanted = true;  // False where only the package list counts (layer attribution).
  size_t threads_count = 1;  // That it may use; as of parallel_for.
};

struct CatalogOutput {
  std::vector<Package> packages;  // location.path set to the input's path; layer left at -1.
  std::vector<OwnedFile> files;   // `package` indexes packages; aliases left empty.
  std::vector<Gap> gaps;
};

struct Cataloger {
  std::string_view name;
  int version;                              // Part of the cache key; raise it with every change
                                            // of what it finds.
  std::span<const image::Claim> databases;  // Files that make it run, once each.
  std::span<const image::Claim> support;    // Further files it reads through fs.
  Result<CatalogOutput> (*catalog)(const CatalogInput& input);
};

std::span<const Cataloger* const> all_catalogers();
// All claims of all catalogers and of the distribution reader: what to open an image with.
std::span<const image::Claim> all_claims();

struct Inventory {
  Sbom sbom;
  std::vector<OwnedFile> files;  // Sorted by path; `package` indexes sbom.packages.
};

struct CatalogOptions {
  size_t threads_count = 1;
  WorkCounts* work = nullptr;  // Told how many packages were found; null: not.
};

// Everything in an opened image: distribution, packages with the layer that introduced each, owned
// files with aliases, and the image's gaps with the catalogers' own. A database that fails to parse
// is a Gap, never an Error. The image is given up as soon as nothing more is asked of it.
Inventory catalog_image(std::unique_ptr<image::Image> image, const CatalogOptions& options = {});

}  // namespace vigil::catalog
