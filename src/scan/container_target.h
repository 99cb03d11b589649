// A running container as a target, found without its runtime.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/target.h"

namespace vigil::scan {

// The root that the container's first process sees. `wanted` is its name, its id, or the start of
// an id that no other has, as docker and podman take them. An Error lists the containers that run.
Result<TypedTarget> find_container(std::string_view wanted);

// What find_container() takes for each that runs, sorted: its name where it has one that no other
// has, else its id.
std::vector<std::string> running_container_names();

// Why no container is seen.
std::string nothing_runs_text();

}  // namespace vigil::scan
