#include "base/work_counts.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>

#include "base/ticker.h"

namespace vigil {
namespace {

TEST(WorkCounts, AChildCountsForItsParent) {
  Result<SharedWorkCounts> shared = SharedWorkCounts::create();
  ASSERT_TRUE(shared);
  const pid_t child = ::fork();
  if (child == 0) {
    add_count(shared->counts().bytes_read, 40);
    add_count(shared->counts().bytes_read, 2);
    set_count(shared->counts().packages_count, 7);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(shared->snapshot().bytes_read, 42u);
  EXPECT_EQ(shared->snapshot().packages_count, 7u);
  EXPECT_EQ(shared->snapshot().files_count, 0u);
}

TEST(Ticker, TicksUntilItIsDestroyed) {
  std::latch three(3);
  int ticks = 0;
  {
    const Ticker ticker(std::chrono::milliseconds(1), [&] {
      if (++ticks <= 3) three.count_down();
    });
    three.wait();
  }
  EXPECT_GE(ticks, 3);  // Nobody else touches it any more.
}

}  // namespace
}  // namespace vigil
