// An image made of layers, read: every layer walked once, in parallel, and put on top of one
// another. The sources find out what the layers are; this is what they have in common.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/blob_store.h"
#include "image/image.h"

namespace vigil::image {

// One layer as a source found it.
struct LayerSource {
  std::string blob_name;  // In the store.
  std::string name;       // In gaps and errors: the digest, or the member's name.
  // The blob's digest; computed and compared where it is not empty.
  std::string digest;
  bool is_absent = false;  // Kept elsewhere by design: a gap stands for it already.
};

struct LayeredImageSource {
  Target target;
  std::vector<Layer> layers;
  std::vector<LayerSource> sources;  // As many as layers.
  std::vector<Gap> gaps;
  BlobStore& store;
};

// Reads the layers. A digest that does not fit is an Error that names the blob; a layer that is cut
// short or damaged is a Gap, and what could be read of it counts.
//
// Which contents are kept is decided while a layer streams by, before anybody knows where links of
// other layers lead. So after all layers are read the claims are looked up in the whole: where one
// leads, through a link, to a file that nobody claimed, the layers are read once more with that
// path claimed too, at most limits::kLayerPassesMax times. The claims name the usual places, so
// usual images are read once.
Result<std::unique_ptr<Image>> read_layers(LayeredImageSource source, const OpenOptions& options);

}  // namespace vigil::image
