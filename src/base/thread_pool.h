// Fork and join: the only place where threads are started for a scan. Results come in input order
// because each call writes its own slot; output never depends on the number of threads.
#pragma once

#include <cstddef>

#include "base/function_ref.h"

namespace vigil {

// Calls work(0) … work(count - 1), each once, on at most `threads_count` threads (0: one per
// processor, 1: on this thread), and returns when all are done. `work` must not throw.
void parallel_for(size_t count, size_t threads_count, FunctionRef<void(size_t index)> work);

size_t processors_count();

}  // namespace vigil
