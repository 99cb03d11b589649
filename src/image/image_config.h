// The image configuration: what it says about the image and about each of its layers (OCI image
// specification, config.md; Docker writes the same fields). Hostile input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/sbom.h"

namespace vigil::image {

struct ImageConfig {
  std::string os;
  std::string architecture;
  std::string variant;
  std::string created;
  std::vector<std::string> diff_ids;
  std::vector<std::string> created_by;  // Of the layers alone: steps without one are left out.
};

Result<ImageConfig> read_image_config(std::string_view json);

// Fills in what the configuration knows. A number of layers other than its own is a Gap.
void apply_image_config(const ImageConfig& config, Target& target, std::vector<Layer>& layers,
                        std::vector<Gap>& gaps);

// "linux/arm64/v8" taken apart. Names as Go has them; the usual other ones are translated.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
};
Result<Platform> read_platform(std::string_view text);  // "" is linux on this machine.
std::string to_string(const Platform& platform);
// How well what is offered serves; 0: not at all. Of arm an older version serves where there is
// none better (containerd's rule); of others any variant does where none is asked for.
int fitness(const Platform& offered, const Platform& wanted);
// Whether the image is what was asked for by name; nothing was asked for where `platform` is "".
Status check_platform(const ImageConfig& config, std::string_view platform);

}  // namespace vigil::image
