// An OCI image layout in one tar archive.
#include "image/blob_store.h"
#include "image/image.h"
#include "image/oci.h"

namespace vigil::image {

namespace {

bool recognises(FileAccess& files) {
  const Result<std::unique_ptr<BlobStore>> store = open_tar_store(files);
  // `docker save` writes both kinds into one archive; it is read as Docker's.
  return store && has_oci_layout(**store) && !has_blob(**store, "manifest.json");
}

Result<std::unique_ptr<Image>> open(FileAccess& files, const ImageRef& ref,
                                    const OpenOptions& options) {
  const std::unique_ptr<BlobStore> store = TRY(open_tar_store(files));
  if (!has_oci_layout(*store)) {
    return fail(ErrorCode::kNotFound, "it is no OCI archive: oci-layout or index.json is missing");
  }
  return open_oci_layout(*store, TargetKind::kOciArchive, ref, options);
}

}  // namespace

extern const ImageSource oci_archive_source;
constexpr ImageSource oci_archive_source = {"oci-archive", TargetKind::kOciArchive, recognises,
                                            open};

}  // namespace vigil::image
