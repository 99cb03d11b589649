#include "sensor/runtime_state.h"

#include <algorithm>
#include <ranges>

#include "base/json.h"
#include "base/limits.h"

namespace vigil::sensor {

namespace {

// Text of a sane length; "" else.
std::string short_text(JsonView value) {
  const std::string_view text = value.text();
  return text.size() <= limits::kNameBytesMax ? std::string(text) : std::string();
}

std::string digest_of_id(std::string_view id) {
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  const bool is_digest =
      id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_digest ? "sha256:" + std::string(id) : std::string();
}

uint32_t pid_of(JsonView value) {
  const int64_t pid = value.integer();
  return pid > 0 && pid <= INT32_MAX ? static_cast<uint32_t>(pid) : 0;
}

// The name that CRI-O, and Docker for a kubelet, give a container of a pod,
// "k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT" (the container of the pod itself is POD), as
// "namespace/pod/container"; others stay.
std::string whole_name(std::string name) {
  if (!name.starts_with("k8s_")) return name;
  std::vector<std::string_view> parts;
  for (const auto part : std::views::split(std::string_view(name), '_')) parts.emplace_back(part);
  if (parts.size() != 6) return name;
  const std::string_view container = parts[1], pod = parts[2], space = parts[3];
  const std::string whole = std::string(space) + '/' + std::string(pod);
  return container == "POD" ? whole : whole + '/' + std::string(container);
}

// The annotations that tell of name and image, by whoever wrote them.
class Annotations {
 public:
  void add(std::string_view key, std::string_view value) {
    if (value.size() > limits::kNameBytesMax) return;
    if (key == "io.kubernetes.cri.image-name" || key == "io.kubernetes.cri-o.ImageName" ||
        key == "org.opencontainers.image.ref.name") {
      image_ = value;
    }
    if (key == "io.kubernetes.cri.container-name" || key == "io.kubernetes.container.name" ||
        key == "nerdctl/name") {
      container_ = value;
    }
    if (key == "io.kubernetes.cri.sandbox-name" || key == "io.kubernetes.pod.name") pod_ = value;
    if (key == "io.kubernetes.cri.sandbox-namespace" || key == "io.kubernetes.pod.namespace") {
      namespace_ = value;
    }
  }
  // "namespace/pod/container".
  void fill(RuntimeFacts& facts) const {
    for (const std::string* part : {&namespace_, &pod_, &container_}) {
      if (part->empty()) continue;
      if (!facts.name.empty()) facts.name += '/';
      facts.name += *part;
    }
    facts.image = image_;
  }

 private:
  std::string image_;
  std::string container_;
  std::string pod_;
  std::string namespace_;
};

}  // namespace

Result<RuntimeFacts> parse_containers_storage(std::string_view text, std::string_view id) {
  JsonDocument document;
  const JsonView containers = TRY(document.parse(text));
  for (const JsonView container : containers.items()) {
    if (container["id"].text() != id) continue;
    RuntimeFacts facts;
    const std::vector<JsonView> names = container["names"].items();
    if (!names.empty()) facts.name = whole_name(short_text(names.front()));
    facts.storage_layer = short_text(container["layer"]);
    facts.image_digest = digest_of_id(container["image"].text());
    // JSON in a string: what podman or CRI-O noted.
    JsonDocument inner;
    const Result<JsonView> metadata = inner.parse(container["metadata"].text());
    if (metadata) {
      facts.image = short_text((*metadata)["image-name"]);
      if (facts.image_digest.empty()) {
        facts.image_digest = digest_of_id((*metadata)["image-id"].text());
      }
    }
    return facts;
  }
  return fail(ErrorCode::kNotFound, "no such container in the storage");
}

Result<std::string> parse_image_name(std::string_view text, std::string_view image_id) {
  JsonDocument document;
  const JsonView images = TRY(document.parse(text));
  for (const JsonView image : images.items()) {
    if (image["id"].text() != image_id) continue;
    const std::vector<JsonView> names = image["names"].items();
    return names.empty() ? std::string() : short_text(names.front());
  }
  return std::string();
}

Result<RuntimeFacts> parse_docker_config(std::string_view text) {
  JsonDocument document;
  const JsonView config = TRY(document.parse(text));
  RuntimeFacts facts;
  facts.name = short_text(config["Name"]);
  if (facts.name.starts_with('/')) facts.name.erase(0, 1);
  facts.name = whole_name(std::move(facts.name));
  facts.image = short_text(config["Config"]["Image"]);
  facts.image_digest = digest_of_id(config["Image"].text());
  facts.init_pid = pid_of(config["State"]["Pid"]);
  return facts;
}

Result<RuntimeFacts> parse_runc_state(std::string_view text) {
  JsonDocument document;
  const JsonView state = TRY(document.parse(text));
  if (!state.is_object()) return fail(ErrorCode::kMalformed, "the state is no JSON object");
  RuntimeFacts facts;
  Annotations annotations;
  for (const JsonView label : state["config"]["labels"].items()) {
    const std::string_view pair = label.text();
    const size_t equals = std::min(pair.find('='), pair.size());
    annotations.add(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
  annotations.fill(facts);
  facts.init_pid = pid_of(state["init_process_pid"]);
  if (facts.init_pid == 0) facts.init_pid = pid_of(state["pid"]);
  facts.root_folder = short_text(state["config"]["rootfs"]);
  if (facts.root_folder.empty()) facts.root_folder = short_text(state["rootfs"]);
  return facts;
}

Result<RuntimeFacts> parse_oci_config(std::string_view text) {
  JsonDocument document;
  const JsonView config = TRY(document.parse(text));
  RuntimeFacts facts;
  Annotations annotations;
  config["annotations"].each_member(
      [&](std::string_view key, JsonView value) { annotations.add(key, value.text()); });
  annotations.fill(facts);
  facts.root_folder = short_text(config["root"]["path"]);
  return facts;
}

RuntimeFacts facts_of_labels(const decode::BoltEntries& labels) {
  RuntimeFacts facts;
  Annotations annotations;
  for (const decode::BoltEntry& label : labels) annotations.add(label.key, label.value);
  annotations.fill(facts);
  return facts;
}

Result<ImageManifest> parse_image_manifest(std::string_view text) {
  JsonDocument document;
  const JsonView json = TRY(document.parse(text));
  ImageManifest manifest;
  const std::string_view config = json["config"]["digest"].text();
  if (config.starts_with("sha256:")) manifest.config_digest = digest_of_id(config);
  for (const JsonView one : json["manifests"].items()) {
    if (manifest.manifests.size() == limits::kLayersMax) break;
    const std::string digest = digest_of_id(one["digest"].text());
    if (!digest.empty()) manifest.manifests.push_back(digest);
  }
  return manifest;
}

void add_missing(RuntimeFacts& facts, const RuntimeFacts& more) {
  const auto add = [](auto& mine, const auto& other) {
    if (mine == std::remove_cvref_t<decltype(mine)>()) mine = other;
  };
  add(facts.name, more.name);
  add(facts.image, more.image);
  add(facts.image_digest, more.image_digest);
  add(facts.storage_layer, more.storage_layer);
  add(facts.root_folder, more.root_folder);
  add(facts.init_pid, more.init_pid);
}

}  // namespace vigil::sensor
