// How far work has come, for whoever watches it: numbers that the parsing child and its parent both
// see. Any thread may add to them.
//
// The child writes them and may be hostile, so they are for display and decide nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/result.h"

namespace vigil {

struct WorkCounts {
  uint64_t layers_total = 0;
  uint64_t layers_done = 0;
  uint64_t bytes_total = 0;     // As stored.
  uint64_t bytes_done = 0;      // Of them: read, or left out as of no interest.
  uint64_t bytes_read = 0;      // Layers and files, as stored; twice where read twice.
  uint64_t bytes_inflated = 0;  // What was inside the layers, as far as it was looked at.
  uint64_t files_count = 0;     // Entries of layers; files read of a root.
  uint64_t packages_count = 0;
  uint64_t unpack_us = 0;   // Microseconds until the layers were read,
  uint64_t catalog_us = 0;  // and until their packages were found.
};

inline void add_count(uint64_t& count, uint64_t amount) {
  std::atomic_ref(count).fetch_add(amount, std::memory_order_relaxed);
}
inline void set_count(uint64_t& count, uint64_t value) {
  std::atomic_ref(count).store(value, std::memory_order_relaxed);
}

// WorkCounts that a child forked later shares.
class SharedWorkCounts {
 public:
  static Result<SharedWorkCounts> create();
  SharedWorkCounts(SharedWorkCounts&& other) noexcept;
  SharedWorkCounts& operator=(SharedWorkCounts&&) = delete;
  ~SharedWorkCounts();

  WorkCounts& counts() { return *counts_; }
  WorkCounts snapshot() const;  // Each number as it stands; together they may be of two moments.

 private:
  explicit SharedWorkCounts(WorkCounts* counts) : counts_(counts) {}
  WorkCounts* counts_;
};

}  // namespace vigil
