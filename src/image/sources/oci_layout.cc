// An OCI image layout in a folder.
#include "image/blob_store.h"
#include "image/image.h"
#include "image/oci.h"

namespace vigil::image {

namespace {

bool recognises(FileAccess& files) {
  const std::unique_ptr<BlobStore> store = open_folder_store(files);
  return has_oci_layout(*store);
}

Result<std::unique_ptr<Image>> open(FileAccess& files, const ImageRef& ref,
                                    const OpenOptions& options) {
  const std::unique_ptr<BlobStore> store = open_folder_store(files);
  if (!has_oci_layout(*store)) {
    return fail(ErrorCode::kNotFound, "it is no OCI layout: oci-layout or index.json is missing");
  }
  return open_oci_layout(*store, TargetKind::kOciDirectory, ref, options);
}

}  // namespace

extern const ImageSource oci_layout_source;
constexpr ImageSource oci_layout_source = {"oci-dir", TargetKind::kOciDirectory, recognises, open};

}  // namespace vigil::image
