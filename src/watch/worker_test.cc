#include "watch/worker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace vigil::watch {
namespace {

TEST(Worker, AnErrorComesBackAsOne) {
  Worker worker = Worker::start([]() -> Result<std::string> {
                    return fail(ErrorCode::kMalformed, "no good");
                  }).value();
  EXPECT_EQ(worker.finish().error().message, "no good");
}

TEST(Worker, ADeathIsAnError) {
  Worker worker = Worker::start([]() -> Result<std::string> {
                    ::raise(SIGKILL);
                    return std::string();
                  }).value();
  EXPECT_EQ(worker.finish().error().message, "the worker was killed");
}

TEST(Worker, TextComesBackWholeFromAnotherProcess) {
  const std::string large(3 << 20, 'x');
  const pid_t own = ::getpid();
  Worker worker = Worker::start([&]() -> Result<std::string> {
                    return ::getpid() == own ? std::string() : large;
                  }).value();
  EXPECT_EQ(worker.finish().value(), large);
}

TEST(Worker, OneThatIsNotWaitedForIsKilled) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    const Worker worker = Worker::start([&]() -> Result<std::string> {
                            ::pause();
                            return std::string();
                          }).value();
    EXPECT_FALSE(worker.is_done());
  }
  // The last writer is gone.
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
}

}  // namespace
}  // namespace vigil::watch
