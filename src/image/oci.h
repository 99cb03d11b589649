// OCI image layouts (image specification 1.1: image-layout, image-index, manifest, descriptor),
// with Docker's media types, from a folder or from a tar archive. Hostile input.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "image/blob_store.h"
#include "image/image.h"

namespace vigil::image {

// Chooses one manifest by the reference's selector and platform, checks its digest and that of its
// configuration, and reads the layers.
Result<std::unique_ptr<Image>> open_oci_layout(BlobStore& store, TargetKind kind,
                                               const ImageRef& ref, const OpenOptions& options);

// Whether the documents of such a layout are there.
bool has_oci_layout(BlobStore& store);

// The digest of a blob as its content has it; an Error names the blob where it does not fit.
Status check_digest(std::string_view content, std::string_view digest);

}  // namespace vigil::image
