#include "base/work_counts.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <utility>

namespace vigil {

Result<SharedWorkCounts> SharedWorkCounts::create() {
  void* memory = ::mmap(nullptr, sizeof(WorkCounts), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return fail_errno("cannot share memory with the parsing child", errno);
  return SharedWorkCounts(new (memory) WorkCounts);
}

SharedWorkCounts::SharedWorkCounts(SharedWorkCounts&& other) noexcept
    : counts_(std::exchange(other.counts_, nullptr)) {}

SharedWorkCounts::~SharedWorkCounts() {
  if (counts_ != nullptr) ::munmap(counts_, sizeof(WorkCounts));
}

WorkCounts SharedWorkCounts::snapshot() const {
  const auto now = [](uint64_t& count) {
    return std::atomic_ref(count).load(std::memory_order_relaxed);
  };
  return {.layers_total = now(counts_->layers_total),
          .layers_done = now(counts_->layers_done),
          .bytes_total = now(counts_->bytes_total),
          .bytes_done = now(counts_->bytes_done),
          .bytes_read = now(counts_->bytes_read),
          .bytes_inflated = now(counts_->bytes_inflated),
          .files_count = now(counts_->files_count),
          .packages_count = now(counts_->packages_count),
          .unpack_us = now(counts_->unpack_us),
          .catalog_us = now(counts_->catalog_us)};
}

}  // namespace vigil
