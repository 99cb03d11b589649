// What container runtimes keep on disk about a container. Pure: text in, facts out; every byte is
// hostile, and what is not understood is left empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "decode/bolt.h"

namespace vigil::sensor {

struct RuntimeFacts {
  std::string name = {};
  std::string image = {};          // As the container was started from it.
  std::string image_digest = {};   // "sha256:…" of the image configuration.
  std::string storage_layer = {};  // Its folder in the storage, where the lower ones are told.
  std::string root_folder = {};    // Absolute; "" where it isn't told.
  uint32_t init_pid = 0;
  bool operator==(const RuntimeFacts&) const = default;
};

// containers-storage (podman, CRI-O): overlay-containers/containers.json and
// volatile-containers.json. kNotFound where the container is not in it.
Result<RuntimeFacts> parse_containers_storage(std::string_view text, std::string_view id);
// overlay-images/images.json: a name of the image with this id; "" where it has none.
Result<std::string> parse_image_name(std::string_view text, std::string_view image_id);
// Docker: containers/ID/config.v2.json.
Result<RuntimeFacts> parse_docker_config(std::string_view text);
// runc's state.json (also crun's status), whose labels hold what Kubernetes' runtimes noted.
Result<RuntimeFacts> parse_runc_state(std::string_view text);
// An OCI config.json (of a bundle): its annotations and root.
Result<RuntimeFacts> parse_oci_config(std::string_view text);

// Labels as containerd keeps them.
RuntimeFacts facts_of_labels(const decode::BoltEntries& labels);

// An image's manifest, of OCI or Docker: its configuration; of an index: its manifests.
struct ImageManifest {
  std::string config_digest = {};
  std::vector<std::string> manifests = {};
  bool operator==(const ImageManifest&) const = default;
};
Result<ImageManifest> parse_image_manifest(std::string_view text);

// What `more` knows and `facts` does not.
void add_missing(RuntimeFacts& facts, const RuntimeFacts& more);

}  // namespace vigil::sensor
