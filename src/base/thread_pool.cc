#include "base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace vigil {

size_t processors_count() {
  return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_for(size_t count, size_t threads_count, FunctionRef<void(size_t)> work) {
  if (threads_count == 0) threads_count = processors_count();
  threads_count = std::min(threads_count, count);
  std::atomic<size_t> next = 0;
  const auto loop = [&] {
    for (size_t index = next++; index < count; index = next++) work(index);
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < threads_count; ++i) threads.emplace_back(loop);
  loop();
}

}  // namespace vigil
