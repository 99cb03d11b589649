// What the use of a file says of the code in it, which is for the program that uses it to tell.
#pragma once

#include "model/exposure.h"

namespace vigil::exposure {

// As recorded; kLoaded where an interpreter opened a file that is code to it.
Tier tier_of(const Evidence& evidence);

// Opened by a Java machine, which loads classes of it or does not.
bool is_jar_of_java(const Evidence& evidence);

}  // namespace vigil::exposure
