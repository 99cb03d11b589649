#include "image/image_config.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"

namespace vigil::image {

namespace {

#if defined(__x86_64__)
constexpr std::string_view kMachine = "amd64";
#elif defined(__aarch64__)
constexpr std::string_view kMachine = "arm64";
#else
#error "name this machine's architecture as Go does"
#endif

std::string_view architecture_name(std::string_view name) {
  if (name == "x86_64" || name == "x86-64") return "amd64";
  if (name == "aarch64" || name == "armv8") return "arm64";
  if (name == "i386" || name == "i686") return "386";
  if (name == "armhf" || name == "armv7l") return "arm";
  return name;
}

// Variants that mean the architecture's plain form have no name; arm without one is v7, as
// containerd and Docker have it.
std::string variant_name(std::string_view architecture, std::string_view variant) {
  if (architecture == "arm64" && (variant == "v8" || variant == "8")) return "";
  if (architecture == "amd64" && variant == "v1") return "";
  if (architecture != "arm") return std::string(variant);
  if (variant.empty()) return "v7";
  return variant.size() == 1 ? "v" + std::string(variant) : std::string(variant);
}

// 5 to 8 of "v5" to "v8"; 0 of anything else.
int arm_version(std::string_view variant) {
  const bool is_known =
      variant.size() == 2 && variant[0] == 'v' && variant[1] >= '5' && variant[1] <= '8';
  return is_known ? variant[1] - '0' : 0;
}

}  // namespace

Result<ImageConfig> read_image_config(std::string_view json) {
  JsonDocument document;
  const JsonView root = TRY(document.parse(json));
  if (!root.is_object()) return fail(ErrorCode::kMalformed, "the configuration is no object");
  ImageConfig config;
  config.os = root["os"].text();
  config.architecture = root["architecture"].text();
  config.variant = root["variant"].text();
  config.created = root["created"].text();
  for (const JsonView diff_id : root["rootfs"]["diff_ids"].items()) {
    if (config.diff_ids.size() > limits::kLayersMax) {
      return fail(ErrorCode::kTooLarge, "more layers than kLayersMax");
    }
    config.diff_ids.emplace_back(diff_id.text());
  }
  root["history"].each([&](JsonView step) {
    if (step["empty_layer"].boolean() || config.created_by.size() > limits::kLayersMax) return;
    config.created_by.emplace_back(step["created_by"].text());
  });
  return config;
}

void apply_image_config(const ImageConfig& config, Target& target, std::vector<Layer>& layers,
                        std::vector<Gap>& gaps) {
  target.os = config.os;
  target.architecture = config.architecture;
  target.variant = config.variant;
  target.created = config.created;
  if (config.diff_ids.size() == layers.size()) {
    for (size_t i = 0; i < layers.size(); ++i) layers[i].diff_id = config.diff_ids[i];
  } else {
    gaps.push_back({GapKind::kMalformed, target.image_id,
                    "the configuration names " + std::to_string(config.diff_ids.size()) +
                        " layers, the manifest " + std::to_string(layers.size()),
                    ""});
  }
  // Some builders keep no history, or one that does not fit; then nobody knows.
  if (config.created_by.size() != layers.size()) return;
  for (size_t i = 0; i < layers.size(); ++i) layers[i].created_by = config.created_by[i];
}

Result<Platform> read_platform(std::string_view text) {
  if (text.empty()) return Platform{"linux", std::string(kMachine), ""};
  std::vector<std::string_view> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t slash = std::min(text.find('/', start), text.size());
    parts.push_back(text.substr(start, slash - start));
    start = slash + 1;
  }
  const bool has_empty = std::ranges::any_of(parts, &std::string_view::empty);
  if (has_empty || parts.size() > 3) {
    return fail(ErrorCode::kMalformed,
                "platform " + std::string(text) + " is not OS/ARCHITECTURE[/VARIANT]");
  }
  if (parts.size() == 1) parts.insert(parts.begin(), "linux");
  Platform platform = {std::string(parts[0]), std::string(architecture_name(parts[1])),
                       parts.size() == 3 ? std::string(parts[2]) : std::string()};
  if (platform.architecture == "arm") platform.variant = variant_name("arm", platform.variant);
  return platform;
}

std::string to_string(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

int fitness(const Platform& offered, const Platform& wanted) {
  constexpr int kExact = 10;
  if (offered.os != wanted.os) return 0;
  const std::string_view architecture = architecture_name(offered.architecture);
  if (architecture != wanted.architecture) return 0;
  const std::string have = variant_name(architecture, offered.variant);
  const std::string want = variant_name(architecture, wanted.variant);
  if (have == want) return kExact;
  if (architecture == "arm") {
    return arm_version(have) < arm_version(want) ? arm_version(have) : 0;
  }
  return want.empty() ? 1 : 0;
}

Status check_platform(const ImageConfig& config, std::string_view platform) {
  if (platform.empty()) return {};
  const Platform wanted = TRY(read_platform(platform));
  // Many configurations leave the variant to the index, which has chosen by then.
  const Platform has = {config.os, config.architecture,
                        config.variant.empty() ? wanted.variant : config.variant};
  if (fitness(has, wanted) > 0) return {};
  return fail(ErrorCode::kNotFound,
              "the image is for " + to_string(has) + ", not for " + to_string(wanted));
}

}  // namespace vigil::image
