// The advisory database that the golden tests ask: compiled from the feeds beside the tree.
#pragma once

#include <memory>
#include <string>

#include "advisory/database.h"

namespace vigil::goldens {

// A file of the feeds folder ("goldens/peers/wolfi.tsv"); "" where it is not there.
std::string feeds_path(const std::string& relative);

// Null where the feeds are not there; then the test says so and skips. Opened once per program.
const advisory::Database* golden_database();

}  // namespace vigil::goldens
